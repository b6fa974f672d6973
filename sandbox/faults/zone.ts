import { SwitchoverError } from '../../core/errors';
import { findZone, type Node } from '../../core/topology';
import type { Context } from '../parts/part';
import type { Supervisor } from '../supervisor';
import { breakNode, healNode } from './node';

/** What can happen to many nodes of a zone at once, to each as to a node alone. */
export const ZONE_FAULTS = ['kill', 'hang'] as const;
export type ZoneFault = (typeof ZONE_FAULTS)[number];

/**
 * Gives the first nodes of a zone a fault, all at the same moment.
 * @param share of its nodes, spares not counted; at least one
 * @returns one sentence of what was done
 * @throws BAD_INPUT for a share that is none · SANDBOX where one of them does not run
 */
export async function breakZone(
  context: Context,
  supervisor: Supervisor,
  id: string,
  fault: ZoneFault,
  share: number,
): Promise<string> {
  if (!(share > 0 && share <= 1)) {
    throw new SwitchoverError(
      'BAD_INPUT',
      `share: must be above 0 and at most 1 (for example 0.75), not ${share}`,
    );
  }
  const nodes = inService(context, id);
  const chosen = nodes.slice(0, Math.max(1, Math.round(nodes.length * share)));
  await Promise.all(chosen.map((node) => breakNode(context, supervisor, node.id, fault, 0)));
  const does = fault === 'kill' ? 'were killed (SIGKILL)' : 'hang (SIGSTOP)';
  return `${chosen.length} of ${nodes.length} nodes of zone ${id} ${does}: ${chosen.map(({ name }) => name).join(', ')}`;
}

/** Takes every fault from the nodes of a zone. @returns one sentence of what was done */
export async function healZone(
  context: Context,
  supervisor: Supervisor,
  id: string,
  restart: boolean,
): Promise<string> {
  const nodes = inService(context, id);
  await Promise.all(nodes.map((node) => healNode(context, supervisor, node.id, restart)));
  return `the ${nodes.length} nodes of zone ${id} have no faults${restart ? ', and run' : '; those that were killed are stopped'}`;
}

function inService({ config }: Context, id: string): Node[] {
  return findZone(config, id).nodes.filter(({ spare }) => !spare);
}
