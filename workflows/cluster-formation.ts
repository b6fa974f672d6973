import type { NodeStanding } from '../activities/node/standing';
import type { NodeOutcome } from '../activities/zone/together';
import type { Intent } from '../core/run';
import { runbook } from './engine/runbook';
import type { Run } from './engine/run';
import { quick } from './proxies';
import { transfer } from './transfer';

/**
 * The nodes of a region form its cluster: at the very first start, or after the region was shut down (REQUIREMENTS D10).
 *
 * What holds between any two steps:
 * - no node gets traffic before it has passed two checks in a row, real MCP calls included, and none before so many have
 *   that the region may serve;
 * - the sessions of the region have owners that are healthy before any of these gets traffic;
 * - nodes that serve are not touched; those that do not come up stay out, and are named.
 */
export const clusterFormation = runbook<{ region: string }>('cluster-formation', async (run, { region }) => {
  run.mark('faultAt', run.firstSeenAt);
  run.afterPause('Look at its nodes again', () => quick.lookAtRegion({ region }));
  const standings = await run.look('Look at its nodes', () => quick.lookAtRegion({ region }));
  const missing = standings.filter(({ serves }) => !serves);
  if (missing.length === 0)
    return run.succeeded(`all ${standings.length} nodes of ${region} serve: there is nothing to form`);
  const of = standings.length;
  await holdOut(
    run,
    region,
    missing.filter(({ member }) => member && member.admin !== 'maint'),
  );
  const nodes = await startAll(run, region, missing, of);
  const { transfers } = await run.look('Look at where its buckets belong', () =>
    quick.lookAtShare({ region, nodes }),
  );
  if (transfers.length > 0) await transfer(run, 'Place its buckets', transfers, { arriving: nodes });
  await join(
    run,
    region,
    missing.filter(({ node, member }) => member === null && nodes.includes(node)),
  );
  const serving = await ramp(run, region, nodes, of);
  const proof = await run.watch('Prove it through the load balancer', () =>
    run.near(region).long.watchRegionService({ region, nodes: serving }),
  );
  run.mark('provenAt', proof?.provenAt);
  return `${region} serves with ${of - missing.length + serving.length} of ${of} nodes`;
});

/** The load balancer would give them traffic as soon as they run. */
async function holdOut(run: Run, region: string, known: readonly NodeStanding[]): Promise<void> {
  const nodes = namesOf(known);
  if (nodes.length === 0) return;
  await run.act({
    title: 'Keep them out of the load balancer until they are healthy',
    act: (how) => quick.holdOut({ region, nodes, how }),
    undo: {
      title: 'Leave them to the checks of the load balancer',
      act: (how) => quick.readmitHeld({ region, nodes, how }),
    },
  });
}

/** Starts what does not run. @returns the nodes that are healthy */
async function startAll(
  run: Run,
  region: string,
  missing: readonly NodeStanding[],
  of: number,
): Promise<string[]> {
  const nodes = namesOf(missing);
  const stopped = namesOf(missing.filter(({ process }) => process.pid === 0));
  const { after } = await run.act({
    title: 'Start its nodes',
    act: (how) => run.near(region).long.startNodes({ region, nodes, of, how }),
    undo: {
      title: 'Stop them',
      act: (how) => run.near(region).long.stopNodes({ region, nodes: stopped, how }),
    },
  });
  return healthyOf(after) ?? nodes;
}

async function join(run: Run, region: string, unknown: readonly NodeStanding[]): Promise<void> {
  const nodes = namesOf(unknown);
  if (nodes.length === 0) return;
  await run.act({
    title: 'Add them to the load balancer',
    act: (how) => quick.addNodes({ region, nodes, how }),
    undo: {
      title: 'Remove them from the load balancer',
      act: (how) => quick.removeNodes({ region, nodes, how }),
    },
  });
}

/** A little more traffic at a time for all of them together. @returns those that bear it */
async function ramp(run: Run, region: string, healthy: string[], of: number): Promise<string[]> {
  let nodes = healthy;
  for (const [i, weight] of run.briefing.ramp.entries()) {
    const undo = {
      title: 'Drain them and take them out',
      act: (how: Intent) => run.near(region).long.withdrawNodes({ region, nodes: healthy, how }),
    };
    const ramping = nodes;
    const { after } = await run.act({
      title: `Ramp to ${weight} %`,
      act: (how) => run.near(region).work.rampNodes({ region, nodes: ramping, of, weight, how }),
      ...(i === 0 && { undo }),
    });
    nodes = healthyOf(after) ?? nodes;
  }
  return nodes;
}

function namesOf(standings: readonly NodeStanding[]): string[] {
  return standings.map(({ node }) => node);
}

function healthyOf(outcomes: readonly NodeOutcome[] | undefined): string[] | undefined {
  return outcomes?.filter(({ healthy }) => healthy).map(({ node }) => node);
}
