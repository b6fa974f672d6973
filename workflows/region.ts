import { TimeoutFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities';
import type { StorePrimary } from '../activities/region/data';
import type { World } from '../activities/region/world';
import type { Weights } from '../core/dns';
import { judgeRegion, type NoView, type RegionVerdict, type RegionView } from '../core/region';
import type { Finding } from '../core/run';
import { causeOf } from './engine/outcome';
import type { Run } from './engine/run';
import { regionQueue } from './messages';
import { long, work } from './proxies';
import { transfer } from './transfer';

/** Looks at a region from all others at the same moment. From where nobody looks in time nothing is seen, and that is told. */
export async function seenFromOutside(
  region: string,
  world: Pick<World, 'others' | 'degraded'>,
): Promise<Finding<RegionVerdict>> {
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

/** Starts the nodes that those who receive need, before they receive. */
export async function prescale(run: Run, { share }: Pick<World, 'share'>): Promise<void> {
  for (const node of share.start) {
    const undo = { title: `Take ${node} out again`, runbook: 'decommission-node', input: { node } };
    await run.nest({ title: `Add ${node}, for the peak`, runbook: 'add-node', input: { node }, undo });
  }
}

/** Moves the stores' primaries out of a region: by plan where they serve, which is led back from, else by fencing them. */
export async function moveData(run: Run, region: string): Promise<void> {
  const { database, cache } = await run.look('See where the data are', () =>
    work.lookAtRegionData({ region }),
  );
  await moveStore(run, 'database', database, ['database-failover', 'database-switchover']);
  await moveStore(run, 'session store', cache, ['redis-failover', 'redis-switchover']);
}

/** Has a region's members of the stores follow their primaries again. */
export async function bringStores(run: Run, region: string): Promise<void> {
  const { database, cache } = await run.look('See where the data are', () =>
    work.lookAtRegionData({ region }),
  );
  if (database)
    await run.nest({
      title: 'Bring its member of the database back',
      runbook: 'partition-response',
      input: {},
    });
  if (cache)
    await run.nest({
      title: 'Bring its member of the session store back',
      runbook: 'redis-failover',
      input: {},
    });
}

async function moveStore(
  run: Run,
  store: string,
  seen: StorePrimary | undefined,
  [failover, switchover]: readonly [string, string],
): Promise<void> {
  if (!seen || (seen.serves && !seen.inside)) return;
  const title = `Move the ${store}`;
  if (!seen.serves) return void (await run.nest({ title, runbook: failover, input: {} }));
  const { primary, to } = seen;
  await run.nest({
    title,
    runbook: switchover,
    input: to === undefined ? {} : { to },
    ...(primary && {
      undo: { title: `Give the ${store} back to ${primary}`, runbook: switchover, input: { to: primary } },
    }),
  });
}

/**
 * Gives the sessions of a region to those that serve by these weights.
 * @param how.forGood nothing goes back, because nobody serves there
 * @param how.arriving nodes that a plan would have brought into service by then
 */
export async function handOver(
  run: Run,
  region: string,
  weights: Record<string, number>,
  { forGood, arriving }: { forGood: boolean; arriving?: string[] | undefined },
): Promise<void> {
  const { transfers } = await run.look('See where its sessions belong', () =>
    work.lookAtRegionSessions({ region, weights, ...(arriving && { arriving }) }),
  );
  if (transfers.length > 0)
    await transfer(run, 'Hand its sessions to the others', transfers, {
      forGood,
      ...(arriving && { arriving }),
    });
}

/**
 * Shifts traffic to these shares, and sees that every nameserver answers so.
 * @param to.back the region to which clients are led again
 * @param to.arriving regions that a plan would have brought into service by then
 * @returns when no earlier answer is used any more
 */
export async function shift(
  run: Run,
  title: string,
  weights: Weights,
  before: Weights,
  { back, arriving }: { back?: string | undefined; arriving?: string[] | undefined } = {},
): Promise<string | undefined> {
  const shifted = await run.act({
    title,
    act: (how) => long.shiftTraffic({ weights, ...(arriving && { arriving }), how }),
    undo: {
      title: 'Lead clients where they were led before',
      act: (how) => long.shiftTraffic({ weights: before, how }),
    },
  });
  run.mark('isolatedAt', shifted.at);
  const proof = await run.verify('Ask every nameserver', () => long.proveDns({ weights, back }));
  return proof?.freshAt;
}

/** Waits until nobody who keeps to the TTL is led as before. @returns true once that is so */
export async function passTtl(run: Run, weights: Weights, until: string | undefined): Promise<true> {
  await run.watch('Wait until no earlier answer is used', () =>
    long.awaitDns({ weights, until: until ?? new Date().toISOString() }),
  );
  return true;
}

/** `eu-central-1 70, ap-southeast-1 30` */
export function inWords(weights: Weights): string {
  return Object.entries(weights)
    .map(([region, weight]) => `${region} ${weight}`)
    .join(', ');
}
