import { setTimeout as delay } from 'node:timers/promises';
import { SwitchoverError, messageOf } from '../../core/errors';
import type { Deed, Intent } from '../../core/run';
import { liesIn, pathOf, kindOf } from '../../core/scope';
import { nodesOf, type Node } from '../../core/topology';
import { beating } from '../beating';
import { ownOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import type { Member } from '../ports';
import {
  assessBalancer,
  programsOf,
  type BalancerAssessment,
  type BalancerProgram,
  type OfRegion,
} from './looks';

/** What a load balancer that was just started may give traffic to, and what it may not, with the reason. */
export interface Admission {
  proven: string[];
  kept: { node: string; said: string }[];
}

/** How long a load balancer may take from its start to its first answer, ms. */
const START_MS = 5_000;
const LOOK_EVERY_MS = 50;

type OnRegion = OfRegion & { how: Intent };

/** Changes to which program is a region's load balancer, and to what it was told. */
export function balancerActs(deps: Deps) {
  /** Ends whatever could be the load balancer; what the supervisor has stopped it does not start again. */
  const end = async (region: string, programs: readonly BalancerProgram[]): Promise<void> => {
    const { fleet } = deps.region(region);
    const alive = programs.filter((one) => !isGone(one));
    await Promise.all(alive.map(({ program }) => fleet.stop(program)));
  };

  const start = async (region: string, program: string): Promise<void> => {
    const { fleet, loadBalancer } = deps.region(region);
    await requireAlone(deps, region, program);
    await fleet.start(program);
    for (const deadline = Date.now() + START_MS; ; await delay(LOOK_EVERY_MS)) {
      const why = await loadBalancer.members().then(
        () => null,
        (error: unknown) => messageOf(error),
      );
      if (why === null) return;
      if (Date.now() > deadline)
        throw new SwitchoverError('LB_UNREACHABLE', `${program} was started: ${why}`);
    }
  };

  const admitProven = async ({ region, how }: OnRegion): Promise<Deed<Admission>> => {
    const { loadBalancer } = deps.region(region);
    const pool = async () => ({
      ...(await admissible(deps, region)),
      // In a plan there is no load balancer to be asked.
      members: how.mode === 'plan' ? [] : await loadBalancer.members(),
    });
    const admission = ({ proven, kept }: Awaited<ReturnType<typeof pool>>): Admission => ({
      proven: proven.map(({ id }) => id),
      kept,
    });
    const { before, after, ...deed } = await ensure(how, {
      look: pool,
      already: ({ proven, members }) =>
        proven.length > 0 && proven.every((node) => isServing(ownOf(node, members)))
          ? `all ${proven.length} nodes that are proven healthy have their traffic`
          : null,
      refuse: ({ proven, kept }) =>
        proven.length > 0
          ? null
          : { guard: 'somebody serves', sentence: `no node of ${region} may have traffic (${told(kept)})` },
      intention: ({ proven }) => `admit ${proven.length} nodes that are proven healthy`,
      act: async ({ proven }) => {
        for (const { server, address } of proven) {
          await loadBalancer.add(server, address);
          await loadBalancer.admit(server, 100);
        }
      },
      done: (_, { proven, kept }) =>
        [`${proven.length} nodes that are proven healthy were admitted`, told(kept)]
          .filter(Boolean)
          .join('; '),
    });
    return {
      ...deed,
      ...(before && { before: admission(before) }),
      ...(after && { after: admission(after) }),
    };
  };

  return {
    /**
     * Fences a failed load balancer: no process of any program that can be it is left, hung ones are killed. Confirmed again in
     * the same activity. @throws GUARD_REFUSED where it answers after all
     */
    fenceBalancer: beating(async ({ region, how }: OnRegion): Promise<Deed<BalancerAssessment>> => {
      return ensure(how, {
        look: () => assessBalancer(deps, region),
        already: ({ failed, programs }) =>
          failed && programs.every(isGone) ? `fenced: ${processes(programs)}` : null,
        refuse: ({ failed, said }) => (failed ? null : { guard: 'balancer has failed', sentence: said }),
        intention: ({ active }) => `end the process of ${active}`,
        act: ({ programs }) => end(region, programs),
        done: (before, after) => `fenced: ${processes(before.programs)} → ${processes(after.programs)}`,
      });
    }),

    /**
     * Starts a program as the region's load balancer, which so far gives traffic to nobody.
     * @throws NOT_FENCED while another program that could be it has a process
     */
    startBalancer: beating(
      async ({ region, program, how }: OnRegion & { program: string }): Promise<Deed<BalancerProgram[]>> =>
        ensure(how, {
          look: () => programsOf(deps, region),
          already: (programs) =>
            programs.some((one) => one.program === program && one.process.state === 'running')
              ? `${program} runs`
              : null,
          intention: () => `start ${program}`,
          act: () => start(region, program),
          done: (_, programs) => `${program} was started: ${processes(programs)}`,
        }),
    ),

    /** Gives the nodes their traffic that are proven healthy and in no other run's hands. */
    admitProven: beating(admitProven),

    /** Undo of {@link fenceBalancer}: exactly one load balancer runs, and serves what is proven healthy. */
    haveOneBalancer: beating(async ({ region, how }: OnRegion): Promise<Deed> => {
      const { failed, programs, active } = await assessBalancer(deps, region);
      if (failed) {
        await end(region, programs);
        await start(region, active);
      }
      const { changed, sentence } = await admitProven({ region, how });
      return { changed, sentence: `${processes(await programsOf(deps, region))}; ${sentence}` };
    }),
  };
}

/** Two processes can listen on one address (SO_REUSEPORT), and each would get some of the clients. @throws NOT_FENCED */
async function requireAlone(deps: Deps, region: string, program: string): Promise<void> {
  const others = (await programsOf(deps, region)).filter((one) => one.program !== program && !isGone(one));
  if (others.length > 0)
    throw new SwitchoverError('NOT_FENCED', `${program} is not started: ${processes(others)}`);
}

/**
 * Nodes that a load balancer which knows nothing may give traffic to: those that answer a health check and a real MCP call, and
 * are in no other run's hands, neither alone nor with their zone; such a run brings in its nodes itself.
 */
async function admissible(deps: Deps, region: string): Promise<{ proven: Node[]; kept: Admission['kept'] }> {
  const { locks } = await deps.operations.coordination();
  const verdicts = await Promise.all(
    nodesOf(deps.config, region).map(async (node) => {
      const holder = Object.entries(locks).find(
        ([scope]) => ['node', 'zone'].includes(kindOf(scope)) && liesIn(node.id, pathOf(scope).join('/')),
      );
      if (holder) return { node, why: `is in the hands of ${holder[1].run}` };
      const health = await deps.prober.health(node.address);
      const probe = health.ok ? await deps.prober.mcp(`http://${node.address}/mcp`) : health;
      return { node, why: probe.ok ? null : probe.said };
    }),
  );
  const kept = verdicts.flatMap(({ node, why }) =>
    why === null || node.spare ? [] : [{ node: node.id, said: why }],
  );
  return { proven: verdicts.flatMap(({ node, why }) => (why === null ? [node] : [])), kept };
}

function isServing(member: Member | null): boolean {
  return member?.admin === 'ready' && member.weight === 100;
}

function isGone({ process }: BalancerProgram): boolean {
  return process.pid === 0 && process.state !== 'starting';
}

function processes(programs: readonly BalancerProgram[]): string {
  return programs
    .map(
      ({ program, process }) => `${program} ${process.state}${process.pid ? ` as pid ${process.pid}` : ''}`,
    )
    .join(', ');
}

function told(kept: Admission['kept']): string {
  return kept.map(({ node, said }) => `${node} gets none: ${said}`).join('; ');
}
