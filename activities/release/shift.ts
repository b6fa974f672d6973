import { sleep } from '@temporalio/activity';
import { halves, isLed, toLead, weightsFor, type Binding, type Sides } from '../../core/deploy';
import { serving, whyNot } from '../../core/guards';
import type { Deed, Finding, Intent } from '../../core/run';
import { findNode } from '../../core/topology';
import { beating } from '../beating';
import type { Deps } from '../deps';
import { ensure } from '../ensure';
import { lookAtPool, type Pool } from '../pool';
import type { LoadBalancer, Member } from '../ports';
import { requireAllowed } from '../require-allowed';

/** So often clients are bound anew: one whose request was under way may have been bound back by its answer. */
const ROUNDS = 10;
/** Time between two of these, ms: most requests are answered within it. */
const ROUND_MS = 50;

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
     * Leads this share of the region's clients to the green side, percent: new ones by the weights, the side that gets more first, and
     * then as many of those that are there by binding them anew.
     * @throws GUARD_REFUSED where the green side does not serve, or does not bear it. To lead back to blue is never refused.
     */
    leadTo: beating(
      async (ask: Sides & { region: string; share: number; how: Intent }): Promise<Deed<Member[]>> => {
        const { region, share, how } = ask;
        const { loadBalancer } = deps.region(region);
        const [green, blue] = [ask.green.map(serverOf), ask.blue.map(serverOf)];
        const weights = weightsFor(share, green.length, blue.length);
        const wanted = new Map([
          ...green.map((server) => [server, weights.green] as const),
          ...blue.map((server) => [server, weights.blue] as const),
        ]);
        const lead = ({ members }: Pool): Lead => ({
          green: able(members, green),
          blue: able(members, blue),
          share,
        });
        const state = `${share} % of the clients of ${region} are led to ${green.length} nodes with the new release`;
        return membersOf(
          await ensure(how, {
            look: () => lookAtClients(loadBalancer),
            already: (seen) =>
              seen.members.every(({ server, admin, weight }) => {
                const own = wanted.get(server);
                return own === undefined || (admin === 'ready' && weight === own);
              }) && isAsWanted(seen, lead)
                ? state
                : null,
            refuse: (pool) =>
              share > 0 && how.mode !== 'plan' ? whyNotLead(region, ask.green, share, pool) : null,
            intention: () => `lead ${share} % of the clients of ${region} to ${green.length} nodes`,
            act: async ({ members }) => {
              const changes = members
                .filter(({ server }) => wanted.has(server))
                .map(({ server, weight }) => ({ server, by: wanted.get(server)! - weight }))
                .toSorted((one, other) => other.by - one.by);
              for (const { server } of changes) await loadBalancer.admit(server, wanted.get(server)!);
              await bindAnew(loadBalancer, lead);
            },
            done: () => state,
          }),
        );
      },
    ),

    /** As many of the clients that are there for these nodes, which are back in service, as for each of the others. */
    giveClients: beating(
      async ({
        region,
        nodes,
        how,
      }: {
        region: string;
        nodes: string[];
        how: Intent;
      }): Promise<Deed<Member[]>> => {
        const { loadBalancer } = deps.region(region);
        const servers = nodes.map(serverOf);
        const lead = ({ members }: Pool): Lead => {
          const all = able(members);
          const green = able(members, servers);
          const blue = all.filter((server) => !green.includes(server));
          return { green, blue, share: all.length === 0 ? 0 : (100 * green.length) / all.length };
        };
        const whose =
          nodes.length === 1 ? `${nodes[0]} has its share` : `${nodes.length} nodes have their share`;
        const state = `${whose} of the clients of ${region}`;
        return membersOf(
          await ensure(how, {
            look: () => lookAtClients(loadBalancer),
            already: (seen) => (isAsWanted(seen, lead) ? state : null),
            intention: () => `lead their share of the clients of ${region} to ${nodes.join(', ')}`,
            act: () => bindAnew(loadBalancer, lead),
            done: () => state,
          }),
        );
      },
    ),
  };
}

/** A pool, and the clients that are bound in it. */
interface Clients extends Pool {
  bound: Binding[];
}

/** Servers of both sides that serve, and the share of the clients that is for the green one, percent. */
interface Lead extends Sides {
  share: number;
}

async function lookAtClients(loadBalancer: LoadBalancer): Promise<Clients> {
  const [pool, bound] = await Promise.all([lookAtPool(loadBalancer), loadBalancer.bound()]);
  return { ...pool, bound };
}

/** Those of the servers that serve: a client bound to another one would be sent elsewhere, and counted there. */
function able(members: readonly Member[], servers?: readonly string[]): string[] {
  return serving(members)
    .map(({ server }) => server)
    .filter((server) => servers?.includes(server) ?? true);
}

function isAsWanted(seen: Clients, lead: (seen: Pool) => Lead): boolean {
  const { share, ...sides } = lead(seen);
  return isLed(seen.bound, sides, share);
}

async function bindAnew(loadBalancer: LoadBalancer, lead: (seen: Pool) => Lead): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const seen = await lookAtClients(loadBalancer);
    if (isAsWanted(seen, lead)) return;
    const { share, ...sides } = lead(seen);
    await loadBalancer.bind(...toLead(seen.bound, sides, share));
    await sleep(ROUND_MS);
  }
}

/** Who is bound where is nothing for a report. */
function membersOf({ before, after, ...deed }: Deed<Clients>): Deed<Member[]> {
  return { ...deed, ...(before && { before: before.members }), ...(after && { after: after.members }) };
}
