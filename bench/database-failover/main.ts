import { connect, Operations, catalogue } from '../../operations';
import { isOver, type RunReport } from '../../core/run';
import { breakPart, healPart, type Sandbox, type Settings, type Target } from '../../sandbox';
import { startWriter, type WriteReport } from '../../sandbox/load/writes';
import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport, Row } from '../lib/report';
import { say, withSandbox } from '../lib/sandbox';
import { ratio, summarize, type Summary } from '../lib/summary';
import { until } from '../lib/until';

/** Somebody who makes the database take writes again after its primary was killed. */
interface Contender {
  name: string;
  settings: Partial<Settings>;
  /** Whether Switchover is at work beside Patroni. */
  switchover: boolean;
}

/** The primary killed once. */
interface Sample {
  /** The longest time without an acknowledged write, all writers together, ms. */
  gapMs: number;
  acknowledged: number;
  lost: number;
  /** In flight when the primary died: nobody was told whether they are there. */
  unknown: number;
  /** How Switchover's run ended. */
  state?: string;
}

const RATE = 1_000;
const WRITERS = 20;
/** Writes go on for so long before the fault, and after the first that is acknowledged again, ms. */
const BEFORE_MS = 2_000;
const AFTER_MS = 1_000;
const AIM_MS = 3_000;
const PRIMARY: Target = { kind: 'database', part: 'primary' };
/** The same for all: three members, one of them synchronous, and a small fleet beside them. */
const FLEET = { nodesPerZone: 1, sparesPerZone: 0, server: false, monitoring: false, database: true };

const DEFAULTS = '30/10/10';
const CONTENDERS: readonly Contender[] = [
  {
    name: `Switchover, Patroni at ${DEFAULTS}`,
    settings: { ...FLEET, workers: 1, patroni: DEFAULTS },
    switchover: true,
  },
  {
    name: `Patroni alone, ${DEFAULTS} (its defaults)`,
    settings: { ...FLEET, workers: 0, patroni: DEFAULTS },
    switchover: false,
  },
  {
    name: 'Patroni alone, 5/1/2 (the tightest that is safe)',
    settings: { ...FLEET, workers: 0, patroni: '5/1/2' },
    switchover: false,
  },
];

async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results = new Map<Contender, Sample[]>();
  for (const contender of CONTENDERS) {
    say(`${contender.name}: bringing its database up`);
    await withSandbox(contender.settings, async (sandbox) => {
      const samples: Sample[] = [];
      results.set(contender, samples);
      while (samples.length < repeats && !stop.aborted) {
        await healPart({ dir: sandbox.dir }, PRIMARY, true);
        const sample = await killed(sandbox, contender.switchover);
        samples.push(sample);
        say(`${contender.name}, ${samples.length} of ${repeats}: ${JSON.stringify(sample)}`);
      }
    });
  }
  return reportOf(results);
}

/** Kills the primary under its writers, and waits until writes are acknowledged again and the run is over. */
async function killed(sandbox: Sandbox, switchover: boolean): Promise<Sample> {
  const writer = await startWriter({
    url: sandbox.databaseUrl,
    connections: WRITERS,
    rate: RATE,
    timeoutMs: 1_000,
  });
  let report: WriteReport | undefined;
  try {
    await pause(BEFORE_MS);
    const began = new Date();
    await breakPart({ dir: sandbox.dir }, PRIMARY, 'kill');
    const brokenAt = Date.now();
    await until('writes are acknowledged again', async () => writer.firstAcknowledgedAfter(brokenAt + 100));
    await pause(AFTER_MS);
    const run = switchover ? await runSince(sandbox, began) : undefined;
    report = await writer.stop();
    const { longestGapMs, acknowledged, unknown } = report;
    const { lost } = await writer.compare();
    return {
      gapMs: longestGapMs,
      acknowledged,
      lost: lost.length,
      unknown,
      ...(run ? { state: run.state } : {}),
    };
  } finally {
    if (!report) await writer.stop();
  }
}

async function runSince(sandbox: Sandbox, began: Date): Promise<RunReport> {
  const client = await connect(sandbox.temporalAddress);
  try {
    const operations = new Operations(client, 'sandbox', catalogue);
    return await until('the run is over', async () => {
      const [newest] = await operations.list({ limit: 1, runbook: 'database-failover' });
      if (!newest || Date.parse(newest.startedAt) < began.getTime()) return null;
      const report = await operations.show(newest.run);
      return isOver(report.state) && report;
    });
  } finally {
    await client.connection.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function reportOf(results: ReadonlyMap<Contender, Sample[]>): BenchReport {
  const gapOf = (contender: Contender): Summary =>
    summarize(results.get(contender)!.map(({ gapMs }) => gapMs));
  const [ours, defaults] = CONTENDERS.map(gapOf) as [Summary, Summary, Summary];
  const row = ([contender, samples]: [Contender, Sample[]]): Row => {
    const sum = (key: 'acknowledged' | 'lost' | 'unknown') =>
      samples.reduce((total, one) => total + one[key], 0);
    const gap = gapOf(contender);
    return {
      name: contender.name,
      cells: {
        'no write acknowledged for, ms': gap,
        'against Switchover': ratio(gap.p50, ours.p50),
        acknowledged: sum('acknowledged'),
        lost: sum('lost'),
        unknown: sum('unknown'),
        failovers: samples.length,
      },
    };
  };
  const own = results.get(CONTENDERS[0]!)!;
  const lost = own.reduce((total, one) => total + one.lost, 0);
  return {
    title:
      'The primary of a database is killed under its writers: how long nobody’s write is acknowledged, p50 / p95',
    load: { 'inserts/s': RATE, writers: WRITERS, members: 3, synchronous: 1 },
    rows: [...results].map(row),
    objectives: [
      { what: `writes again within ${AIM_MS} ms, p50: ${Math.round(ours.p50)}`, met: ours.p50 < AIM_MS },
      {
        what: `ten times as soon as Patroni at its defaults: ${(defaults.p50 / ours.p50).toFixed(1)} ×`,
        met: defaults.p50 >= 10 * ours.p50,
      },
      { what: `no acknowledged row lost: ${lost}`, met: lost === 0 },
      {
        what: `every run recovered: ${own.map(({ state }) => state).join(', ')}`,
        met: own.every(({ state }) => state === 'recovered'),
      },
    ],
    notes: [
      'kill: SIGKILL to Patroni and every process of PostgreSQL, at once. Nobody reports it: the monitor finds it.',
      'unknown: in flight when the primary died; their writers were not told whether they are there, and they count as neither.',
    ],
  };
}

void benchmark({
  name: 'database-failover',
  what: 'From a killed primary of the database to the next acknowledged write, beside Patroni alone.',
  repeats: 10,
  measure,
});
