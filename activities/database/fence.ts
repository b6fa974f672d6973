import type { DatabaseMember, DatabaseView } from '../../core/database';
import { SwitchoverError } from '../../core/errors';
import { databaseProgram, fenceProgram } from '../../core/topology';
import type { DatabaseSystems } from '../deps';
import type { ProcessStatus } from '../ports';

/** The evidence that a member takes no writes, and will not by itself take any again. */
export interface Fenced {
  member: string;
  /** What showed it. */
  said: string;
  /** ISO time at which it was seen. */
  at: string;
}

/** A member with its agent's process, and the evidence that it is fenced where there is any. */
export interface FenceLook {
  view: DatabaseView;
  process: ProcessStatus;
  fenced: Fenced | null;
}

/**
 * Fences a member: every process of it is killed, its agent's, its PostgreSQL's and those of its clients' connections, hung ones
 * too. To ask a sick server to end would mean waiting for it; what a kill leaves unwritten its standby has.
 * @throws FLEET_REFUSED, VERIFY_FAILED where something of it is left
 */
export async function fence({ fleet }: DatabaseSystems, member: string): Promise<void> {
  await fleet.run(fenceProgram(member));
  // The supervisor learns of the death of its own child a moment later; until then it would start nothing anew.
  await fleet.stop(databaseProgram(member));
}

/** Looks whether a member is fenced. One that answers on either side, hangs or is being started is not. */
export async function lookAtFence(systems: DatabaseSystems, name: string): Promise<FenceLook> {
  const [view, process] = await Promise.all([
    systems.database.look(),
    systems.fleet.status(databaseProgram(name)),
  ]);
  return { view, process, fenced: evidenceOf(memberOf(view, name), process) };
}

function evidenceOf(
  { member, agent, postgres, said }: DatabaseMember,
  process: ProcessStatus,
): Fenced | null {
  const gone = process.pid === 0 && process.state !== 'starting';
  // Silence is not enough: a hung PostgreSQL is silent, and goes on once it is woken. One that is gone refuses.
  const refuses = /PostgreSQL: connection refused/.test(said);
  if (!gone || agent || postgres || !refuses) return null;
  return { member, said: `${process.state}, ${process.description}; ${said}`, at: new Date().toISOString() };
}

/**
 * Asked right before the lease is released. The evidence alone does not do: the old primary is looked at again, nobody else may
 * take writes, and it has to be the one that has the lease.
 * @throws NOT_FENCED saying what is missing
 */
export async function requireFenced(
  systems: DatabaseSystems,
  primary: string,
  evidence: Fenced | undefined,
): Promise<void> {
  const refuse = (why: string): never => {
    throw new SwitchoverError('NOT_FENCED', `nobody takes over from ${primary}: ${why}`);
  };
  if (!evidence) return refuse('there is no evidence that it is fenced');
  if (evidence.member !== primary) return refuse(`the evidence is of ${evidence.member}`);
  const { view, process, fenced } = await lookAtFence(systems, primary);
  const other = view.members.find(({ member, postgres }) => member !== primary && postgres?.writable);
  if (other) return refuse(`${other.member} takes writes already (${other.said})`);
  if (fenced) return;
  const { said } = memberOf(view, primary);
  return refuse(
    `it was fenced at ${evidence.at}, but is not any more (${process.state}, ${process.description}; ${said})`,
  );
}

export function memberOf({ members }: DatabaseView, name: string): DatabaseMember {
  const found = members.find(({ member }) => member === name);
  if (found) return found;
  throw new SwitchoverError('UNKNOWN_TARGET', `"${name}" is not a member of the database`);
}
