import { SwitchoverError } from '../../core/errors';
import { balancerPrograms } from '../environment';
import { placesOf } from '../layout';
import type { Context } from '../parts/part';
import type { Supervisor } from '../supervisor';
import { hang, kill, startPartOf } from './program';

/** What can happen to a region's load balancer. */
export const BALANCER_FAULTS = ['kill', 'hang'] as const;
export type BalancerFault = (typeof BALANCER_FAULTS)[number];

/** The region, if it is one of the sandbox. @throws UNKNOWN_TARGET */
export function requireRegion(region: string): string {
  const regions = placesOf({ recovery: true }).map(({ name }) => name);
  if (regions.includes(region)) return region;
  const message = `"${region}" is not a region of the sandbox; there are ${regions.join(', ')}`;
  throw new SwitchoverError('UNKNOWN_TARGET', message);
}

/** Gives whichever program is the region's load balancer a fault. @returns one sentence of what was done */
export async function breakBalancer(
  supervisor: Supervisor,
  region: string,
  fault: BalancerFault,
): Promise<string> {
  const programs = balancerPrograms(requireRegion(region));
  const infos = await Promise.all(programs.map((program) => supervisor.info(program)));
  const runs = infos.find(({ pid }) => pid > 0)?.name ?? programs[0];
  return (fault === 'kill' ? kill : hang)(supervisor, runs);
}

/** Wakes the load balancer, or starts it with every node in service. @returns one sentence of what was done */
export async function healBalancer(
  context: Context,
  supervisor: Supervisor,
  region: string,
): Promise<string> {
  const programs = balancerPrograms(requireRegion(region));
  await Promise.all(programs.map((program) => supervisor.signal(program, 'CONT')));
  await startPartOf(context, supervisor, programs[0]);
  return `the load balancer of ${region} serves`;
}
