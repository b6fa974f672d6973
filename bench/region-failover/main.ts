import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport, Objective, Row } from '../lib/report';
import { withSandbox } from '../lib/sandbox';
import { summarize, type Summary } from '../lib/summary';
import { inTurns } from '../lib/turns';
import { CONTENDERS, SWITCHOVER, type Contender } from './contenders';
import { CALLS_PER_S, CLIENTS, WRITES_PER_S, loseRegion, type Sample } from './trial';

/** REQUIREMENTS F3, and issue 6 for the first call and write. */
const CALL_MS = 60_000;
const OVER_MS = 300_000;

async function measure(options: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results = await inTurns(CONTENDERS, options, stop, ({ settings, switchover }: Contender) =>
    withSandbox(settings, (sandbox) => loseRegion(sandbox, switchover)),
  );
  return {
    title:
      'A region is lost whole, with the primary of the database. Times in ms from the fault, p50 / p95; DNS TTL 30 s, health checks 10 s × 3',
    load: { 'MCP clients by name': CLIENTS, 'calls/s': CLIENTS * CALLS_PER_S, 'inserts/s': WRITES_PER_S },
    rows: [...results].map(([{ name }, samples]) => rowOf(name, samples)),
    objectives: objectivesOf(results.get(SWITCHOVER)!),
    notes: [
      'first led, all led: clients of the region answered elsewhere. Each keeps its address for up to 30 s, whoever changes what.',
      'the parts alone: health checks of DNS, Patroni at 5/1/2, Sentinel; nobody hands sessions over or proves anything.',
    ],
  };
}

function rowOf(name: string, samples: readonly Sample[]): Row {
  return {
    name,
    cells: {
      'first led': summaryOf(samples, 'firstLedMs'),
      'all led': summaryOf(samples, 'lastLedMs'),
      'no write': summaryOf(samples, 'writeGapMs'),
      'run over': summaryOf(samples, 'overMs'),
      calls: sum(samples, 'calls'),
      failed: sum(samples, 'failed'),
      'sessions lost': sum(samples, 'sessionsLost'),
      'rows lost': sum(samples, 'rowsLost'),
    },
  };
}

function objectivesOf(samples: readonly Sample[]): Objective[] {
  const [led, gap, over] = (['firstLedMs', 'writeGapMs', 'overMs'] as const).map((key) =>
    summaryOf(samples, key),
  );
  const lost = sum(samples, 'rowsLost') + sum(samples, 'sessionsLost');
  return [
    { what: `first call outside within ${CALL_MS} ms, p95: ${led?.p95}`, met: within(led, CALL_MS) },
    { what: `first write within ${CALL_MS} ms, p95: ${gap?.p95}`, met: within(gap, CALL_MS) },
    { what: `the whole run within ${OVER_MS} ms, p95: ${over?.p95}`, met: within(over, OVER_MS) },
    { what: `no acknowledged row and no session lost: ${lost}`, met: lost === 0 },
    {
      what: `every run recovered: ${samples.map(({ state }) => state).join(', ')}`,
      met: samples.every(({ state }) => state === 'recovered'),
    },
  ];
}

const within = (measured: Summary | null | undefined, limit: number): boolean =>
  measured !== null && measured !== undefined && measured.p95 < limit;

/** Of the samples that came to it; null where none did. */
function summaryOf(
  samples: readonly Sample[],
  key: 'firstLedMs' | 'lastLedMs' | 'writeGapMs' | 'overMs',
): Summary | null {
  const values = samples.map((sample) => sample[key]).filter((value) => value !== null);
  return values.length === 0 ? null : summarize(values);
}

function sum(samples: readonly Sample[], key: 'failed' | 'calls' | 'sessionsLost' | 'rowsLost'): number {
  return samples.reduce((total, sample) => total + sample[key], 0);
}

void benchmark({
  name: 'region-failover',
  what: 'From a region that is lost to clients served elsewhere, beside the parts alone.',
  repeats: 3,
  measure,
});
