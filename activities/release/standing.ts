import type { Node } from '../../core/topology';
import type { Deps } from '../deps';
import { standingOf } from '../node/standing';
import type { Installed } from '../ports';

/** How a node stands with its releases. */
export interface NodeRelease extends Installed {
  node: string;
  /** The release that it tells it runs; null where it tells nothing. */
  runs: string | null;
  /** `serves`: its load balancer gives it traffic · `idle`: stopped, and has none · `stuck`: neither. */
  state: 'serves' | 'idle' | 'stuck';
}

export async function releaseOf(deps: Deps, { id, region, program, address }: Node): Promise<NodeRelease> {
  const [standing, installed, probe] = await Promise.all([
    standingOf(deps, id),
    deps.region(region).releases.look(program),
    deps.prober.health(address),
  ]);
  const stopped = standing.process.pid === 0 && standing.process.state !== 'starting';
  const idle = stopped && (standing.member === null || standing.member.admin === 'maint');
  return {
    node: id,
    ...installed,
    runs: probe.version ?? null,
    state: standing.serves ? 'serves' : idle ? 'idle' : 'stuck',
  };
}

/** How many have which release, in words: `1.0.0 on 4 nodes, 1.1.0 on 2 nodes`. */
export function spread(nodes: readonly NodeRelease[]): string {
  const counts = new Map<string, number>();
  for (const { runs, current } of nodes) {
    const release = runs ?? current;
    counts.set(release, (counts.get(release) ?? 0) + 1);
  }
  return [...counts].map(([release, count]) => `${release} on ${count} nodes`).join(', ');
}
