import type { NodeStanding } from '../activities/node/standing';
import type { Intent } from '../core/run';
import { runbook } from './engine/runbook';
import type { Run, Undo } from './engine/run';
import { awaitHealthy, join, lookAt, ramp, start, withdrawal } from './node';
import { quick } from './proxies';
import { transfer } from './transfer';

/**
 * A node that does not serve comes into service: a spare, or one that was decommissioned (REQUIREMENTS D6).
 *
 * What holds between any two steps:
 * - the node gets no traffic before it has passed two checks in a row, real MCP calls included;
 * - it owns no session before it has borne its full traffic and was watched there;
 * - no other node has less to serve with than before.
 */
export const addNode = runbook<{ node: string; watch?: string }>('add-node', async (run, { node, watch }) => {
  const standing = await lookAt(run, node);
  if (standing.serves) return run.succeeded(`${node} serves already: there is nothing to add`);
  await bringIn(run, standing, watch);
  return `${node} serves, with its share of traffic and sessions`;
});

/**
 * A node leaves the fleet (REQUIREMENTS D6).
 *
 * What holds between any two steps:
 * - those that are left can bear the measured peak, asked again before the node is cut off;
 * - the node is cut off only after what it was asked is done, or has had its time;
 * - its sessions have an owner that serves before its process is touched;
 * - undone, it is healthy before its sessions come back, and has those before it gets traffic.
 */
export const decommissionNode = runbook<{ node: string }>('decommission-node', async (run, { node }) => {
  const standing = await lookAt(run, node);
  if (isOut(standing)) return run.succeeded(`${node} is out of service already: there is nothing to do`);
  await retire(run, standing);
  return `${node} is out of service: stopped, and unknown to the load balancer`;
});

/**
 * A node makes place for another one (REQUIREMENTS F1, D6): the two procedures above, the new one first, so that at no time
 * less serves than before.
 */
export const replaceNode = runbook<{ node: string; with?: string }>(
  'replace-node',
  async (run, { node, with: wanted }) => {
    const standing = await lookAt(run, node);
    if (isOut(standing))
      return run.succeeded(`${node} is out of service already: there is nothing to replace`);
    const spare = await run.look('Choose what takes its place', () =>
      quick.chooseSpare({ node, ...(wanted !== undefined && { wanted }) }),
    );
    await bringIn(run, await lookAt(run, spare));
    await retire(run, standing, spare);
    return `${node} was replaced by ${spare}, which serves`;
  },
);

function isOut({ member, process }: NodeStanding): boolean {
  return member === null && process.pid === 0;
}

/** @param watch how long it is watched in service; the policies' time where it is left out */
async function bringIn(run: Run, { node, member, process }: NodeStanding, watch?: string): Promise<void> {
  const region = node.split('/', 1)[0]!;
  const share = () => quick.lookAtShare({ region, nodes: [node] });
  if (member && member.admin !== 'maint') await holdOut(run, region, node);
  if (process.pid === 0) await start(run, node);
  await awaitHealthy(run, node);
  await run.look('Look at its share of the sessions', share);
  if (!member) await join(run, node);
  await ramp(run, node, withdrawal(run, node));
  // Not `watch`: the run goes on to move sessions.
  await run.verify('Watch it in service', () =>
    run.near(node).long.watchService({ node, ...(watch && { watch }) }),
  );
  const { transfers } = await run.look('Look at its share again', share);
  if (transfers.length > 0)
    await transfer(run, 'Move its share of the sessions to it', transfers, { arriving: [node] });
}

/** The load balancer would give it traffic as soon as it runs. */
async function holdOut(run: Run, region: string, node: string): Promise<void> {
  const nodes = [node];
  await run.act({
    title: 'Keep it out of the load balancer until it is healthy',
    act: (how) => quick.holdOut({ region, nodes, how }),
    undo: {
      title: `Leave ${node} to the checks of the load balancer`,
      act: (how) => quick.readmitNode({ node, how }),
    },
  });
}

/** @param instead the node that takes its place, in service by now */
async function retire(run: Run, { node, member, process }: NodeStanding, instead?: string): Promise<void> {
  const traffic = {
    title: `Give ${node} its traffic back`,
    act: (how: Intent) => quick.readmitNode({ node, how }),
  };
  await run.act({
    title: `Drain ${node}`,
    act: (how) => run.near(node).long.drainNode({ node, instead, how }),
    ...(member?.admin === 'ready' && { undo: traffic }),
  });
  const { transfers } = await run.look('Look at its sessions', () => quick.lookAtLeaving({ node, instead }));
  if (transfers.length > 0)
    await transfer(run, 'Hand its sessions to the others', transfers, {
      arriving: instead === undefined ? [] : [instead],
    });
  await run.act({
    title: `Take ${node} out of the load balancer`,
    act: (how) => quick.isolateNode({ node, instead, how }),
  });
  await run.act({
    title: `Stop ${node}`,
    act: (how) => run.near(node).work.stopNode({ node, how }),
    ...(process.pid !== 0 && { undo: restart(run, node) }),
  });
  await run.act({
    title: `Remove ${node} from the load balancer`,
    act: (how) => quick.removeFromBalancer({ node, how }),
    ...(member && {
      undo: { title: `Add ${node} to the load balancer`, act: (how) => quick.addToBalancer({ node, how }) },
    }),
  });
}

/** Undo of stopping a node: it is healthy before anything else is given back to it. */
function restart(run: Run, node: string): Undo {
  const { work } = run.near(node);
  return {
    title: `Start ${node} and wait until it is healthy`,
    act: async (how) => {
      const deed = await work.restartNode({ node, sickPid: 0, how });
      await work.awaitHealthy({ node });
      return deed;
    },
  };
}
