import { halves, weightsFor } from '../../core/deploy';
import { whyNot } from '../../core/guards';
import type { Deed, Finding, Intent } from '../../core/run';
import { findNode } from '../../core/topology';
import { beating } from '../beating';
import type { Deps } from '../deps';
import { ensure } from '../ensure';
import { lookAtPool, type Pool } from '../pool';
import type { Member } from '../ports';
import { requireAllowed } from '../require-allowed';

/** The two sides of a blue-green deploy: nodes with the new release, and those with the old one. */
export interface Sides {
  green: string[];
  blue: string[];
}

/** Leads clients from one side to the other (REQUIREMENTS D3). */
export function releaseShift(deps: Deps) {
  const { config } = deps;
  const serverOf = (id: string): string => findNode(config, id).server;

  const whyNotLead = (region: string, nodes: readonly string[], share: number, { members, load }: Pool) =>
    whyNot('lead to release', {
      pool: region,
      servers: nodes.map(serverOf),
      members,
      share,
      peakPerS: load.peakPerS,
      memberCapacity: config.policies.nodeCapacity,
    });

  return {
    /**
     * Which nodes get the release first: half of each zone. They will have to bear all of the traffic for a while.
     * @throws GUARD_REFUSED where they could not, or there is only one node
     */
    async chooseSides({ region, nodes }: { region: string; nodes: string[] }): Promise<Finding<Sides>> {
      const value = halves(nodes);
      requireAllowed(
        whyNotLead(region, value.green, 100, await lookAtPool(deps.region(region).loadBalancer)),
      );
      return { sentence: `${value.green.join(', ')} get it first; the others stay as they are`, value };
    },

    /**
     * Leads this share of the region's clients to the green side, percent: the side that gets more first. Clients that were bound to the
     * side that gets less are bound to nobody.
     * @throws GUARD_REFUSED where the green side does not serve, or does not bear it. To lead back to blue is never refused.
     */
    leadTo: beating(
      async (ask: Sides & { region: string; share: number; how: Intent }): Promise<Deed<Member[]>> => {
        const { region, green, blue, share, how } = ask;
        const { loadBalancer } = deps.region(region);
        const weights = weightsFor(share, green.length, blue.length);
        const wanted = new Map([
          ...green.map((id) => [serverOf(id), weights.green] as const),
          ...blue.map((id) => [serverOf(id), weights.blue] as const),
        ]);
        const state = `${share} % of the clients of ${region} are led to ${green.length} nodes with the new release`;
        const { before, after, ...deed } = await ensure(how, {
          look: () => lookAtPool(loadBalancer),
          already: ({ members }) =>
            members.every(({ server, admin, weight }) => {
              const own = wanted.get(server);
              return own === undefined || (admin === 'ready' && weight === own);
            })
              ? state
              : null,
          refuse: (pool) =>
            share > 0 && how.mode !== 'plan' ? whyNotLead(region, green, share, pool) : null,
          intention: () => `lead ${share} % of the clients of ${region} to ${green.length} nodes`,
          act: async ({ members }) => {
            const changes = members
              .map(({ server, weight }) => ({ server, by: (wanted.get(server) ?? weight) - weight }))
              .toSorted((one, other) => other.by - one.by);
            for (const { server } of changes.filter((one) => wanted.has(one.server)))
              await loadBalancer.admit(server, wanted.get(server)!);
            await loadBalancer.unbind(...changes.filter(({ by }) => by < 0).map(({ server }) => server));
          },
          done: () => state,
        });
        return {
          ...deed,
          ...(before && { before: before.members }),
          ...(after && { after: after.members }),
        };
      },
    ),
  };
}
