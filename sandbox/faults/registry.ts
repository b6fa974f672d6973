import { SwitchoverError } from '../../core/errors';
import { registryProgram } from '../../core/topology';
import type { Context } from '../parts/part';
import { registryRoles } from '../parts/registry';
import type { Supervisor } from '../supervisor';
import { hang, kill, startPartOf } from './program';

/** What can happen to the registry's primary. */
export const REGISTRY_FAULTS = ['kill', 'hang'] as const;
export type RegistryFault = (typeof REGISTRY_FAULTS)[number];

/** Gives whichever member is the primary a fault. @returns one sentence of what was done */
export async function breakRegistry(
  { at }: Context,
  supervisor: Supervisor,
  fault: RegistryFault,
): Promise<string> {
  const roles = await registryRoles(at);
  const primary = roles.find(({ role }) => role === 'master');
  if (!primary) throw new SwitchoverError('SANDBOX', 'the registry has no primary that could be broken');
  return (fault === 'kill' ? kill : hang)(supervisor, registryProgram(primary.member));
}

/** Wakes and starts the members; where none is the primary, one becomes it. @returns one sentence of what was done */
export async function healRegistry(context: Context, supervisor: Supervisor): Promise<string> {
  const programs = Object.keys(context.at.registryMembers).map(registryProgram);
  await Promise.all(programs.map((program) => supervisor.signal(program, 'CONT')));
  await startPartOf(context, supervisor, programs[0]!);
  return `the registry serves: ${programs.join(' and ')} run`;
}
