/**
 * Who of the database's members is with the primary, and who was the primary where none is (REQUIREMENTS F9, H6). Pure rules; who
 * looks is activities/adapters/patroni.ts, and of members that nobody reaches their own machines.
 */
import {
  follows,
  isJoining,
  primaryAtWork,
  type DatabaseMember,
  type DatabaseRoster,
  type DatabaseView,
} from './database';

/** A member that is not with the primary. */
export interface Apart {
  member: string;
  /**
   * `writes`: it takes writes beside the primary · `silent`: nobody can tell · `stopped`: neither its agent nor its PostgreSQL is there ·
   * `joins`: it is made or started right now · `lags`: its agent runs, and it does not follow.
   */
  standing: 'writes' | 'silent' | 'stopped' | 'joins' | 'lags';
  said: string;
}

/** Whether a member's agent is at work, which brings it to follow by itself. */
export function agentAtWork({ standing }: Pick<Apart, 'standing'>): boolean {
  return standing === 'lags' || standing === 'joins';
}

/** Those of its members that are not with this primary. */
export function membersApart(view: DatabaseRoster, primary: string | undefined): Apart[] {
  return view.members
    .filter(({ member }) => member !== primary && !follows(view, member))
    .map((one) => ({ member: one.member, standing: standingOf(one), said: one.said }));
}

/**
 * Members apart from a primary at work that can be brought back to it. One that is on its way is left alone, however long that takes.
 * One that is silent cannot be; if it was the primary, the failover that replaced it has fenced it. Whether clients can write is not
 * asked: in synchronous mode they wait for the very standby that is away.
 */
export function membersToBring(view: DatabaseRoster): Apart[] {
  const primary = primaryAtWork(view)?.member;
  if (primary === undefined) return [];
  return membersApart(view, primary).filter(({ standing }) => standing !== 'silent' && standing !== 'joins');
}

function standingOf({ agent, postgres, refuses }: DatabaseMember): Apart['standing'] {
  if (postgres?.writable) return 'writes';
  if (agent) return isJoining(agent.state) ? 'joins' : 'lags';
  return refuses ? 'stopped' : 'silent';
}

/** What is left of a member, as its own machine knows it. */
export interface Remains {
  /** How many of its processes there are, hung ones too. */
  processes: number;
  /** Undefined where it has none that can be read. `state` in PostgreSQL's words. */
  data?: { state: string; wasPrimary: boolean; timeline: number };
}

/**
 * Which member was the primary last: the one whose data were a primary's on a timeline that no other member has gone beyond. Each
 * primary begins a timeline of its own, so one that was followed by another has a smaller one.
 * @param remains of each member whose PostgreSQL does not answer
 * @returns undefined where nobody can tell: somebody's data are not there to be compared, or two claim the same
 */
export function lastPrimary(
  remains: Readonly<Record<string, Remains | undefined>>,
  view: DatabaseView,
): string | undefined {
  const unseen = view.members.some(({ member, postgres }) => !postgres && !remains[member]?.data);
  if (unseen) return undefined;
  const running = view.members.flatMap(({ postgres }) => postgres?.timeline ?? []);
  const known = Object.values(remains).flatMap((one) => one?.data?.timeline ?? []);
  const newest = Math.max(...running, ...known);
  const claims = Object.entries(remains).filter(
    ([, one]) => one?.data?.wasPrimary && one.data.timeline === newest,
  );
  return claims.length === 1 ? claims[0]![0] : undefined;
}
