import { ApplicationFailure, TimeoutFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities';
import type { StorePrimary } from '../activities/region/data';
import type { World } from '../activities/region/world';
import type { Weights } from '../core/dns';
import { judgeRegion, type NoView, type RegionVerdict, type RegionView } from '../core/region';
import type { Finding, Refusal } from '../core/run';
import { causeOf } from './engine/outcome';
import type { Run } from './engine/run';
import { regionQueue } from './messages';
import { long, work } from './proxies';

/** Looks at a region from all others at the same moment. From where nobody looks in time nothing is seen, and that is told. */
export async function seenFromOutside(region: string, world: World): Promise<Finding<RegionVerdict>> {
  const views = await Promise.all(world.others.map((from) => viewFrom(from, region)));
  const value = judgeRegion(region, views, world.degraded);
  return { sentence: value.doubt ? `${value.said}; ${value.doubt}` : value.said, value };
}

async function viewFrom(from: string, region: string): Promise<RegionView | NoView> {
  const there = proxyActivities<Activities>({
    taskQueue: regionQueue(from),
    scheduleToStartTimeout: '5s',
    startToCloseTimeout: '20s',
    heartbeatTimeout: '2s',
    retry: { maximumAttempts: 1 },
  });
  try {
    return (await there.viewRegion({ region })).value;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const silent = error instanceof Error && error.cause instanceof TimeoutFailure;
    return { from, why: silent ? 'no worker answers there' : causeOf(error).sentence };
  }
}

/** Ends the run as refused where a guard has something against it. */
export function requireAllowed(refusal: Refusal | null): void {
  if (refusal)
    throw ApplicationFailure.nonRetryable(`${refusal.guard}: ${refusal.sentence}`, 'GUARD_REFUSED');
}

/** Starts the nodes that those who receive need, before they receive. */
export async function prescale(run: Run, { share }: World): Promise<void> {
  for (const node of share.start)
    await run.nest({ title: `Add ${node}, for the peak`, runbook: 'add-node', input: { node } });
}

/** Moves the stores' primaries out of a region: by plan where they serve, else by fencing them. */
export async function moveData(run: Run, region: string): Promise<void> {
  const { database, cache } = await run.look('See where the data are', () =>
    work.lookAtRegionData({ region }),
  );
  await moveStore(run, 'database', database, ['database-failover', 'database-switchover']);
  await moveStore(run, 'session store', cache, ['redis-failover', 'redis-switchover']);
}

async function moveStore(
  run: Run,
  store: string,
  seen: StorePrimary | undefined,
  [failover, switchover]: readonly [string, string],
): Promise<void> {
  if (!seen || (seen.serves && !seen.inside)) return;
  const by = seen.serves
    ? { runbook: switchover, input: seen.to === undefined ? {} : { to: seen.to } }
    : { runbook: failover, input: {} };
  await run.nest({ title: `Move the ${store}`, ...by });
}

/**
 * Shifts traffic to these shares, and sees that every nameserver answers so.
 * @param back the region to which clients are led again
 * @returns when no earlier answer is used any more
 */
export async function shift(
  run: Run,
  title: string,
  weights: Weights,
  before: Weights,
  back?: string,
): Promise<string | undefined> {
  const shifted = await run.act({
    title,
    act: (how) => long.shiftTraffic({ weights, how }),
    undo: {
      title: 'Lead clients where they were led before',
      act: (how) => long.shiftTraffic({ weights: before, how }),
    },
  });
  run.mark('isolatedAt', shifted.at);
  const proof = await run.verify('Ask every nameserver', () => long.proveDns({ weights, back }));
  return proof?.freshAt;
}

/** Waits until nobody who keeps to the TTL is led as before. */
export async function passTtl(run: Run, weights: Weights, until: string | undefined): Promise<void> {
  await run.watch('Wait until no earlier answer is used', () =>
    long.awaitDns({ weights, until: until ?? new Date().toISOString() }),
  );
}

/** `eu-central-1 70, ap-southeast-1 30` */
export function inWords(weights: Weights): string {
  return Object.entries(weights)
    .map(([region, weight]) => `${region} ${weight}`)
    .join(', ');
}
