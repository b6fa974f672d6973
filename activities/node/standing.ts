import { memberOf, place, type Deps } from '../deps';
import type { Member, ProcessStatus } from '../ports';

/** How a node stands: its process, and what its load balancer has of it. */
export interface NodeStanding {
  node: string;
  process: ProcessStatus;
  /** Null where the load balancer does not know the node. */
  member: Member | null;
  /** Whether it runs, and its load balancer gives it traffic. */
  serves: boolean;
}

/** @throws UNKNOWN_TARGET */
export async function standingOf(deps: Deps, id: string): Promise<NodeStanding> {
  const { node, fleet, loadBalancer } = place(deps, id);
  const [process, member] = await Promise.all([fleet.status(node.program), memberOf(loadBalancer, node)]);
  const serves = process.state === 'running' && member?.admin === 'ready' && member.up;
  return { node: id, process, member, serves };
}

/** The same in words: `running, ready at 100 %`. */
export function told({ process, member }: NodeStanding): string {
  if (!member) return `${process.state}, unknown to the load balancer`;
  const { admin, up, weight } = member;
  return `${process.state}, ${up ? '' : 'down but '}${admin} at ${weight} % in the load balancer`;
}
