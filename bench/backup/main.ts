import { median } from 'simple-statistics';
import type { RunReport } from '../../core/run';
import type { Sandbox } from '../../sandbox';
import { benchmark, type BenchOptions } from '../lib/benchmark';
import { fillMemory } from '../lib/memory';
import type { BenchReport, Row } from '../lib/report';
import { withOperations } from '../lib/runs';
import { say, withSandbox } from '../lib/sandbox';
import { summarize } from '../lib/summary';
import { backUp, change, fill, restore } from './by-hand';

/** Of pgbench: some 15 MB each. A run adds a constant, so that a database that is backed up in seconds would measure only that. */
const SCALE = 300;
/** Transactions before each backup: an incremental one without a change copies nothing. */
const TRANSACTIONS = 1_000;
/** A runbook may take so many times what its commands take by hand. */
const AIM = 1.1;
/** How long a run may take, ms. */
const RUN_MS = 900_000;
const RESTORING = 'Restore a copy beside the database';

/** What is measured, both ways. */
interface Contest {
  name: string;
  byHand: (sandbox: Sandbox) => Promise<number>;
  runbook: string;
  /** Of the run. */
  ms: (report: RunReport) => number;
}

const CONTESTS: readonly Contest[] = [
  { name: 'full backup', byHand: (sandbox) => backUp(sandbox, 'full'), runbook: 'backup-full', ms: wholeOf },
  {
    name: 'incremental backup',
    byHand: (sandbox) => backUp(sandbox, 'incr'),
    runbook: 'backup-incremental',
    ms: wholeOf,
  },
  { name: 'restore', byHand: restore, runbook: 'backup-verify', ms: restoringOf },
];

type Samples = Record<'byHand' | 'ours', number[]>;

async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results = new Map<Contest, Samples>(CONTESTS.map((one) => [one, { byHand: [], ours: [] }]));
  const settings = { nodesPerZone: 1, sparesPerZone: 0, server: false, monitoring: false, workers: 1 };
  await withSandbox({ ...settings, database: true, backups: true }, async (sandbox) => {
    say(`filling the database at scale ${SCALE}`);
    await fill(sandbox, SCALE);
    for (let round = 1; round <= repeats && !stop.aborted; round += 1) {
      for (const contest of CONTESTS) {
        const samples = results.get(contest)!;
        const ways = {
          byHand: () => contest.byHand(sandbox),
          ours: async () => contest.ms(await carryOut(sandbox, contest.runbook)),
        };
        // Who comes second finds more in memory: each does now and then.
        for (const way of round % 2 === 1 ? (['byHand', 'ours'] as const) : (['ours', 'byHand'] as const)) {
          await change(sandbox, TRANSACTIONS);
          await fillMemory(sandbox.dir);
          samples[way].push(await ways[way]());
        }
        const [hand, ours] = [samples.byHand.at(-1)!, samples.ours.at(-1)!].map(Math.round);
        say(`${contest.name}, ${round} of ${repeats}: ${hand} ms by hand, ${ours} ms by ${contest.runbook}`);
      }
    }
  });
  return reportOf(results);
}

async function carryOut(sandbox: Sandbox, runbook: string): Promise<RunReport> {
  return withOperations(sandbox, async (operations) => {
    for (;;) {
      const { run, joined } = await operations.start({
        runbook,
        input: {},
        mode: 'execute',
        by: 'benchmark',
      });
      const report = await operations.wait(run, RUN_MS);
      if (joined) continue; // the one before had not given its scope back
      if (report.state === 'succeeded') return report;
      throw new Error(`${run} is ${report.state}: ${report.sentence}`);
    }
  });
}

function wholeOf({ startedAt, endedAt }: RunReport): number {
  return Date.parse(endedAt!) - Date.parse(startedAt);
}

function restoringOf({ steps }: RunReport): number {
  const { startedAt, endedAt } = steps.find(({ title }) => title === RESTORING)!;
  return Date.parse(endedAt!) - Date.parse(startedAt);
}

function reportOf(results: ReadonlyMap<Contest, Samples>): BenchReport {
  const seen = [...results].map(([{ name, runbook }, samples]) => {
    const [byHand, ours] = [summarize(samples.byHand), summarize(samples.ours)];
    const times = median(samples.ours.map((ms, i) => ms / samples.byHand[i]!));
    return { name, runbook, byHand, ours, times };
  });
  const rows = seen.map(({ name, runbook, byHand, ours, times }): Row => ({
    name,
    cells: {
      'by hand, ms': byHand,
      'by the runbook, ms': ours,
      'against the one beside it': `${times.toFixed(2)}×`,
      runbook,
      pairs: ours.n,
    },
  }));
  return {
    title:
      'Backups into both repositories, and a restore: a runbook beside the bare commands of pgBackRest, p50 / p95',
    load: { 'database, MB': 15 * SCALE, repositories: 2 },
    rows,
    objectives: seen.map(({ name, times }) => ({
      what: `${name}: at most ${AIM} times what it takes by hand right before or after it, p50: ${times.toFixed(2)}`,
      met: times <= AIM,
    })),
    notes: [
      'Taken turn by turn in one sandbox, each against the one right before or after it. Of a backup the whole run counts: looks, the row that is left, both repositories.',
      'Before each the memory is filled with what was read once, as on a machine that has been up for a while.',
      'Of the restore its step alone: the run reads both repositories before, and the copy after it.',
    ],
  };
}

void benchmark({
  name: 'backup',
  what: 'Full and incremental backups and a restore, beside the bare commands of pgBackRest.',
  repeats: 4,
  measure,
});
