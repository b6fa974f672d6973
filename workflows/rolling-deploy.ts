import { PROVING } from '../core/deploy';
import {
  behindIn,
  bringIn,
  install,
  lookAtReleases,
  nextBatch,
  switchIdle,
  watchOver,
  type Manner,
} from './deploy';
import { runbook } from './engine/runbook';
import type { Run } from './engine/run';
import { long, quick } from './proxies';

/** What both take. */
interface Pace {
  region?: string;
  batch?: number;
  interval?: string;
  watch?: string;
  healthTimeout?: string;
  retries?: number;
}

/** Where nothing is said (REQUIREMENTS D1). */
const BATCH = 10;
const INTERVAL = '30s';
const ROLLBACK_BATCH = 5;
/** Longer than a release that does not hold mostly takes to show it. */
const WATCH = '1m';

/**
 * A release comes to every node of a region, or of all, a batch at a time (REQUIREMENTS D1, D2).
 *
 * What holds between any two steps:
 * - those that serve are more than the minimum share and bear the measured peak, with one to spare, asked again before each batch;
 * - a node is cut off only after what it was asked is done, or has had its time, and its sessions have an owner that serves;
 * - it gets traffic only after it has told, in its health and in a real MCP session, that it runs the release;
 * - what each node ran before is noted before it is touched, and is put back on all of them, in smaller batches, as soon as one
 *   does not come up, or the release does worse than the one before it while it is watched;
 * - which node is next is decided by what the nodes tell at that moment, not by what was planned.
 */
export const rollingDeploy = runbook<Pace & { version: string; rollbackBatch?: number; canary?: boolean }>(
  'rolling-deploy',
  (run, { version, rollbackBatch = ROLLBACK_BATCH, canary = false, ...pace }) =>
    deploy(run, { version, rollbackBatch, first: canary ? 1 : undefined, pace }),
);

/**
 * Back to the release that stood before, or to one that is named: the same procedure, in the smaller batches of a rollback
 * (REQUIREMENTS D4). It is undone as that is, so that a rollback that fails leaves one release everywhere too.
 */
export const rollback = runbook<Pace & { to?: string }>('rollback', async (run, { to, ...pace }) => {
  const regions = await run.look('Look at the regions', () => quick.lookAtRegions({ region: pace.region }));
  const version =
    to ?? (await run.look('Look at what stood before', () => long.lookAtReleaseBefore({ regions })));
  const { batch = ROLLBACK_BATCH } = pace;
  return deploy(run, { version, rollbackBatch: batch, first: undefined, pace: { ...pace, batch } });
});

interface Deploy {
  version: string;
  rollbackBatch: number;
  /** The size of the first batch, where it is to be another. */
  first: number | undefined;
  pace: Pace;
}

async function deploy(run: Run, { version, rollbackBatch, first, pace }: Deploy): Promise<string> {
  const { batch = BATCH, interval = INTERVAL, watch = WATCH } = pace;
  const { healthTimeout: within = PROVING.within, retries = PROVING.retries } = pace;
  const manner: Manner = { version, batch, rollbackBatch, proving: { within, retries } };
  const regions = await run.look('Look at the regions', () => quick.lookAtRegions({ region: pace.region }));
  const fresh: Record<string, string[]> = {};
  for (const [i, region] of regions.entries())
    fresh[region] = await rollOut(run, region, manner, interval, i === 0 ? first : undefined);
  for (const [region, nodes] of Object.entries(fresh))
    if (nodes.length > 0) await watchOver(run, region, nodes, { version, period: watch });
  const count = Object.values(fresh).flat().length;
  if (count === 0) return `every node of ${regions.join(', ')} runs ${version} already`;
  return `${version} runs on every node of ${regions.join(', ')}: ${count} nodes were given it`;
}

/**
 * One region, batch by batch, until no node that gets traffic is behind.
 * @param interval how long the release is watched between two batches
 * @param first the size of the first batch, where it is to be another
 * @returns the nodes that were given the release
 */
async function rollOut(
  run: Run,
  region: string,
  manner: Manner,
  interval: string,
  first: number | undefined,
): Promise<string[]> {
  const { version, batch } = manner;
  run.afterPause('Look at the releases again', () => long.lookAtSpread({ region }));
  const done: string[] = [];
  for (let size = first ?? batch; ; size = batch) {
    const seen = await lookAtReleases(run, region, version);
    // A plan has given nobody anything.
    const behind = behindIn(seen, version).filter(({ node }) => run.mode !== 'plan' || !done.includes(node));
    if (behind.length === 0) {
      await switchIdle(run, region, seen, version);
      return done;
    }
    const nodes = await nextBatch(run, region, behind, size);
    const next = behind.filter(({ node }) => nodes.includes(node));
    await run.inHand(nodes, async () => {
      await install(run, region, next, manner);
      await bringIn(run, region, nodes);
    });
    done.push(...nodes);
    if (behind.length > nodes.length) await watchOver(run, region, [...done], { version, period: interval });
  }
}
