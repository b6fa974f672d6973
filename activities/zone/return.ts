import { sleep } from '@temporalio/activity';
import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import { HEALTHY } from '../../core/health';
import type { Deed, Finding, Intent } from '../../core/run';
import { millis } from '../../core/time';
import { findNode, findZone } from '../../core/topology';
import { beating } from '../beating';
import { place, type Deps } from '../deps';
import type { nodeActs } from '../node/acts';
import { assess } from '../node/assess';
import type { nodeLooks } from '../node/looks';
import { observe } from '../node/observe';
import { proveService, type Proof } from '../node/prove';
import { membersOf, type ZoneNode } from './assess';
import type { OfZone } from './leave';
import { fewAtOnce, outcomeOf, together, type NodeOutcome } from './together';
import { requireAllowed } from '../require-allowed';

/** Nodes of a zone on their way back. */
export interface Returning<Of = string> extends OfZone {
  nodes: Of[];
  /** How many nodes the zone has, those that are well anyway included. */
  of: number;
  /** How many of them stay out, as far as is known. */
  missing: number;
}

/** A node, and the process of it that has to be replaced. */
export type Sick = Pick<ZoneNode, 'node' | 'sickPid'>;
type NodeVerbs = ReturnType<typeof nodeActs> & ReturnType<typeof nodeLooks>;

/**
 * Brings a zone back. What is done to a node is what its own failover does; an activity here does it to all of them, looking
 * at each first, so that a worker that takes it over from a dead one repeats nothing.
 */
export function zoneReturn(deps: Deps, verbs: NodeVerbs) {
  const { config } = deps;

  /**
   * What became of the nodes in one sentence, those that stay out named.
   * @throws NODE_UNHEALTHY where so many of the zone's nodes are not healthy that the zone is not
   */
  const judge = ({ zone, of, missing }: Returning<unknown>, outcomes: readonly NodeOutcome[]): string => {
    const sick = outcomes.filter(({ healthy }) => !healthy);
    const failed = missing + sick.length;
    const why = sick.map(({ node, sentence }) => `${node} stays out: ${sentence}`);
    const refusal = whyNot('bring back zone', { zone, failed, of, rule: config.health.zone });
    if (refusal) throw new SwitchoverError('NODE_UNHEALTHY', `${refusal.sentence} (${why.join('; ')})`);
    return [`${of - failed} of ${of} nodes are healthy`, ...why].join('; ');
  };

  /** Restarts a node until it is healthy, as often as the policies allow. */
  const restore = async ({ node, sickPid }: Sick, how: Intent): Promise<NodeOutcome> => {
    const { fleet, node: { program } } = place(deps, node); // prettier-ignore
    for (let attempt = 1, sick = sickPid; ; attempt += 1) {
      const outcome = await outcomeOf(node, async () => {
        const deed = await verbs.restartNode({ node, sickPid: sick, how });
        if (how.mode !== 'plan') await verbs.awaitHealthy({ node });
        return deed;
      });
      if (outcome.healthy || attempt >= config.policies.restarts) return outcome;
      sick = (await fleet.status(program)).pid;
    }
  };

  return {
    /**
     * The nodes of a zone that was left: those without their full traffic.
     * @throws GUARD_REFUSED where so many run without serving that a start of the others makes no zone
     */
    async lookAtLeftZone({ zone }: OfZone): Promise<Finding<Returning<Sick>>> {
      const members = await membersOf(deps, zone);
      const running = await fewAtOnce(members, async ({ id }) => {
        const { value } = await assess(deps, id);
        return value.failed && value.process.state === 'running';
      });
      const failed = running.filter(Boolean).length;
      const of = members.length;
      const refusal = whyNot('bring back zone', { zone, failed, of, rule: config.health.zone });
      requireAllowed(refusal);
      const nodes = members.filter(({ full }) => !full).map(({ id }) => ({ node: id, sickPid: 0 }));
      const sentence =
        nodes.length > 0
          ? `${nodes.length} of ${of} nodes of zone ${zone} are out`
          : `all ${of} nodes of zone ${zone} have their full traffic`;
      return { sentence, value: { zone, nodes, of, missing: 0 } };
    },

    /**
     * Starts what does not run, replaces what is sick, and waits until all of these are healthy. Nodes that do not come back
     * are named; they stop nothing as long as the others make a zone.
     * @throws NODE_UNHEALTHY where they do not
     */
    restoreZone: beating(
      async ({ how, ...back }: Returning<Sick> & { how: Intent }): Promise<Deed<NodeOutcome[]>> => {
        const outcomes = await fewAtOnce(back.nodes, (one) => restore(one, how));
        const changed = outcomes.filter((one) => one.changed);
        if (how.mode === 'plan') {
          const names = changed.map(({ node }) => node).join(', ');
          return together(how, outcomes, `would restart ${names || 'nothing'}`);
        }
        return together(how, outcomes, `${changed.length} nodes were started; ${judge(back, outcomes)}`);
      },
    ),

    /**
     * Watches nodes that get no traffic until this ISO time.
     * @throws NODE_UNHEALTHY where those that are healthy then do not make a zone
     */
    watchHeld: beating(
      async ({ until, ...back }: Returning & { until: string }): Promise<Finding<NodeOutcome[]>> => {
        const watched = back.nodes.map((id) => ({ ...findNode(config, id), health: HEALTHY }));
        do {
          await fewAtOnce(watched, async (one) => {
            one.health = await observe(deps, one.address, one.health);
          });
          await sleep(millis(config.health.node.interval));
        } while (Date.now() < Date.parse(until));
        const value = watched.map(({ id, health: { state, cause = 'healthy all the time' } }) => ({
          node: id,
          healthy: state === 'healthy',
          changed: false,
          sentence: cause,
        }));
        return { sentence: judge(back, value), value };
      },
    ),

    /**
     * Gives these nodes this share of their traffic, all at once, and watches them there for the ramp's interval. One that
     * does not bear it is taken out again, alone, and named.
     * @throws NODE_UNHEALTHY where the others do not make a zone
     */
    rampZone: beating(async ({ weight, how, ...back }: Returning & { weight: number; how: Intent }) => {
      const ramped = back.nodes.map((node) => outcomeOf(node, () => verbs.rampNode({ node, weight, how })));
      const outcomes = await Promise.all(ramped);
      if (how.mode === 'plan')
        return together(how, outcomes, `would give ${back.nodes.length} nodes ${weight} % of their traffic`);
      return together(how, outcomes, `at ${weight} % of their traffic ${judge(back, outcomes)}`);
    }),

    /** Proves the region's service with these nodes of the zone in it, see {@link proveService}. */
    watchZone: beating(({ zone, nodes }: OfZone & { nodes: string[] }): Promise<Finding<Proof>> => {
      const { region } = findZone(config, zone);
      return proveService(
        deps,
        region,
        nodes.map((id) => findNode(config, id)),
      );
    }),
  };
}
