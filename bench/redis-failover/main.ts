import { healPart, type Sandbox } from '../../sandbox';
import { startSessionsWriter, type WriteReport } from '../../sandbox/load/writes';
import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport, Row } from '../lib/report';
import { say, withSandbox } from '../lib/sandbox';
import { ratio, summarize, type Summary } from '../lib/summary';
import { until } from '../lib/until';
import { KILLED, PLANNED, PRIMARY, type Contender } from './contenders';

/** The primary changed once. */
interface Sample {
  /** The longest time without an acknowledged write, all writers together, ms. */
  gapMs: number;
  acknowledged: number;
  lost: number;
  /** In flight when the primary went, or not copied in time: nobody was told whether they are there. */
  unknown: number;
  /** How Switchover's run ended. */
  state?: string;
}

const RATE = 1_000;
const WRITERS = 20;
/** Writes go on for so long before the change, and after the first that is acknowledged again, ms. */
const BEFORE_MS = 2_000;
const AFTER_MS = 2_000;
const AIM_MS = 2_000;

async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results = new Map<Contender, Sample[]>();
  for (const contender of [...KILLED, ...PLANNED]) {
    say(`${contender.name}: bringing its session store up`);
    await withSandbox(contender.settings, async (sandbox) => {
      const samples: Sample[] = [];
      results.set(contender, samples);
      while (samples.length < repeats && !stop.aborted) {
        await healPart({ dir: sandbox.dir }, PRIMARY, true);
        const sample = await changed(sandbox, contender);
        samples.push(sample);
        say(`${contender.name}, ${samples.length} of ${repeats}: ${JSON.stringify(sample)}`);
      }
    });
  }
  return reportOf(results);
}

/** Changes the primary under its writers, and waits until writes are acknowledged again and the run is over. */
async function changed(sandbox: Sandbox, { act, outcome }: Contender): Promise<Sample> {
  const writer = startSessionsWriter({
    url: sandbox.sessionsUrl,
    connections: WRITERS,
    rate: RATE,
    timeoutMs: 1_000,
  });
  let report: WriteReport | undefined;
  try {
    await pause(BEFORE_MS);
    const began = new Date();
    await act(sandbox);
    const changedAt = Date.now();
    const state = outcome && (await outcome(sandbox, began));
    await until('writes are acknowledged again', async () => writer.firstAcknowledgedAfter(changedAt + 100));
    await pause(AFTER_MS);
    report = await writer.stop();
    const { longestGapMs: gapMs, acknowledged, unknown } = report;
    const { lost } = await writer.compare();
    return { gapMs, acknowledged, lost: lost.length, unknown, ...(state ? { state } : {}) };
  } finally {
    if (!report) await writer.stop();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function reportOf(results: ReadonlyMap<Contender, Sample[]>): BenchReport {
  const gapOf = (contender: Contender): Summary =>
    summarize(results.get(contender)!.map(({ gapMs }) => gapMs));
  const rows = (kind: string, contenders: readonly Contender[]): Row[] =>
    contenders.map((contender) => {
      const samples = results.get(contender)!;
      const gap = gapOf(contender);
      return {
        name: `${kind}: ${contender.name}`,
        cells: {
          'no write acknowledged for, ms': gap,
          'against Switchover': ratio(gap.p50, gapOf(contenders[0]!).p50),
          acknowledged: sum(samples, 'acknowledged'),
          lost: sum(samples, 'lost'),
          unknown: sum(samples, 'unknown'),
          times: samples.length,
        },
      };
    });
  const [ours, , defaults] = KILLED.map(gapOf) as [Summary, Summary, Summary];
  const own = [KILLED[0]!, PLANNED[0]!].flatMap((contender) => results.get(contender)!);
  const lost = sum(own, 'lost');
  return {
    title:
      'The primary of the session store is killed, or hands over, under its writers: how long nobody’s write is acknowledged, p50 / p95',
    load: { 'writes/s': RATE, writers: WRITERS, members: 3, Sentinels: 3 },
    rows: [...rows('killed', KILLED), ...rows('planned', PLANNED)],
    objectives: [
      {
        what: `killed: writes again within ${AIM_MS} ms, p50: ${Math.round(ours.p50)}`,
        met: ours.p50 < AIM_MS,
      },
      {
        what: `killed: ten times as soon as Sentinel at its default: ${(defaults.p50 / ours.p50).toFixed(1)} ×`,
        met: defaults.p50 >= 10 * ours.p50,
      },
      { what: `no acknowledged write lost: ${lost}`, met: lost === 0 },
      {
        what: `every run recovered or succeeded: ${own.map(({ state }) => state).join(', ')}`,
        met: own.every(({ state }) => state === 'recovered' || state === 'succeeded'),
      },
    ],
    notes: [
      'A write is acknowledged once a replica has it (WAIT 1). kill: SIGKILL to Redis; nobody reports it, the monitor finds it.',
      'unknown: in flight when the primary went, or not copied in time; their writers were not told, and they count as neither.',
    ],
  };
}

function sum(samples: readonly Sample[], key: 'acknowledged' | 'lost' | 'unknown'): number {
  return samples.reduce((total, one) => total + one[key], 0);
}

void benchmark({
  name: 'redis-failover',
  what: 'From a killed primary of the session store, or one that hands over, to the next acknowledged write, beside Sentinel alone.',
  repeats: 10,
  measure,
});
