import type { Finding } from '../../core/run';
import { isDegraded } from '../../core/health';
import { findZone, type Node } from '../../core/topology';
import { ownOf, type Deps } from '../deps';
import { assess, startedSince, type Assessment } from '../node/assess';

/** A node of a zone as the load balancer has it. */
export interface ZoneNode {
  node: string;
  /** Whether the load balancer was told to give it traffic. */
  ready: boolean;
  /** The failed process that has to be replaced; 0 where there is none. */
  sickPid: number;
}

/**
 * How a node stood when its zone was assessed. `restarted`: healthy, but taken out and started again since the fault began,
 * as a run on the node does. `held`: healthy, but kept out by an operator; such a node is left as it is.
 */
export type Standing = 'serves' | 'failed' | 'restarted' | 'held';

export interface AssessedNode extends ZoneNode {
  standing: Standing;
  said: string;
}

/** Whether a zone has failed, and why one may say so. */
export interface ZoneAssessment {
  degraded: boolean;
  nodes: AssessedNode[];
}

/** The nodes of a zone that its load balancer knows: not those that a spare has replaced, nor spares that wait. */
export async function membersOf(
  deps: Deps,
  id: string,
): Promise<(Node & { admin: string; full: boolean })[]> {
  const zone = findZone(deps.config, id);
  const members = await deps.region(zone.region).loadBalancer.members();
  return zone.nodes.flatMap((node) => {
    const member = ownOf(node, members);
    if (!member) return [];
    const { admin, up, weight } = member;
    return [{ ...node, admin, full: admin === 'ready' && up && weight === 100 }];
  });
}

/**
 * Confirms the failure of a zone by confirming that of each of its nodes, all at once: hung ones have their time-outs waited
 * for together. A node that an operator keeps out counts neither way.
 * @param since ISO time at which the fault was first seen
 */
export async function assessZone(
  deps: Deps,
  { zone, nodes, since }: { zone: string; nodes: readonly ZoneNode[]; since: string },
): Promise<Finding<ZoneAssessment>> {
  const assessed = await Promise.all(
    nodes.map(async (each): Promise<AssessedNode> => {
      const { sentence, value } = await assess(deps, each.node);
      const standing = standingOf(each, value, since);
      return { ...each, standing, sickPid: standing === 'failed' ? value.process.pid : 0, said: sentence };
    }),
  );
  const judged = assessed.filter(({ standing }) => standing !== 'held');
  const out = judged.filter(({ standing }) => standing !== 'serves');
  const degraded = isDegraded(out.length, judged.length, deps.config.health.zone);
  return { sentence: told(zone, judged.length, assessed), value: { degraded, nodes: assessed } };
}

function standingOf({ ready }: ZoneNode, { failed, process }: Assessment, since: string): Standing {
  if (failed) return 'failed';
  if (ready) return 'serves';
  return startedSince(process, since) ? 'restarted' : 'held';
}

function told(zone: string, of: number, nodes: readonly AssessedNode[]): string {
  const count = (wanted: Standing) => nodes.filter(({ standing }) => standing === wanted);
  const failed = count('failed');
  const [restarted, held] = [count('restarted').length, count('held').length];
  return [
    `${failed.length} of ${of} nodes of zone ${zone} have failed`,
    ...(failed[0] ? [` (${failed[0].said}${failed.length > 1 ? '; …' : ''})`] : []),
    ...(restarted ? [`; restarted and still out: ${restarted}`] : []),
    ...(held ? [`; kept out by hand: ${held}`] : []),
  ].join('');
}
