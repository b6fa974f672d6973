import { ZONE_PROMISED } from '../../sandbox/scenario';
import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport, Objective, Row } from '../lib/report';
import { say, withSandbox } from '../lib/sandbox';
import { summarize, type Summary } from '../lib/summary';
import { CONTENDERS, SWITCHOVER, ZONE, type Contender } from './contenders';
import { attempt, type Sample } from './trial';
import { BUSY } from '../lib/load';

type Results = Map<Contender, Sample[]>;

async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results: Results = new Map();
  for (const contender of CONTENDERS) {
    say(`${contender.name}: bringing its fleet up`);
    await withSandbox(contender.settings, async (sandbox) => {
      results.set(contender, await attempt({ sandbox, contender, repeats, stop }));
    });
  }
  return reportOf(results);
}

function reportOf(results: Results): BenchReport {
  const { clients, ratePerClient, region } = BUSY;
  const broken = Math.round(ZONE.nodes * ZONE.share);
  return {
    title: `${broken} of ${ZONE.nodes} nodes of a zone are killed at once under live MCP clients. Times in ms from the fault, p50 / p95`,
    load: { 'MCP clients': clients, 'calls/s': clients * ratePerClient, nodes: ZONE.nodes * 9, region },
    rows: [...results].map(([{ name }, samples]) => rowOf(name, samples)),
    objectives: objectivesOf(results.get(SWITCHOVER)!),
    notes: [
      'HAProxy alone takes out the nodes that are dead and starts none again; the zone as a whole it does not leave.',
      'back: the whole zone with its full weight, the hold after its restoration not counted.',
    ],
  };
}

function rowOf(name: string, samples: readonly Sample[]): Row {
  return {
    name,
    cells: {
      'broken out': summaryOf(samples, 'brokenOutMs'),
      'run begun': summaryOf(samples, 'begunMs'),
      'zone out': summaryOf(samples, 'zoneOutMs'),
      proven: summaryOf(samples, 'provenMs'),
      back: summaryOf(samples, 'backMs'),
      calls: sum(samples, 'calls'),
      failed: sum(samples, 'failed'),
      'longest wait': summaryOf(samples, 'gapMs'),
      'sessions lost': sum(samples, 'sessionsLost'),
    },
  };
}

function objectivesOf(samples: readonly Sample[]): Objective[] {
  const { outMs, backMs } = ZONE_PROMISED;
  const out = summaryOf(samples, 'zoneOutMs');
  const back = summaryOf(samples, 'backMs');
  const lost = sum(samples, 'sessionsLost');
  return [
    { what: `traffic out of the zone in less than ${outMs} ms, p95: ${out?.p95}`, met: met(out, outMs) },
    { what: `healed and ramped in less than ${backMs} ms, p95: ${back?.p95}`, met: met(back, backMs) },
    { what: `every time: ${back?.n ?? 0} of ${samples.length}`, met: back?.n === samples.length },
    { what: `no session lost: ${lost}`, met: lost === 0 },
    {
      what: `one run a fault, none beside it: ${samples.map(({ runs, absorbed, others }) => `${runs} (absorbed ${absorbed}, beside ${others})`).join(', ')}`,
      met: samples.every(({ runs, others }) => runs === 1 && others === 0),
    },
  ];
}

const met = (measured: Summary | null, limit: number): boolean => measured !== null && measured.p95 < limit;

/** Of the samples that came to it; null where none did. */
function summaryOf(
  samples: readonly Sample[],
  key: 'brokenOutMs' | 'begunMs' | 'zoneOutMs' | 'provenMs' | 'backMs' | 'gapMs',
): Summary | null {
  const values = samples.map((sample) => sample[key]).filter((value) => value !== null);
  return values.length === 0 ? null : summarize(values);
}

function sum(samples: readonly Sample[], key: 'failed' | 'calls' | 'sessionsLost'): number {
  return samples.reduce((total, sample) => total + sample[key], 0);
}

void benchmark({
  name: 'zone-failover',
  what: 'From a zone that fails to a zone that serves, beside HAProxy alone.',
  repeats: 3,
  measure,
});
