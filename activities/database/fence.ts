import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { DatabaseMember, DatabaseView } from '../../core/database';
import { SwitchoverError } from '../../core/errors';
import type { Remains } from '../../core/partition';
import { databaseProgram, fenceProgram, remainsProgram } from '../../core/topology';
import type { DatabaseSystems } from '../deps';
import type { Evidence, SecondLook } from '../fenced';
import type { ProcessStatus } from '../ports';

const RemainsPrinted = Type.Object({
  processes: Type.Integer(),
  data: Type.Optional(
    Type.Object({ state: Type.String(), wasPrimary: Type.Boolean(), timeline: Type.Integer() }),
  ),
});

/** The evidence that a member takes no writes, and will not by itself take any again. */
export interface Fenced extends Evidence {
  /** Nobody reaches it, so it was its own machine that said so. */
  silent?: boolean;
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

/** What a member's machine knows of it, whether it is reached or not. @throws FLEET_REFUSED where that cannot tell */
export async function remainsOf({ fleet }: DatabaseSystems, member: string): Promise<Remains> {
  return Value.Parse(RemainsPrinted, JSON.parse(await fleet.run(remainsProgram(member))));
}

/** Looks whether a member is fenced. One that answers on either side, hangs or is being started is not. */
export async function lookAtFence(systems: DatabaseSystems, name: string): Promise<FenceLook> {
  const [view, process] = await Promise.all([
    systems.database.look(),
    systems.fleet.status(databaseProgram(name)),
  ]);
  const fenced = await evidenceOf(memberOf(view, name), process, () => remainsOf(systems, name));
  return { view, process, fenced };
}

async function evidenceOf(
  { member, agent, postgres, refuses, said }: DatabaseMember,
  process: ProcessStatus,
  remains: () => Promise<Remains>,
): Promise<Fenced | null> {
  const gone = process.pid === 0 && process.state !== 'starting';
  if (!gone || agent || postgres) return null;
  const fenced = {
    member,
    said: `${process.state}, ${process.description}; ${said}`,
    at: new Date().toISOString(),
  };
  if (refuses) return fenced;
  // Silence is not enough: a hung PostgreSQL is silent, and goes on once it is woken. One that is cut off is silent and at work.
  const { processes } = await remains();
  if (processes > 0) return null;
  return { ...fenced, said: `${fenced.said}; its machine has no process of it`, silent: true };
}

/** What {@link requireFenced} looks at. */
export async function lookAgain(systems: DatabaseSystems, primary: string): Promise<SecondLook> {
  const { view, process, fenced } = await lookAtFence(systems, primary);
  const { said } = memberOf(view, primary);
  return {
    fenced,
    other: view.members.find(({ member, postgres }) => member !== primary && postgres?.writable),
    now: `${process.state}, ${process.description}; ${said}`,
  };
}

export function memberOf({ members }: DatabaseView, name: string): DatabaseMember {
  const found = members.find(({ member }) => member === name);
  if (found) return found;
  throw new SwitchoverError('UNKNOWN_TARGET', `"${name}" is not a member of the database`);
}
