import { sleep } from '@temporalio/activity';
import { millis } from '../../core/time';
import { SwitchoverError } from '../../core/errors';
import { serving, whyNot } from '../../core/guards';
import { HEALTHY } from '../../core/health';
import type { Deed, Intent } from '../../core/run';
import { nodesOf } from '../../core/topology';
import { beating } from '../beating';
import { memberOf, ownOf, place, type Deps } from '../deps';
import { ensure } from '../ensure';
import type { HandOver, Member, ProcessStatus } from '../ports';
import { assess, startedSince, type Assessment } from './assess';
import { handOver } from './hand-over';
import type { OfNode } from './looks';
import { observe } from './observe';

/** What was seen of a node before and after it was taken out of its pool. */
export interface Isolation extends Assessment {
  /** Null where the load balancer does not know the node. */
  member: Member | null;
  /** Whether the node is out because of its failure; false where it serves. */
  out: boolean;
  /** The process to be replaced; 0 where that was done already. */
  sickPid: number;
}

/** An act on one node. */
export interface ActOnNode extends OfNode {
  how: Intent;
}

/** Taking a failed node out. */
export interface IsolateNode extends ActOnNode {
  /**
   * ISO time at which the fault was first seen: a node that is well and out, and was started after that, was left so by a run
   * before this one.
   */
  since: string;
}

