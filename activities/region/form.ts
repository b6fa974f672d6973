import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import type { Deed, Finding, Intent } from '../../core/run';
import { findNode, nodesOf } from '../../core/topology';
import { beating } from '../beating';
import type { Deps } from '../deps';
import { ensure } from '../ensure';
import type { nodeActs } from '../node/acts';
import type { nodeLooks } from '../node/looks';
import { proveService, type Proof } from '../node/prove';
import { standingOf, type NodeStanding } from '../node/standing';
import type { nodeWithdrawal } from '../node/withdraw';
import type { Member } from '../ports';
import { fewAtOnce, outcomeOf, together, type NodeOutcome } from '../zone/together';

/** Nodes of a region that an act is on. */
export interface OfRegion {
  region: string;
  nodes: string[];
}

/** An act on nodes that are to serve. */
export interface Forming extends OfRegion {
  /** How many nodes the region has that are no spares. */
  of: number;
  how: Intent;
}

type ActOnNodes = OfRegion & { how: Intent };
type NodeVerbs = ReturnType<typeof nodeActs> &
  ReturnType<typeof nodeLooks> &
  ReturnType<typeof nodeWithdrawal>;

/**
 * Brings a region's nodes into service together. What is done to a node is what `add-node` does; an activity here does it
 * to all of them, looking at each first, so that a worker that takes it over from a dead one repeats nothing.
 */
export function regionForming(deps: Deps, verbs: NodeVerbs) {
  const { config } = deps;

  /** What became of the nodes in one sentence, those that failed named. @throws NODE_UNHEALTHY where too few are left */
  const judge = ({ region, nodes, of }: Forming, outcomes: readonly NodeOutcome[]): string => {
    const sick = outcomes.filter(({ healthy }) => !healthy);
    const why = sick.map(({ node, sentence }) => `${node} is left out: ${sentence}`);
    const healthy = of - nodes.length + outcomes.length - sick.length;
    const minimumShare = config.policies.minimumHealthyShare;
    const refusal = whyNot('form region', { region, healthy, of, minimumShare });
    if (refusal) throw new SwitchoverError('NODE_UNHEALTHY', `${refusal.sentence} (${why.join('; ')})`);
    return [`${healthy} of ${of} nodes of ${region} are healthy`, ...why].join('; ');
  };

  /** The same act on each of the nodes. @throws STEP_FAILED naming those that it failed on, once it was tried on all */
  const each = async (
    { nodes, how }: ActOnNodes,
    act: (one: { node: string; how: Intent }) => Promise<Deed>,
    sentence: string,
  ): Promise<Deed<NodeOutcome[]>> => {
    const outcomes = await fewAtOnce(nodes, (node) => outcomeOf(node, () => act({ node, how })));
    const failed = outcomes.filter(({ healthy }) => !healthy).map((one) => `${one.node}: ${one.sentence}`);
    if (failed.length > 0) throw new SwitchoverError('STEP_FAILED', failed.join('; '));
    return together(how, outcomes, sentence);
  };

  return {
    /** How the region's nodes stand that are no spares. */
    async lookAtRegion({ region }: { region: string }): Promise<Finding<NodeStanding[]>> {
      const inService = nodesOf(config, region).filter(({ spare }) => !spare);
      const value = await fewAtOnce(inService, ({ id }) => standingOf(deps, id));
      const serving = value.filter(({ serves }) => serves).length;
      return { sentence: `${serving} of ${value.length} nodes of ${region} serve`, value };
    },

    /** No traffic for nodes that the load balancer knows and that do not serve: else it gives them some as soon as they run. */
    async holdOut({ region, nodes, how }: ActOnNodes): Promise<Deed<Member[]>> {
      const { loadBalancer } = deps.region(region);
      const servers = nodes.map((id) => findNode(config, id).server);
      return ensure(how, {
        look: async () => (await loadBalancer.members()).filter(({ server }) => servers.includes(server)),
        already: (members) =>
          members.every(({ admin }) => admin === 'maint')
            ? `the load balancer gives none of ${nodes.length} nodes traffic`
            : null,
        intention: (members) =>
          `keep ${members.length} nodes out of the load balancer until they are healthy`,
        act: (members) => loadBalancer.isolate(...members.map(({ server }) => server)),
        done: (members) => `${members.length} nodes are kept out of the load balancer until they are healthy`,
      });
    },

    /** Undo of {@link holdOut}. */
    readmitHeld: (ask: ActOnNodes) =>
      each(ask, verbs.readmitNode, `${ask.nodes.length} nodes are in the load balancer`),

    /**
     * Starts nodes, a window at a time, and waits until they are healthy. One that is not is named and stops nothing as long
     * as enough of the region are.
     * @throws NODE_UNHEALTHY where they are not
     */
    startNodes: beating(async (ask: Forming): Promise<Deed<NodeOutcome[]>> => {
      const { nodes, how } = ask;
      const outcomes = await fewAtOnce(nodes, (node) =>
        outcomeOf(node, async () => {
          const deed = await verbs.restartNode({ node, sickPid: 0, how });
          if (how.mode !== 'plan') await verbs.awaitHealthy({ node });
          return deed;
        }),
      );
      const begun = outcomes.filter(({ changed }) => changed).length;
      if (how.mode === 'plan') return together(how, outcomes, `would start ${begun} nodes`);
      return together(how, outcomes, `${begun} nodes were started; ${judge(ask, outcomes)}`);
    }),

    /** Undo of {@link startNodes}. */
    stopNodes: beating((ask: ActOnNodes) =>
      each(ask, verbs.stopNode, `${ask.nodes.length} nodes are stopped`),
    ),

    /** Makes nodes known to the load balancer, without traffic yet. */
    addNodes: (ask: ActOnNodes) => {
      const [count, planned] = [ask.nodes.length, ask.how.mode === 'plan'];
      const sentence = planned ? `would add ${count} nodes to` : `${count} nodes were added to`;
      return each(ask, verbs.addToBalancer, `${sentence} the load balancer, without traffic yet`);
    },

    /** Undo of {@link addNodes}, for those that it did not know. */
    removeNodes: (ask: ActOnNodes) =>
      each(ask, verbs.removeFromBalancer, `${ask.nodes.length} nodes are unknown to the load balancer`),

    /**
     * Gives nodes this share of their traffic, all at once. One that does not bear it is taken out again, alone, and named.
     * @throws NODE_UNHEALTHY where too few are left
     */
    rampNodes: beating(async (ask: Forming & { weight: number }): Promise<Deed<NodeOutcome[]>> => {
      const { nodes, weight, how } = ask;
      const outcomes = await Promise.all(
        nodes.map((node) => outcomeOf(node, () => verbs.rampNode({ node, weight, how }))),
      );
      if (how.mode === 'plan')
        return together(how, outcomes, `would give ${nodes.length} nodes ${weight} % of their traffic`);
      return together(how, outcomes, `at ${weight} % of their traffic ${judge(ask, outcomes)}`);
    }),

    /** Undo of {@link rampNodes}: drained, all of them at once, then out. */
    withdrawNodes: beating((ask: ActOnNodes) =>
      each(ask, verbs.withdrawNode, `${ask.nodes.length} nodes get no traffic`),
    ),

    /** Proves the region's service with these nodes in it, see {@link proveService}. */
    watchRegionService: beating(({ region, nodes }: OfRegion): Promise<Finding<Proof>> =>
      proveService(
        deps,
        region,
        nodes.map((id) => findNode(config, id)),
      ),
    ),
  };
}
