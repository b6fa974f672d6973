import type { Operations } from '../../operations';
import { breakPart, type Sandbox } from '../../sandbox';
import { isOver } from '../../core/run';
import { until } from '../lib/until';
import { storm, type StormAlert } from './storm';

/** What the safety lever did in the middle of faults. */
export interface LeverResult {
  /** Automatic runs at work when it was engaged. */
  runs: number;
  /** From engaging it until every one of them was paused, or over by then; ms. */
  pausedMs: number;
  /** Runs that were started while it was engaged. */
  startedMeanwhile: number;
  /** How the runs ended after it was released. */
  ends: string[];
}

/** Kills these nodes, pulls the lever as soon as runs are at work, sends `alerts` meanwhile, and lets go again. */
export async function pullLever(
  sandbox: Sandbox,
  operations: Operations,
  nodes: readonly string[],
  alerts: readonly StormAlert[],
): Promise<LeverResult> {
  await Promise.all(nodes.map((node) => breakPart({ dir: sandbox.dir }, { kind: 'node', node }, 'kill')));
  const runs = await until('runs are at work', async () => {
    const { locks } = await operations.coordination();
    const found = nodes.flatMap((node) => locks[`node/${node}`]?.run ?? []);
    return found.length >= Math.ceil(nodes.length / 2) && found;
  });
  const before = performance.now();
  await operations.moveLever({ engaged: true, by: 'bench', reason: 'measured' });
  const states = async () => Promise.all(runs.map(async (run) => (await operations.show(run)).state));
  await until('all are paused', async () =>
    (await states()).every((state) => state === 'paused' || isOver(state)),
  );
  const pausedMs = performance.now() - before;
  await storm(alerts, 20, sandbox);
  const { lever } = await operations.coordination();
  const since = Date.parse(lever!.since);
  // By the time it was started: a run of just before may be listed late.
  const startedMeanwhile = (await operations.list({ limit: 1_000 })).filter(
    ({ startedAt }) => Date.parse(startedAt) > since,
  );
  await operations.moveLever({ engaged: false, by: 'bench', reason: 'measured' });
  const ends = await Promise.all(runs.map(async (run) => (await operations.wait(run, 60_000)).state));
  return { runs: runs.length, pausedMs, startedMeanwhile: startedMeanwhile.length, ends };
}
