import { sleep } from '@temporalio/activity';
import { whyNot } from '../../core/guards';
import type { Deed, Refusal } from '../../core/run';
import { millis } from '../../core/time';
import { findNode, type Node } from '../../core/topology';
import { beating } from '../beating';
import { memberOf, ownOf, place, type Deps } from '../deps';
import { ensure } from '../ensure';
import { lookAtPool, type Pool } from '../pool';
import type { LoadBalancer, Member } from '../ports';
import type { ActOnNode } from './acts';

/** An act by plan on a node that serves. `instead`: the node that takes its place, in service before the act. */
export interface Withdrawal extends ActOnNode {
  instead?: string | undefined;
}

/** A change of what a load balancer gives a node. */
interface Wanted {
  already: (own: Member) => boolean;
  /** What then holds, after the node's name. */
  state: string;
  intention: (id: string, current: number) => string;
  act: (loadBalancer: LoadBalancer, server: string) => Promise<void>;
}

/** Takes a node that may well be healthy out of its load balancer, without failing a call. */
export function nodeWithdrawal(deps: Deps) {
  const { config } = deps;
  const { policies, health } = config;

  const whyNotRetire = (
    node: Node,
    { members, load }: Pool,
    { how, instead }: Withdrawal,
  ): Refusal | null => {
    // A plan has not brought it into service, so that it has to be imagined there.
    const joins = how.mode === 'plan' && instead !== undefined ? [findNode(config, instead)] : [];
    const joined = joins.map(({ server }) => ({ server, admin: 'ready' as const, up: true }));
    return whyNot('retire', {
      pool: node.region,
      server: node.server,
      members: [...members, ...joined],
      minimumShare: policies.minimumHealthyShare,
      peakPerS: load.peakPerS,
      memberCapacity: policies.nodeCapacity,
    });
  };

  /** Waits until nothing goes on at the node any more. @returns what came of it, in words */
  const untilQuiet = async (node: Node, loadBalancer: LoadBalancer): Promise<string> => {
    const begun = Date.now();
    // As long as whoever probes the node takes to learn from the load balancer that it is out on purpose.
    const quietMs = millis(health.node.interval);
    for (let busyAt = begun; ; await sleep(millis(health.node.suspiciousInterval))) {
      const own = await memberOf(loadBalancer, node);
      if (own?.admin === 'drain') await loadBalancer.drain(node.server);
      const current = own?.current ?? 0;
      const now = Date.now();
      if (current > 0) busyAt = now;
      if (now - busyAt >= quietMs) return `no connections are left after ${now - begun} ms`;
      if (now - begun > millis(policies.drainTimeout))
        return `${current} connections are left after the time-out of ${policies.drainTimeout}, and will be closed`;
    }
  };

  /** One change of what the load balancer gives the node. `guarded`: whether the pool has to be able to spare it. */
  const change = async (ask: Withdrawal, guarded: boolean, to: Wanted): Promise<Deed<Member | null>> => {
    const { node: id, how } = ask;
    const { node, loadBalancer } = place(deps, id);
    const { before, after, ...deed } = await ensure(how, {
      look: () => lookAtPool(loadBalancer),
      already: ({ members }) => {
        const own = ownOf(node, members);
        if (!own) return `${id} is unknown to the load balancer`;
        return to.already(own) ? `${id} ${to.state}` : null;
      },
      refuse: (pool) => (guarded ? whyNotRetire(node, pool, ask) : null),
      intention: ({ members }) => to.intention(id, ownOf(node, members)!.current),
      act: () => to.act(loadBalancer, node.server),
      done: () => `${id} ${to.state}`,
    });
    return {
      ...deed,
      ...(before && { before: ownOf(node, before.members) }),
      ...(after && { after: ownOf(node, after.members) }),
    };
  };

  const drain = async (ask: Withdrawal, guarded: boolean): Promise<Deed<Member | null>> => {
    const deed = await change(ask, guarded, {
      already: ({ admin }) => admin !== 'ready',
      state: 'gets no new requests',
      intention: (id, current) =>
        `drain ${id} of its ${current} connections, for ${policies.drainTimeout} at most`,
      act: (loadBalancer, server) => loadBalancer.drain(server),
    });
    if (ask.how.mode === 'plan') return deed;
    const { node, loadBalancer } = place(deps, ask.node);
    const quiet = await untilQuiet(node, loadBalancer);
    return { ...deed, sentence: `${deed.sentence}; ${quiet}`, after: await memberOf(loadBalancer, node) };
  };

  const isolate = (ask: Withdrawal, guarded: boolean): Promise<Deed<Member | null>> =>
    change(ask, guarded, {
      already: ({ admin }) => admin === 'maint',
      state: 'gets no traffic',
      intention: (id) => `take ${id} out of the load balancer`,
      act: (loadBalancer, server) => loadBalancer.isolate(server),
    });

  return {
    /**
     * No new requests for the node; returns once those under way are done and it was quiet for a probe's interval, or after
     * the drain time-out of the policies, which the sentence then names.
     * @throws GUARD_REFUSED where those that would be left cannot bear the traffic
     */
    drainNode: beating((ask: Withdrawal) => drain(ask, true)),

    /** Takes a drained node out; what still goes on there is closed. @throws GUARD_REFUSED as {@link drainNode}, asked again */
    isolateNode: (ask: Withdrawal) => isolate(ask, true),

    /** Undo of bringing a node in: drained, then out. Asks no guard: so it was before. */
    withdrawNode: beating(async (ask: ActOnNode): Promise<Deed<Member | null>> => {
      const drained = await drain(ask, false);
      const isolated = await isolate(ask, false);
      return {
        ...isolated,
        changed: drained.changed || isolated.changed,
        sentence: `${drained.sentence}; ${isolated.sentence}`,
      };
    }),
  };
}
