import { PROVING, type Sides } from '../core/deploy';
import {
  behindIn,
  bringIn,
  giveShare,
  install,
  lookAtReleases,
  nextBatch,
  switchIdle,
  watchOver,
  type Manner,
} from './deploy';
import { runbook } from './engine/runbook';
import type { Run } from './engine/run';
import { quick, work } from './proxies';

interface Input {
  version: string;
  region: string;
  periods?: [string, string, string];
  batch?: number;
  healthTimeout?: string;
  retries?: number;
}

/** Percent of the clients that are led to the release, one after the other, and how long each is watched (REQUIREMENTS D3). */
const SHARES = [10, 50, 100] as const;
const PERIODS = ['5m', '10m', '5m'] as const;

/**
 * A release proves itself on half of a region's nodes before the other half gives up the old one (REQUIREMENTS D3).
 *
 * The two sides are halves of the nodes that are there, not a second fleet: half of each zone, so that either side is spread as the
 * region is, and no machine has to be kept idle for deploys. The price is that either half has to bear all of the measured peak,
 * which is asked first. The load balancer's weights lead the clients; clients bound to a node of the side that gets less are
 * bound anew. To switch back is to set these weights, which takes no longer than the commands.
 *
 * What holds between any two steps:
 * - the green side gets no client before all of it has told, in its health and in real MCP sessions, that it runs the release;
 * - the blue side runs what it ran, warm, until the green one has borne all of the clients for its time;
 * - who does worse than the blue side at the same time loses its clients first, and is put back afterwards;
 * - at the end one release is on all nodes, whichever that is.
 */
export const blueGreenDeploy = runbook<Input>('blue-green-deploy', async (run, input) => {
  const { version, region, periods = PERIODS, batch = 10 } = input;
  const { healthTimeout: within = PROVING.within, retries = PROVING.retries } = input;
  const manner: Manner = {
    version,
    batch,
    rollbackBatch: batch,
    proving: { within, retries },
  };
  const seen = await lookAtReleases(run, region, version);
  const behind = behindIn(seen, version).map(({ node }) => node);
  if (behind.length === 0) return `every node of ${region} runs ${version} already`;
  const sides = await run.look('Choose the two sides', () => quick.chooseSides({ region, nodes: behind }));

  await bringTo(run, region, sides.green, manner, (nodes) => standBy(run, region, nodes));
  for (const [i, share] of SHARES.entries())
    await prove(run, region, sides, { version, share, period: periods[i]! });
  await bringTo(run, region, sides.blue, manner, (nodes) => bringIn(run, region, nodes));
  await giveShare(run, region, sides.green);
  await switchIdle(run, region, seen, version);
  await watchOver(run, region, behind, { version, period: periods[2] });
  return `${version} runs on every node of ${region}: ${sides.green.length} nodes have proven it to the other ${sides.blue.length}`;
});

/** The release on one side, as many at once as the region can spare. */
async function bringTo(
  run: Run,
  region: string,
  side: readonly string[],
  manner: Manner,
  admit: (nodes: readonly string[]) => Promise<void>,
): Promise<void> {
  const done = new Set<string>();
  for (;;) {
    const seen = await lookAtReleases(run, region, manner.version);
    const behind = behindIn(seen, manner.version).filter(
      ({ node }) => side.includes(node) && !done.has(node),
    );
    if (behind.length === 0) return;
    const nodes = await nextBatch(run, region, behind, manner.batch);
    const batch = behind.filter(({ node }) => nodes.includes(node));
    await run.inHand(nodes, async () => {
      await install(run, region, batch, manner);
      await admit(nodes);
    });
    for (const node of nodes) done.add(node);
  }
}

/** In service without a client, so that they could be led there at once. Undoing `install` is the undo. */
async function standBy(run: Run, region: string, nodes: readonly string[]): Promise<void> {
  await run.act({
    title: `Have ${nodes.join(', ')} stand by`,
    act: (how) => work.leadTo({ region, green: [...nodes], blue: [], share: 0, how }),
  });
}

/** A share of the clients, watched. A rescue gives its node all of its weight, so that the share is led there once more. */
async function prove(
  run: Run,
  region: string,
  sides: Sides,
  { version, share, period }: { version: string; share: number; period: string },
): Promise<void> {
  const all = [...sides.green, ...sides.blue];
  for (let rescues = -1; rescues !== run.rescuedOf(all).length;) {
    rescues = run.rescuedOf(all).length;
    await run.act({
      title: `Lead ${share} % of the clients to ${version}`,
      act: (how) => work.leadTo({ region, ...sides, share, how }),
      ...(share === SHARES[0] && {
        undo: {
          title: 'Lead all clients back to where they were',
          act: (how) => work.leadTo({ region, ...sides, share: 0, how }),
        },
      }),
    });
    await watchOver(run, region, sides.green, { version, period });
  }
}
