import { PROVING } from '../../core/deploy';
import { SwitchoverError } from '../../core/errors';
import { serving, whyNot } from '../../core/guards';
import type { Deed, Intent } from '../../core/run';
import { findNode } from '../../core/topology';
import { beating } from '../beating';
import { place, type Deps } from '../deps';
import type { nodeActs } from '../node/acts';
import type { nodeWithdrawal } from '../node/withdraw';
import { lookAtPool } from '../pool';
import type { sessionActs } from '../sessions/acts';
import type { sessionLooks } from '../sessions/looks';
import { requireAllowed } from '../require-allowed';
import { allAtOnce, fewAtOnce, outcomeOf, together, type NodeOutcome } from '../zone/together';
import { roomIn } from './room';
import { releaseOf } from './standing';
import { proveRelease, type Proving } from './verify';

/** Nodes of one region that an act is on. */
export interface ActOnBatch {
  region: string;
  nodes: string[];
  how: Intent;
}

/** A node, and the release that it is to have. */
export interface Wanted {
  node: string;
  release: string;
}

type Verbs = ReturnType<typeof nodeActs> &
  ReturnType<typeof nodeWithdrawal> &
  ReturnType<typeof sessionActs> &
  ReturnType<typeof sessionLooks>;

/**
 * Gives nodes another release, a batch at a time. What is done to a node is what `decommission-node` and `add-node` do; each looks
 * first, so that a worker that takes an act over from a dead one repeats nothing.
 */
