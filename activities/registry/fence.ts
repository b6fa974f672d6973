import { SwitchoverError } from '../../core/errors';
import { registryProgram } from '../../core/topology';
import type { RegistrySystems } from '../deps';
import type { ProcessStatus, RegistryMember } from '../ports';

/** The evidence that a member takes no writes, and will not by itself take any again. */
export interface Fenced {
  member: string;
  /** Its process is not there, or it says itself that it is a standby. */
  proof: 'not running' | 'demoted';
  /** What showed it. */
  said: string;
  /** ISO time at which it was seen. */
  at: string;
}

/** A member and its process, and the evidence that it is fenced where there is one. */
export interface FenceLook {
  member: RegistryMember;
  process: ProcessStatus;
  fenced: Fenced | null;
}

/** Looks whether a member is fenced. One that answers as a primary, hangs or is being started is not. */
export async function lookAtFence({ registry, fleet }: RegistrySystems, name: string): Promise<FenceLook> {
  const [members, process] = await Promise.all([registry.members(), fleet.status(registryProgram(name))]);
  const member = members.find((one) => one.member === name)!;
  const gone = process.pid === 0 && process.state !== 'starting' && !member.reachable;
  const proof = member.role === 'standby' ? 'demoted' : gone ? 'not running' : undefined;
  if (!proof) return { member, process, fenced: null };
  const said = proof === 'demoted' ? member.said : `${process.state}, ${process.description}`;
  return { member, process, fenced: { member: name, proof, said, at: new Date().toISOString() } };
}

/**
 * Asked right before `standby` is promoted. The evidence alone does not do: the old primary is looked at again, and it has to be
 * the one that the standby followed.
 * @throws NOT_FENCED saying what is missing
 */
export async function requireFenced(
  systems: RegistrySystems,
  standby: string,
  evidence: Fenced | undefined,
): Promise<void> {
  const refuse = (why: string): never => {
    throw new SwitchoverError('NOT_FENCED', `${standby} is not promoted: ${why}`);
  };
  if (!evidence) return refuse('there is no evidence that the old primary is fenced');
  const members = await systems.registry.members();
  const other = members.find(({ member, role }) => role === 'primary' && member !== standby);
  if (other) return refuse(`${other.member} is a primary (${other.said})`);
  const followed = members.find(({ member }) => member === standby)?.link?.to;
  if (evidence.member === standby || (followed && followed !== evidence.member))
    return refuse(`the evidence is of ${evidence.member}, but it follows ${followed ?? 'nobody'}`);
  const { fenced, process, member } = await lookAtFence(systems, evidence.member);
  if (fenced) return;
  return refuse(
    `${evidence.member} was ${evidence.proof} at ${evidence.at}, but is not fenced any more (${process.state}, ${process.description}; ${member.said})`,
  );
}
