import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport, Objective, Row } from '../lib/report';
import { say, withSandbox } from '../lib/sandbox';
import { ratio, summarize, type Summary } from '../lib/summary';
import { ASYNCHRONOUS, CONTENDERS, PATRONI, SWITCHOVER, type Contender, type Happening } from './contenders';
import { RATE, WRITERS, happen, type Sample } from './trial';

const AIM_MS = 3_000;
const PLANNED_AIM_MS = 2_000;

/** What was measured of one contender, by what happened. */
type Results = ReadonlyMap<Contender, ReadonlyMap<Happening, readonly Sample[]>>;

async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results = new Map<Contender, Map<Happening, Sample[]>>();
  for (const contender of CONTENDERS) {
    say(`${contender.name}: bringing its database up`);
    const own = new Map<Happening, Sample[]>();
    results.set(contender, own);
    await withSandbox(contender.settings, async (sandbox) => {
      for (const what of contender.happenings) {
        const samples: Sample[] = [];
        own.set(what, samples);
        while (samples.length < repeats && !stop.aborted) {
          samples.push(await happen(sandbox, what, contender.switchover));
          say(
            `${contender.name}, ${what}, ${samples.length} of ${repeats}: ${JSON.stringify(samples.at(-1))}`,
          );
        }
      }
    });
  }
  return reportOf(results);
}

function reportOf(results: Results): BenchReport {
  const samplesOf = (contender: Contender, what: Happening) => results.get(contender)!.get(what)!;
  const gap = (contender: Contender, what: Happening) => gapOf(samplesOf(contender, what));
  const rows = [...results].flatMap(([contender, own]) =>
    [...own].map(([what, samples]) => rowOf(`${contender.name}: ${what}`, samples, gap(SWITCHOVER, what))),
  );
  const killed = gap(SWITCHOVER, 'killed');
  const planned = gap(SWITCHOVER, 'planned');
  const times = gap(PATRONI, 'killed').p50 / killed.p50;
  const own = SWITCHOVER.happenings.flatMap((what) => samplesOf(SWITCHOVER, what));
  const asynchronous = samplesOf(ASYNCHRONOUS, 'killed');
  const lost = sum(own, ({ lost: rowsLost }) => rowsLost);
  const objectives: Objective[] = [
    { what: `killed: writes again within ${AIM_MS} ms, p50: ${killed.p50}`, met: killed.p50 < AIM_MS },
    { what: `killed: ten times as soon as Patroni at its defaults: ${times.toFixed(1)}×`, met: times >= 10 },
    {
      what: `planned: no write for less than ${PLANNED_AIM_MS} ms, p50: ${planned.p50}`,
      met: planned.p50 < PLANNED_AIM_MS,
    },
    {
      what: `no acknowledged row lost of ${sum(own, ({ acknowledged }) => acknowledged)}: ${lost}`,
      met: lost === 0,
    },
    {
      what: `asynchronous: each run reports all that is lost: ${asynchronous.map((one) => `${one.run?.rowsLost} of ${one.lost}`).join(', ')}`,
      met: asynchronous.every((one) => (one.run?.rowsLost ?? -1) >= one.lost),
    },
    {
      what: `every run ended well: ${[...new Set([...own, ...asynchronous].map(({ run }) => run?.state))].join(', ')}`,
      met: [...own, ...asynchronous].every(
        ({ run }) => run?.state === 'recovered' || run?.state === 'succeeded',
      ),
    },
  ];
  return {
    title:
      'The primary of a database stops under its writers: how long nobody’s write is acknowledged, p50 / p95',
    load: { 'inserts/s': RATE, writers: WRITERS, members: 3 },
    rows,
    objectives,
    notes: [
      'killed, hung: SIGKILL, SIGSTOP to Patroni and every process of PostgreSQL, at once. Nobody reports it: the monitor finds it.',
      'planned: database-switchover beside a bare POST /switchover. Synchronous but where it says otherwise.',
      'unknown: in flight when the primary stopped; their writers were not told whether they are there. A run counts those as lost that are not.',
    ],
  };
}

function rowOf(name: string, samples: readonly Sample[], ours: Summary): Row {
  const gap = gapOf(samples);
  return {
    name,
    cells: {
      'no write for, ms': gap,
      'against Switchover': ratio(gap.p50, ours.p50),
      acknowledged: sum(samples, ({ acknowledged }) => acknowledged),
      lost: sum(samples, ({ lost }) => lost),
      unknown: sum(samples, ({ unknown }) => unknown),
      times: samples.length,
    },
  };
}

function gapOf(samples: readonly Sample[]): Summary {
  return summarize(samples.map(({ gapMs }) => gapMs));
}

function sum(samples: readonly Sample[], of: (sample: Sample) => number): number {
  return samples.reduce((total, one) => total + of(one), 0);
}

void benchmark({
  name: 'database-failover',
  what: 'From a primary of the database that stops to the next acknowledged write, beside Patroni alone.',
  repeats: 10,
  measure,
});
