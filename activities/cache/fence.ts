import type { CacheMember, CacheView } from '../../core/cache';
import { SwitchoverError } from '../../core/errors';
import { sessionsProgram } from '../../core/topology';
import type { CacheSystems } from '../deps';
import type { Evidence, SecondLook } from '../fenced';
import type { ProcessStatus } from '../ports';

/** The evidence that a member takes no writes, and will not by itself take any again. */
export interface Fenced extends Evidence {
  /** Its process is not there, or it says itself that it is a standby. */
  proof: 'not running' | 'demoted';
}

/** Everybody, the member's process, and the evidence that it is fenced where there is any. */
export interface FenceLook {
  view: CacheView;
  process: ProcessStatus;
  fenced: Fenced | null;
}

/** Looks whether a member is fenced. One that answers as a primary, hangs or is being started is not. */
export async function lookAtFence({ cache, fleet }: CacheSystems, name: string): Promise<FenceLook> {
  const [view, process] = await Promise.all([cache.look(), fleet.status(sessionsProgram(name))]);
  return { view, process, fenced: evidenceOf(memberOf(view, name), process) };
}

function evidenceOf({ member, reachable, role, said }: CacheMember, process: ProcessStatus): Fenced | null {
  const at = new Date().toISOString();
  if (role === 'standby') return { member, proof: 'demoted', said, at };
  // Silence is not enough: one that hangs or is cut off is silent, and goes on once it is woken or found again.
  const gone = process.pid === 0 && process.state !== 'starting' && !reachable;
  if (!gone) return null;
  return { member, proof: 'not running', said: `${process.state}, ${process.description}; ${said}`, at };
}

/** What {@link requireFenced} looks at. */
export async function lookAgain(systems: CacheSystems, primary: string): Promise<SecondLook> {
  const { view, process, fenced } = await lookAtFence(systems, primary);
  const { said } = memberOf(view, primary);
  return {
    fenced,
    other: view.members.find(({ member, role }) => member !== primary && role === 'primary'),
    now: `${process.state}, ${process.description}; ${said}`,
  };
}

/** @throws UNKNOWN_TARGET */
export function memberOf({ members }: CacheView, name: string): CacheMember {
  const found = members.find(({ member }) => member === name);
  if (found) return found;
  const names = members.map(({ member }) => member).join(', ');
  throw new SwitchoverError(
    'UNKNOWN_TARGET',
    `"${name}" is not a member of the session store; there are ${names}`,
  );
}
