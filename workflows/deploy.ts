import type { NodeRelease } from '../activities/release/standing';
import type { Proving } from '../activities/release/verify';
import type { Intent } from '../core/run';
import type { Run } from './engine/run';
import { long, quick, work } from './proxies';
import { transfer } from './transfer';

/** How a release is brought to nodes; durations as `30s`. */
export interface Manner {
  version: string;
  /** Nodes at once, as far as their region can spare them. */
  batch: number;
  /** Nodes at once where it has to be rolled back. */
  rollbackBatch: number;
  proving: Proving;
}

/** For so long a node that does not serve may be waiting for its rescue. */
const PATIENCE = '30s';

/** What the nodes of a region run, and could run. Nobody is waited for before anything was done. */
export function lookAtReleases(run: Run, region: string, version: string): Promise<NodeRelease[]> {
  const patience = run.changed ? PATIENCE : '0s';
  return run.look(`Look at the releases of ${region}`, () =>
    long.lookAtReleases({ region, version, patience }),
  );
}

/** The next nodes of the region to get the release. */
export function nextBatch(
  run: Run,
  region: string,
  behind: readonly NodeRelease[],
  size: number,
): Promise<string[]> {
  const patience = run.changed ? PATIENCE : '0s';
  return run.look('Choose the next batch', () =>
    long.chooseBatch({ region, nodes: behind.map(({ node }) => node), size, patience }),
  );
}

/** Nodes that get traffic, and run or start with something else. */
export function behindIn(nodes: readonly NodeRelease[], version: string): NodeRelease[] {
  return nodes.filter(
    ({ state, runs, current }) => state === 'serves' && (runs !== version || current !== version),
  );
}

/**
 * Takes nodes out of service without failing a call, and gives them the release. They are healthy then, and get no traffic yet.
 * Undone, they run what they ran before, and have their sessions and their traffic.
 */
export async function install(
  run: Run,
  region: string,
  batch: readonly NodeRelease[],
  manner: Manner,
): Promise<void> {
  const { version, rollbackBatch, proving } = manner;
  const nodes = batch.map(({ node }) => node);
  await run.act({
    title: `Drain ${named(nodes)}`,
    act: (how) => long.drainBatch({ region, nodes, how }),
    undo: {
      title: `Give ${named(nodes)} their traffic back`,
      act: (how) => long.readmitBatch({ region, nodes, how }),
    },
  });
  const { transfers } = await run.look('Look at their sessions', () =>
    quick.lookAtBatchLeaving({ region, nodes }),
  );
  if (transfers.length > 0) await transfer(run, 'Hand their sessions to the others', transfers);
  await run.act({
    title: `Take ${named(nodes)} out of the load balancer`,
    act: (how) => long.isolateBatch({ region, nodes, how }),
  });
  const wanted = batch.map(({ node, runs, current }) => ({ node, release: runs ?? current }));
  await run.act({
    title: `Give ${named(nodes)} the release ${version}`,
    act: (how) => long.giveRelease({ region, nodes, release: version, proving, how }),
    undo: {
      title: `Put ${releasesOf(wanted)} back on ${named(nodes)}`,
      act: (how) => long.putBack({ region, wanted, atOnce: rollbackBatch, how }),
    },
  });
}

/** A little more traffic at a time, and their share of the clients and sessions that are there. Undoing {@link install} is the undo of it all. */
export async function bringIn(run: Run, region: string, nodes: readonly string[]): Promise<void> {
  const batch = [...nodes];
  for (const weight of run.briefing.ramp) {
    await run.act({
      title: `Ramp ${named(nodes)} to ${weight} %`,
      act: (how) => long.rampBatch({ region, nodes: batch, weight, how }),
    });
  }
  await run.act({
    title: `Lead their share of the clients to ${named(nodes)}`,
    act: (how) => work.giveClients({ region, nodes: batch, how }),
  });
  await giveShare(run, region, batch);
}

/** The sessions that belong to these nodes of a region, wherever they are. */
export async function giveShare(run: Run, region: string, nodes: readonly string[]): Promise<void> {
  const arriving = [...nodes];
  const { transfers } = await run.look('Look at their share of the sessions', () =>
    quick.lookAtShare({ region, nodes: arriving }),
  );
  if (transfers.length > 0)
    await transfer(run, 'Move their share of the sessions to them', transfers, { arriving, forGood: true });
}

/** Nodes that are out of service start with the release from now on, so that none comes back with another. */
export async function switchIdle(
  run: Run,
  region: string,
  nodes: readonly NodeRelease[],
  version: string,
): Promise<void> {
  const idle = nodes.filter(({ state, current }) => state === 'idle' && current !== version);
  if (idle.length === 0) return;
  const to = (release?: string) => (how: Intent) =>
    long.switchIdle({
      region,
      wanted: idle.map(({ node, current }) => ({ node, release: release ?? current })),
      how,
    });
  await run.act({
    title: `Have ${idle.length} nodes out of service start with ${version}`,
    act: to(version),
    undo: { title: 'Have them start with what they had', act: to() },
  });
}

/** Not `watch`, which is the last thing a run does: it may well go on. */
export async function watchOver(
  run: Run,
  region: string,
  nodes: string[],
  { version, period }: { version: string; period: string },
): Promise<void> {
  await run.verify(`Watch ${nodes.length} nodes of ${region} for ${period}`, () =>
    long.watchRelease({ region, version, nodes, period, rescued: run.rescuedOf(nodes) }),
  );
}

function named(nodes: readonly string[]): string {
  return nodes.length <= 3 ? nodes.join(', ') : `${nodes.length} nodes`;
}

function releasesOf(wanted: readonly { release: string }[]): string {
  return [...new Set(wanted.map(({ release }) => release))].join(', ');
}
