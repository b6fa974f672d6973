import { heartbeat, sleep } from '@temporalio/activity';
import { millis } from '../../core/time';
import { SwitchoverError } from '../../core/errors';
import { serving, whyNotTakeOut } from '../../core/guards';
import type { Deed, Intent } from '../../core/run';
import { nodesOf } from '../../core/topology';
import { memberOf, place, type Deps } from '../deps';
import { ensure } from '../ensure';
import type { HandOver, Member, ProcessStatus } from '../ports';
import type { OfNode } from './looks';

/** An act on one node. */
export interface ActOnNode extends OfNode {
  how: Intent;
}

/** Changes to one node. Each looks first and does nothing where the world is as wanted. */
export function nodeActs(deps: Deps) {
  const { config, prober, sessions } = deps;
  const { policies } = config;

  /** The systems around a node, and what its load balancer knows of it. */
  const around = (id: string) => {
    const found = place(deps, id);
    return { ...found, member: () => memberOf(found.loadBalancer, found.node) };
  };

  return {
    /** Takes the node out of its load balancer. The guard is asked once more, with the pool as it is now. */
    async isolateNode({ node: id, how }: ActOnNode): Promise<Deed<Member[]>> {
      const { node, loadBalancer } = place(deps, id);
      return ensure(how, {
        look: () => loadBalancer.members(),
        already: (members) => {
          const member = members.find(({ server }) => server === node.server);
          if (!member) return `${id} is not in the load balancer`;
          return member.admin === 'maint' ? `${id} gets no traffic` : null;
        },
        intention: () => `take ${id} out of the load balancer and close its connections`,
        act: async (members) => {
          const refusal = whyNotTakeOut({
            pool: node.region,
            server: node.server,
            members,
            minimumShare: policies.minimumHealthyShare,
          });
          if (refusal) throw new SwitchoverError('GUARD_REFUSED', `${refusal.guard}: ${refusal.sentence}`);
          await loadBalancer.isolate(node.server);
        },
        done: () => `${id} gets no more traffic; its connections were closed`,
      });
    },

    /** Undo of {@link isolateNode}: full weight again; the load balancer's own checks decide whether it serves. */
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
      const found = await sessions.owned(id);
      if (found === 0)
        return { changed: false, sentence: `${id} owns no sessions`, after: { found, moved: 0, lost: 0 } };
      if (how.mode === 'plan')
        return {
          changed: true,
          sentence: `would hand ${found} sessions to ${to.length} nodes`,
          before: { found },
        };
      const at = new Date().toISOString();
      const after = await sessions.handOver(
        id,
        to.map((other) => other.id),
      );
      const sentence = `${after.moved} of ${after.found} sessions handed to ${to.length} nodes, ${after.lost} lost`;
      return { changed: true, sentence, before: { found }, after, at };
    },

    /**
     * Replaces the node's process. `sickPid` is the process seen before, 0 where there was none: a process with another
     * pid is the restarted one, so a repeated restart does nothing.
     */
    async restartNode({
      node: id,
      sickPid,
      how,
    }: ActOnNode & { sickPid: number }): Promise<Deed<ProcessStatus>> {
      const { node, fleet } = place(deps, id);
      return ensure(how, {
        look: () => fleet.status(node.program),
        already: ({ state, pid }) =>
          state === 'running' && pid !== sickPid ? `${id} runs as pid ${pid}` : null,
        intention: ({ state }) => `restart ${id} (${state})`,
        act: async ({ pid }) => {
          if (pid !== 0 && pid === sickPid) await fleet.stop(node.program);
          await fleet.start(node.program);
        },
        done: (before, after) => `${id} was started: ${before.state} → pid ${after.pid}`,
      });
    },

    async stopNode({ node: id, how }: ActOnNode): Promise<Deed<ProcessStatus>> {
      const { node, fleet } = place(deps, id);
      return ensure(how, {
        look: () => fleet.status(node.program),
        already: ({ pid, state }) =>
          pid === 0 && state !== 'starting' ? `${id} does not run (${state})` : null,
        intention: () => `stop ${id}`,
        act: () => fleet.stop(node.program),
        done: () => `${id} is stopped`,
      });
    },

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
     * Gives the node this share of its traffic and watches it there for the ramp's interval. A node that does not bear
     * it is taken out again before this fails. @throws NODE_UNHEALTHY
     */
    async rampNode({ node: id, weight, how }: ActOnNode & { weight: number }): Promise<Deed<Member | null>> {
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
      for (const end = Date.now() + millis(policies.rampInterval); Date.now() < end;) {
        heartbeat();
        const probe = await prober.health(node.address);
        if (!probe.ok) {
          await loadBalancer.isolate(node.server);
          throw new SwitchoverError(
            'NODE_UNHEALTHY',
            `${id} failed at ${weight} % of its traffic (${probe.said}) and was taken out again`,
          );
        }
        await sleep(millis(config.health.node.suspiciousInterval));
      }
      return deed;
    },
  };
}