/** Changes to one node. Each looks first and does nothing where the world is as wanted. */
export function nodeActs(deps: Deps) {
  const { config, sessions } = deps;
  const { policies } = config;

  /** The systems around a node, and what its load balancer knows of it. */
  const around = (id: string) => {
    const found = place(deps, id);
    return { ...found, member: () => memberOf(found.loadBalancer, found.node) };
  };

  return {
    /**
     * Takes a failed node out of its load balancer; leaves one that serves alone. Confirming the failure, asking the guard
     * and the act are one activity, so that nothing comes between what was seen and what is done.
     * @param exists what has to be there before anything is changed
     * @throws GUARD_REFUSED where too small a pool would be left; NODE_HELD where it serves, but is kept out by somebody.
     */
    async isolateFailedNode(
      { node: id, since, how }: IsolateNode,
      exists?: Promise<unknown>,
    ): Promise<Deed<Isolation>> {
      const { node, loadBalancer, member } = around(id);
      const { sentence, value: seen } = await assess(deps, id);
      if (!seen.failed && how.mode !== 'plan') {
        const now = await member();
        const out = now?.admin === 'maint';
        if (out && !startedSince(seen.process, since))
          throw new SwitchoverError('NODE_HELD', `${sentence}, but it is kept out of the load balancer`);
        const why = out
          ? 'it was started again since its failure was seen, and is still out'
          : 'there is nothing to fail over';
        return {
          changed: false,
          sentence: `${sentence}: ${why}`,
          after: { ...seen, member: now, out, sickPid: 0 },
        };
      }
      const isolation = (members: readonly Member[]): Isolation => ({
        ...seen,
        member: ownOf(node, members),
        out: true,
        sickPid: seen.process.pid,
      });
      const deed = await ensure(how, {
        look: () => loadBalancer.members(),
        already: (members) => {
          const own = ownOf(node, members);
          if (!own) return `${id} is not in the load balancer`;
          return own.admin === 'maint' ? `${id} gets no traffic` : null;
        },
        refuse: (members) =>
          whyNot('take out', {
            pool: node.region,
            server: node.server,
            members,
            minimumShare: policies.minimumHealthyShare,
          }),
        intention: () => `take ${id} out of the load balancer and close its connections`,
        ready: exists,
        act: () => loadBalancer.isolate(node.server),
        done: (_, members) =>
          `${sentence}; it gets no more traffic, ${serving(members).length} of ${members.length} members of pool ${node.region} serve`,
      });
      const { before, after, ...rest } = deed;
      return {
        ...rest,
        ...(before && { before: isolation(before) }),
        ...(after && { after: isolation(after) }),
      };
    },

    /** Undo of {@link isolateFailedNode}: full weight again; the load balancer's own checks decide whether it serves. */
    async readmitNode({ node: id, how }: ActOnNode): Promise<Deed<Member | null>> {
      const { loadBalancer, node, member } = around(id);
      return ensure(how, {
        look: member,
        already: (seen) =>
          seen === null || (seen.admin === 'ready' && seen.weight === 100)
            ? `${id} is in the load balancer`
            : null,
        intention: () => `put ${id} back into the load balancer`,
        act: () => loadBalancer.admit(node.server, 100),
        done: () => `${id} is back in the load balancer`,
      });
    },

    /** Gives the node's sessions to the nodes of its region that serve. */
    async handOverSessions({ node: id, how }: ActOnNode): Promise<Deed<Partial<HandOver>>> {
      const { loadBalancer, node } = place(deps, id);
      const servers = new Set(serving(await loadBalancer.members()).map(({ server }) => server));
      const to = nodesOf(config, node.region).filter(
        ({ server }) => server !== node.server && servers.has(server),
      );
      return handOver(sessions, { from: id, to: to.map((other) => other.id), how });
    },

    /**
     * Replaces the node's process. `sickPid` is the process seen before, 0 where there was none: a process with another
     * pid is the restarted one, so a repeated restart does nothing.
     */
    restartNode: beating(
      async ({ node: id, sickPid, how }: ActOnNode & { sickPid: number }): Promise<Deed<ProcessStatus>> => {
        const { node, fleet } = place(deps, id);
        return ensure(how, {
          look: () => fleet.status(node.program),
          already: ({ state, pid }) =>
            state === 'running' && pid !== sickPid ? `${id} runs as pid ${pid}` : null,
          intention: ({ state }) => `restart ${id} (${state})`,
          act: async ({ pid }) => {
            if (pid !== 0 && pid === sickPid) await fleet.kill(node.program, pid);
            await fleet.start(node.program);
          },
          done: (before, after) => `${id} was started: ${before.state} → pid ${after.pid}`,
        });
      },
    ),

    stopNode: beating(async ({ node: id, how }: ActOnNode): Promise<Deed<ProcessStatus>> => {
      const { node, fleet } = place(deps, id);
      return ensure(how, {
        look: () => fleet.status(node.program),
        already: ({ pid, state }) =>
          pid === 0 && state !== 'starting' ? `${id} does not run (${state})` : null,
        intention: () => `stop ${id}`,
        act: () => fleet.stop(node.program),
        done: () => `${id} is stopped`,
      });
    }),

    /** Makes the node known to its load balancer, without traffic yet. */
    async addToBalancer({ node: id, how }: ActOnNode): Promise<Deed<Member | null>> {
      const { loadBalancer, node, member } = around(id);
      return ensure(how, {
        look: member,
        already: (seen) => (seen ? `${id} is known to the load balancer` : null),
        intention: () => `add ${id} to the load balancer`,
        act: () => loadBalancer.add(node.server, node.address),
        done: () => `${id} was added to the load balancer, without traffic yet`,
      });
    },

    async removeFromBalancer({ node: id, how }: ActOnNode): Promise<Deed<Member | null>> {
      const { loadBalancer, node, member } = around(id);
      return ensure(how, {
        look: member,
        already: (seen) => (seen ? null : `${id} is unknown to the load balancer`),
        intention: () => `remove ${id} from the load balancer`,
        act: () => loadBalancer.remove(node.server),
        done: () => `${id} was removed from the load balancer`,
      });
    },

    /**
     * Gives the node this share of its traffic and watches it there for the ramp's interval, by the rule that its monitor
     * has too. A node that does not bear it is taken out again before this fails. @throws NODE_UNHEALTHY
     */
    rampNode: beating(
      async ({ node: id, weight, how }: ActOnNode & { weight: number }): Promise<Deed<Member | null>> => {
        const { loadBalancer, node, member } = around(id);
        const deed = await ensure(how, {
          look: member,
          // A plan has not isolated the node, so what it has now says nothing about the ramp.
          already: (seen) =>
            how.mode !== 'plan' && seen?.admin === 'ready' && seen.weight === weight
              ? `${id} has ${weight} % of its traffic`
              : null,
          intention: () => `give ${id} ${weight} % of its traffic`,
          act: () => loadBalancer.admit(node.server, weight),
          done: (before) =>
            `${id}: ${before?.admin === 'ready' ? before.weight : 0} → ${weight} % of its traffic`,
        });
        if (how.mode === 'plan') return deed;
        const end = Date.now() + millis(policies.rampInterval);
        for (let health = HEALTHY; health.state !== 'healthy' || Date.now() < end;) {
          health = await observe(deps, node.address, health);
          if (health.state === 'down') {
            await loadBalancer.isolate(node.server);
            throw new SwitchoverError(
              'NODE_UNHEALTHY',
              `${id} failed at ${weight} % of its traffic (${health.cause ?? ''}) and was taken out again`,
            );
          }
          await sleep(millis(config.health.node.suspiciousInterval));
        }
        return deed;
      },
    ),
  };
}
