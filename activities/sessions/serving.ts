import { serving } from '../../core/guards';
import { liesIn } from '../../core/scope';
import { nodesOf, type Node } from '../../core/topology';
import type { Deps } from '../deps';

/** The nodes of a region, zone or node that serve clients now, as the region's load balancer says. */
export async function servingIn({ config, region: systems }: Deps, place: string): Promise<Node[]> {
  const region = place.split('/', 1)[0]!;
  const servers = new Set(serving(await systems(region).loadBalancer.members()).map(({ server }) => server));
  return nodesOf(config, region).filter(({ id, server }) => liesIn(id, place) && servers.has(server));
}
