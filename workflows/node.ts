import type { NodeStanding } from '../activities/node/standing';
import type { Run, Undo } from './engine/run';
import { quick } from './proxies';

/** How the node stands before the run changes anything; it is looked at again after each pause. */
export function lookAt(run: Run, node: string): Promise<NodeStanding> {
  run.afterPause('Look at it again', () => quick.lookAtNode({ node }));
  return run.look(`Look at ${node}`, () => quick.lookAtNode({ node }));
}

/** Starts the node's process where it does not run. */
export async function start(run: Run, node: string): Promise<void> {
  await run.act({
    title: `Start ${node}`,
    act: (how) => run.near(node).work.restartNode({ node, sickPid: 0, how }),
    undo: { title: `Stop ${node}`, act: (how) => run.near(node).work.stopNode({ node, how }) },
  });
}

/** Makes the node known to its load balancer, without traffic yet. */
export async function join(run: Run, node: string): Promise<void> {
  await run.act({
    title: `Add ${node} to the load balancer`,
    act: (how) => quick.addToBalancer({ node, how }),
    undo: {
      title: `Remove ${node} from the load balancer`,
      act: (how) => quick.removeFromBalancer({ node, how }),
    },
  });
}

export async function awaitHealthy(run: Run, node: string): Promise<void> {
  await run.verify('Wait until it is healthy', () => run.near(node).work.awaitHealthy({ node }));
}

/** A little more traffic at a time. `undo`: of all of it. */
export async function ramp(run: Run, node: string, undo?: Undo): Promise<void> {
  for (const [i, weight] of run.briefing.ramp.entries()) {
    await run.act({
      title: `Ramp to ${weight} %`,
      act: (how) => run.near(node).work.rampNode({ node, weight, how }),
      ...(i === 0 && undo && { undo }),
    });
  }
}

/** Takes the node out of service as it came into it: without failing a call. */
export function withdrawal(run: Run, node: string): Undo {
  return {
    title: `Drain ${node} and take it out`,
    act: (how) => run.near(node).long.withdrawNode({ node, how }),
  };
}
