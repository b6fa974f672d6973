import { setTimeout as delay } from 'node:timers/promises';
import { SwitchoverError, messageOf } from '../../core/errors';
import type { Finding } from '../../core/run';
import { findNode, regionConfig } from '../../core/topology';
import { beating } from '../beating';
import type { Deps } from '../deps';
import { proveService, type Proof } from '../node/prove';
import type { ProcessStatus } from '../ports';

/** Naming a region, as every activity on its load balancer does. */
export interface OfRegion {
  region: string;
}

/** A program that can be the load balancer, and its process. */
export interface BalancerProgram {
  program: string;
  process: ProcessStatus;
}

/** What was seen of a load balancer that is said to have failed. */
export interface BalancerAssessment {
  failed: boolean;
  /** Why, in a sentence. */
  said: string;
  programs: BalancerProgram[];
  /** The program that is the load balancer, or was last. */
  active: string;
  /** The one that can take its place. */
  standby: string;
}

/** So many looks in a row have to fail, so far apart, ms: one that is merely busy answers one of them. */
const LOOKS = 3;
const LOOK_EVERY_MS = 200;

/**
 * Confirms from two sides that a load balancer has failed: it does not answer its runtime API, and clients get nothing at its
 * address. Where either works it serves, and its pool may be what has failed, which is not its runbook's matter.
 * @throws UNKNOWN_TARGET where the region has no second one
 */
export async function assessBalancer(deps: Deps, region: string): Promise<BalancerAssessment> {
  for (let look = 1; ; look += 1) {
    const seen = await lookOnce(deps, region);
    if (!seen.failed || look === LOOKS) return seen;
    await delay(LOOK_EVERY_MS);
  }
}

async function lookOnce(deps: Deps, region: string): Promise<BalancerAssessment> {
  const { url } = regionConfig(deps.config, region).loadBalancer;
  const [runtime, clients, programs] = await Promise.all([
    deps
      .region(region)
      .loadBalancer.members()
      .then(
        (members) => ({ ok: true, said: `runtime API: ${members.length} servers` }),
        (error: unknown) => ({ ok: false, said: messageOf(error) }),
      ),
    deps.prober.health(new URL(url).host),
    programsOf(deps, region),
  ]);
  const [first, second] = programs.toSorted(
    (a, b) => b.process.pid - a.process.pid || since(b.process) - since(a.process),
  );
  const { program: active, process } = first!;
  const failed = !runtime.ok && !clients.ok;
  const said = failed
    ? `${active} has failed (${runtime.said}; clients: ${clients.said}; supervisor: ${process.state}, ${process.description})`
    : `${active} answers (${runtime.said}; clients: ${clients.said})`;
  return { failed, said, programs, active, standby: second!.program };
}

/** @throws UNKNOWN_TARGET where the region has no second load balancer */
export async function programsOf(deps: Deps, region: string): Promise<BalancerProgram[]> {
  const { programs } = regionConfig(deps.config, region).loadBalancer;
  const { fleet } = deps.region(region);
  if (programs)
    return Promise.all(programs.map(async (program) => ({ program, process: await fleet.status(program) })));
  const message = `regions.${region}.loadBalancer.programs: is missing, so there is no second load balancer to start`;
  throw new SwitchoverError('UNKNOWN_TARGET', message);
}

function since({ startedAt }: ProcessStatus): number {
  return startedAt ? Date.parse(startedAt) : 0;
}

/** Reads about a region's load balancer. */
export function balancerLooks(deps: Deps) {
  return {
    /** See {@link assessBalancer}. */
    lookAtBalancer: beating(async ({ region }: OfRegion): Promise<Finding<BalancerAssessment>> => {
      const value = await assessBalancer(deps, region);
      return { sentence: value.said, value };
    }),

    /** See {@link proveService}, with these nodes in service. */
    watchBalancer: beating(({ region, nodes }: OfRegion & { nodes: string[] }): Promise<Finding<Proof>> =>
      proveService(
        deps,
        region,
        nodes.map((id) => findNode(deps.config, id)),
      ),
    ),
  };
}
