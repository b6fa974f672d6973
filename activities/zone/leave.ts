import { serving, whyNot } from '../../core/guards';
import type { Deed, Finding, Intent } from '../../core/run';
import { liesIn } from '../../core/scope';
import { findNode, findZone } from '../../core/topology';
import { beating } from '../beating';
import type { Deps } from '../deps';
import { ensure } from '../ensure';
import type { nodeActs } from '../node/acts';
import { handOver } from '../node/hand-over';
import { lookAtPool, type Pool } from '../pool';
import type { HandOver, PoolLoad } from '../ports';
import { servingIn } from '../sessions/serving';
import { assessZone, membersOf, type ZoneAssessment, type ZoneNode } from './assess';
import { fewAtOnce, outcomeOf, together, type NodeOutcome } from './together';

/** Naming a zone, as every activity on one does. */
export interface OfZone {
  zone: string;
}

/** What was seen of a zone and its pool before and after the zone was left. */
export interface ZoneIsolation extends ZoneAssessment {
  /** Members of the whole pool that serve, of how many. */
  serving: number;
  of: number;
  load: PoolLoad;
}

/** What the sessions of a zone came to, and those of each of its nodes. */
export interface ZoneHandOver extends Partial<HandOver> {
  nodes: ({ node: string } & Partial<HandOver>)[];
}

/** Takes a zone out of service. Each act looks first and does nothing where the world is as wanted. */
export function zoneLeaving(deps: Deps, { readmitNode }: Pick<ReturnType<typeof nodeActs>, 'readmitNode'>) {
  return {
    /** The zone's nodes as the load balancer has them now, before the run takes any of them out. */
    async lookAtZone({ zone }: OfZone): Promise<Finding<ZoneNode[]>> {
      const members = await membersOf(deps, zone);
      const nodes = members.map(({ id, admin }) => ({ node: id, ready: admin === 'ready', sickPid: 0 }));
      const out = nodes.filter(({ ready }) => !ready).length;
      return { sentence: `${nodes.length} nodes, ${out} of them out of the load balancer`, value: nodes };
    },

    /**
     * Takes a failed zone out of its load balancer, all of it in one command; leaves one that serves alone. Confirming the
     * failure, asking the guard and the act are one activity, so that nothing comes between what was seen and what is done.
     * @param nodes as {@link lookAtZone} found them: an act that is repeated must not take its own doing for an operator's
     * @param since ISO time at which the fault was first seen
     * @throws GUARD_REFUSED where what would be left cannot bear the traffic
     */
    async isolateFailedZone(ask: OfZone & Confirm & { how: Intent }): Promise<Deed<ZoneIsolation>> {
      const { zone, nodes, how } = ask;
      const { loadBalancer } = deps.region(findZone(deps.config, zone).region);
      const { sentence, value } = await assessZone(deps, ask);
      const isolation = ({ members, load }: Pool): ZoneIsolation => ({
        ...value,
        serving: serving(members).length,
        of: members.length,
        load,
      });
      if (!value.degraded && how.mode !== 'plan') {
        const after = isolation(await lookAtPool(loadBalancer));
        return { changed: false, sentence: `${sentence}: there is nothing to fail over`, after };
      }
      const { before, after, ...deed } = await isolate(deps, { zone, nodes, how, why: sentence });
      return {
        ...deed,
        ...(before && { before: isolation(before) }),
        ...(after && { after: isolation(after) }),
      };
    },

    /** Undo of {@link isolateFailedZone}: full weight again for these nodes, and for no others. */
    async readmitNodes({ nodes, how }: { nodes: string[]; how: Intent }): Promise<Deed<NodeOutcome[]>> {
      const outcomes = await fewAtOnce(nodes, (node) => outcomeOf(node, () => readmitNode({ node, how })));
      return together(how, outcomes, `${nodes.length} nodes are in the load balancer`);
    },

    /** Gives the sessions of all of the zone's nodes to the nodes of the other zones that serve. */
    handOverZone: beating(async ({ zone, how }: OfZone & { how: Intent }): Promise<Deed<ZoneHandOver>> => {
      const { region } = findZone(deps.config, zone);
      const [own, serve] = await Promise.all([membersOf(deps, zone), servingIn(deps, region)]);
      const others = serve.map(({ id }) => id).filter((id) => !liesIn(id, zone));
      const deeds = await fewAtOnce(own, async ({ id }) => ({
        node: id,
        ...(await handOver(deps.sessions, { from: id, to: others, how })),
      }));
      const counts = deeds.map(({ node, before, after }) => ({ node, ...(after ?? before) }));
      const sum = (key: keyof HandOver) => counts.reduce((total, one) => total + (one[key] ?? 0), 0);
      const [found, moved, lost] = [sum('found'), sum('moved'), sum('lost')];
      const changed = deeds.some((deed) => deed.changed);
      const to = `${others.length} nodes of other zones`;
      if (how.mode === 'plan')
        return {
          changed,
          sentence: `would hand ${found} sessions to ${to}`,
          before: { found, nodes: counts },
        };
      const sentence = `${moved} of ${found} sessions handed to ${to}, ${lost} lost`;
      return { changed, sentence, after: { found, moved, lost, nodes: counts } };
    }),
  };
}

/** Whose failure is to be confirmed. */
interface Confirm {
  nodes: ZoneNode[];
  since: string;
}

/** @param why what was confirmed */
function isolate(
  { config, region: systems }: Deps,
  { zone, nodes, how, why }: OfZone & { nodes: ZoneNode[]; how: Intent; why: string },
): Promise<Deed<Pool>> {
  const { region } = findZone(config, zone);
  const { loadBalancer } = systems(region);
  const servers = nodes.map(({ node }) => findNode(config, node).server);
  const { minimumHealthyShare: minimumShare, nodeCapacity: memberCapacity } = config.policies;
  return ensure(how, {
    look: () => lookAtPool(loadBalancer),
    already: ({ members }) =>
      members.some(({ server, admin }) => admin !== 'maint' && servers.includes(server))
        ? null
        : `${why}; none of them gets traffic`,
    refuse: ({ members, load: { peakPerS } }) =>
      whyNot('take out zone', {
        pool: region,
        zone,
        servers,
        members,
        minimumShare,
        peakPerS,
        memberCapacity,
      }),
    intention: () =>
      `take all ${nodes.length} nodes of zone ${zone} out of the load balancer and close their connections`,
    act: () => loadBalancer.isolate(...servers),
    done: (_, { members, load }) =>
      `${why}; zone ${zone} gets no more traffic, ${serving(members).length} of ${members.length} members of pool ${region} serve, for a peak of ${load.peakPerS} requests/s`,
  });
}