export function releaseActs(deps: Deps, verbs: Verbs) {
  const { config } = deps;
  const { minimumHealthyShare: minimumShare, nodeCapacity: memberCapacity } = config.policies;

  /**
   * The same on each node, all at once or a few at a time.
   * @param what is done, for a plan: "drain 3 nodes"
   * @throws STEP_FAILED naming those that it failed on, once it was tried on all
   */
  const each = async (
    { nodes, how }: ActOnBatch,
    act: (one: { node: string; how: Intent }) => Promise<Deed>,
    what: string,
    work: typeof fewAtOnce = allAtOnce,
  ): Promise<Deed<NodeOutcome[]>> => {
    const outcomes = await work(nodes, (node) => outcomeOf(node, () => act({ node, how })));
    requireAll(outcomes);
    const sentence = how.mode === 'plan' ? `would ${what}` : told(outcomes);
    return together(how, outcomes, sentence);
  };

  /** Stop, switch, start, prove; whatever of it is done already is left alone. */
  const give = async ({ node: id, release }: Wanted, proving: Proving, how: Intent): Promise<Deed> => {
    const { node, fleet, releases } = place(deps, id);
    const seen = await releaseOf(deps, node);
    const runs = seen.runs === release;
    const changed = !runs || seen.current !== release;
    const change = `${id}: ${seen.runs ?? seen.current} → ${release}`;
    if (how.mode === 'plan') return { changed, sentence: change };
    // Somebody may have given it traffic since it was drained, such as the rescue of its zone.
    if (!runs && seen.state === 'serves') {
      await verbs.drainNode({ node: id, how });
      await verbs.isolateNode({ node: id, how });
    }
    if (!runs) await fleet.stop(node.program);
    if (seen.current !== release) await releases.switch(node.program, release);
    if (!runs) await fleet.start(node.program);
    const proof = await proveRelease(deps, id, release, proving);
    return { changed, sentence: changed ? `${change}; ${proof}` : `${id} runs ${release}: ${proof}` };
  };

  /** A node runs what it ran before, and has its traffic. Asks no guard: so it was before. */
  const putOneBack = async (which: Wanted, how: Intent): Promise<Deed> => {
    const { node } = which;
    const { runs, current, state } = await releaseOf(deps, findNode(config, node));
    const back = runs === which.release && current === which.release;
    if (back && state === 'serves') return { changed: false, sentence: `${node} runs ${runs}` };
    if (!back) {
      await verbs.withdrawNode({ node, how });
      await verbs.handOverSessions({ node, how });
    }
    const deed = await give(which, PROVING, how);
    await verbs.readmitNode({ node, how });
    return { ...deed, changed: true };
  };

  /** The sessions that belong to these of the nodes that are well. */
  const giveShare = async (region: string, outcomes: readonly NodeOutcome[], how: Intent): Promise<void> => {
    const nodes = outcomes.filter(({ healthy }) => healthy).map(({ node }) => node);
    const { value } = await verbs.lookAtShare({ region, nodes });
    if (value.transfers.length > 0)
      await verbs.transferSessions({ transfers: value.transfers, arriving: nodes, how });
  };

  /** The nodes of a window: those without traffic first, then as many as the region can spare. @throws GUARD_REFUSED where that is none */
  const nextWindow = async (region: string, left: readonly Wanted[], atOnce: number): Promise<Wanted[]> => {
    const { members, load } = await lookAtPool(deps.region(region).loadBalancer);
    const served = new Set(serving(members).map(({ server }) => server));
    const bears = ({ node }: Wanted) => served.has(findNode(config, node).server);
    const out = left.filter((one) => !bears(one));
    const room = roomIn(config.policies, { members, load });
    const window = [...out, ...left.filter(bears).slice(0, room)].slice(0, atOnce);
    if (window.length > 0) return window;
    const names = left.map(({ node }) => node).join(', ');
    throw new SwitchoverError(
      'GUARD_REFUSED',
      `minimum healthy share: ${names} must go on serving: ${served.size} of ${members.length} members of pool ${region} serve`,
    );
  };

  return {
    /**
     * No new requests for any of these nodes; returns once those under way are done, or after the drain time-out of the policies.
     * @throws GUARD_REFUSED where those that would be left cannot bear the traffic
     */
    drainBatch: beating(async (ask: ActOnBatch): Promise<Deed<NodeOutcome[]>> => {
      const { region, nodes } = ask;
      const { members, load } = await lookAtPool(deps.region(region).loadBalancer);
      requireAllowed(
        whyNot('take out batch', {
          pool: region,
          servers: nodes.map((id) => findNode(config, id).server),
          members,
          minimumShare,
          peakPerS: load.peakPerS,
          memberCapacity,
        }),
      );
      return each(ask, verbs.drainNode, `drain ${nodes.join(', ')}`);
    }),

    /** Takes drained nodes out; what still goes on there is closed. @throws GUARD_REFUSED */
    isolateBatch: beating((ask: ActOnBatch) =>
      each(ask, verbs.isolateNode, `take ${ask.nodes.length} nodes out of the load balancer`),
    ),

    /** Undo of {@link drainBatch}: traffic again, as far as the load balancer's own checks agree. */
    readmitBatch: beating((ask: ActOnBatch) =>
      each(ask, verbs.readmitNode, `put ${ask.nodes.length} nodes back into the load balancer`),
    ),

    /**
     * Gives nodes that get no traffic another release: stop, switch, start; each proves itself, see {@link proveRelease}.
     * @throws STEP_FAILED naming those that do not
     */
    giveRelease: beating(
      (ask: ActOnBatch & { release: string; proving: Proving }): Promise<Deed<NodeOutcome[]>> => {
        const { nodes, release, proving } = ask;
        return each(
          ask,
          ({ node, how }) => give({ node, release }, proving, how),
          `give ${nodes.length} nodes ${release}`,
          fewAtOnce,
        );
      },
    ),

    /** Nodes that are stopped start with this release from now on; one that a rescue has started meanwhile is given it at once. */
    switchIdle: beating(
      (ask: { region: string; wanted: Wanted[]; how: Intent }): Promise<Deed<NodeOutcome[]>> => {
        const { wanted, how } = ask;
        const nodes = wanted.map(({ node }) => node);
        const releases = new Map(wanted.map(({ node, release }) => [node, release]));
        const one = async ({ node: id }: { node: string }): Promise<Deed> => {
          const { node, releases: disk } = place(deps, id);
          const release = releases.get(id)!;
          const seen = await releaseOf(deps, node);
          if (seen.state === 'serves' && how.mode !== 'plan') return putOneBack({ node: id, release }, how);
          if (seen.current === release) return { changed: false, sentence: `${id} starts with ${release}` };
          if (how.mode !== 'plan') await disk.switch(node.program, release);
          return { changed: true, sentence: `${id} starts with ${release} from now on` };
        };
        const which = [...new Set(releases.values())].join(', ');
        return each({ ...ask, nodes }, one, `have ${nodes.length} nodes out of service start with ${which}`);
      },
    ),

    /** Gives nodes this share of their traffic and watches them there. @throws STEP_FAILED where one does not bear it */
    rampBatch: beating((ask: ActOnBatch & { weight: number }): Promise<Deed<NodeOutcome[]>> => {
      const { nodes, weight } = ask;
      return each(
        ask,
        ({ node, how }) => verbs.rampNode({ node, weight, how }),
        `give ${nodes.length} nodes ${weight} % of their traffic`,
      );
    }),

    /**
     * Undo of a batch's release: every node runs what it ran before, and has its traffic and the sessions that belong to it. Those without traffic first, the others
     * drained, a few at once and never more than the region can spare. What fails on one does not keep the others from it.
     * @throws STEP_FAILED naming those that it failed on
     */
    putBack: beating(
      async (ask: {
        region: string;
        wanted: Wanted[];
        atOnce: number;
        how: Intent;
      }): Promise<Deed<NodeOutcome[]>> => {
        const { region, wanted, atOnce, how } = ask;
        const outcomes: NodeOutcome[] = [];
        for (let left = wanted; left.length > 0;) {
          const window = await nextWindow(region, left, atOnce);
          const of = await allAtOnce(window, (which) => outcomeOf(which.node, () => putOneBack(which, how)));
          await giveShare(region, of, how);
          outcomes.push(...of);
          left = left.filter((which) => !window.includes(which));
        }
        requireAll(outcomes);
        const releases = [...new Set(wanted.map(({ release }) => release))].join(', ');
        return together(how, outcomes, `${wanted.length} nodes run ${releases} again`);
      },
    ),
  };
}

/** @throws STEP_FAILED naming the nodes that something speaks against */
function requireAll(outcomes: readonly NodeOutcome[]): void {
  const failed = outcomes.filter(({ healthy }) => !healthy);
  if (failed.length > 0) throw new SwitchoverError('STEP_FAILED', told(failed));
}

function told(outcomes: readonly NodeOutcome[]): string {
  return outcomes.map(({ sentence }) => sentence).join('; ');
}
