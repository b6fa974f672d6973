/**
 * What is made of a look at a cache under Sentinel: whether its primary has failed, and who can take over (REQUIREMENTS F6). Pure
 * rules; who looks is activities/adapters/redis-sentinel.ts.
 *
 * A write that `WAIT 1` acknowledged is on one standby at least, and nobody knows on which. So who has all of them is known only
 * where every standby answers: it is the one that has most, because each has a beginning of the same stream.
 */

/** A server as it describes itself; all but its name is unknown of one that does not answer. */
export interface CacheMember {
  /** `m1` */
  member: string;
  reachable: boolean;
  /** Not even its machine answers: it is cut off or gone, and whatever is done about it has to wait. */
  dark?: boolean;
  /** `primary, 2 standbys` · `standby of m1, link down for 4 s` · `connection refused` … */
  said: string;
  role?: 'primary' | 'standby';
  /** Bytes of the stream of changes that it has; comparable between members of one history. */
  offset?: number;
  /** As a primary it takes no writes without a standby. */
  asksForStandby?: boolean;
  /** Of a standby: how it is connected to its primary. `silentS`: seconds since it last heard of it; undefined where it never did. */
  link?: { to?: string; up: boolean; copying: boolean; silentS?: number };
}

/** What a Sentinel believes. */
export interface SentinelView {
  /** `s1` */
  sentinel: string;
  /** The same in words. */
  said: string;
  /** Not even its machine answers. */
  dark?: boolean;
  /** The member that it takes for the primary; null where it watches none of them, undefined where it does not answer. */
  primary?: string | null;
  /** Whether it holds that one for down. */
  down: boolean;
  /** Whether it is making another one the primary. */
  failingOver: boolean;
  /** Whether it is held back: it goes on watching, and makes nobody the primary. */
  held: boolean;
  /** Of those it watches beside the primary. */
  standbys: number;
}

/** Everything that was seen in one look. */
export interface CacheView {
  members: readonly CacheMember[];
  sentinels: readonly SentinelView[];
}

/** Whether a write through the clients' address was acknowledged by a standby too. */
export interface ClientsView {
  ok: boolean;
  said: string;
}

/** What the look comes to. */
export interface CacheVerdict {
  /** Whether the primary has failed, so that somebody else has to take over. */
  failed: boolean;
  /** Why, in a sentence. */
  said: string;
  /** The member that is the primary, or was it last; undefined where nobody can tell. */
  primary?: string;
  /** Of the standbys that answer the one that has most, if any answers. */
  candidate?: string;
  /** Under a primary at work: who does not follow it, and could be brought to. */
  absent: string[];
}

/** A standby that has heard nothing for so long does not hear of its primary any more, s; a primary at work speaks each second. */
const SILENT_S = 2;

export function judgeCache(view: CacheView, clients: ClientsView): CacheVerdict {
  const { members } = view;
  const primary = primaryOf(view);
  if (primary === undefined)
    return {
      failed: false,
      said: `nobody can tell which member is the primary (${told(members)})`,
      absent: [],
    };
  const own = members.find(({ member }) => member === primary);
  const candidate = mostAhead(members, primary)?.member;
  const verdict = (failed: boolean, said: string): CacheVerdict => ({
    failed,
    said,
    primary,
    ...(candidate ? { candidate } : {}),
    absent: clients.ok ? absentOf(members, primary) : [],
  });
  if (clients.ok) return verdict(false, `${primary} takes its clients' writes (${clients.said})`);

  const lost = `its clients' writes fail (${clients.said})`;
  if (own?.role === 'primary')
    return verdict(
      false,
      `${primary} is well itself, but ${lost}: the fault is on the way to it, or its standbys are away (${told(members)})`,
    );
  const hearing = members.filter((one) => hears(one, primary)).map(({ member }) => member);
  const seen = own?.said ?? 'it is none of the members';
  if (hearing.length > 0)
    return verdict(
      false,
      `${primary} cannot be reached from here (${seen}), but ${hearing.join(' and ')} still hear${hearing.length > 1 ? '' : 's'} of it: it is well for others`,
    );
  return verdict(true, `${primary} has failed: ${lost}, no standby hears of it (${seen}), ${agreeing(view)}`);
}

/** Of the standbys of this primary the one that has most. One that is being copied has only a part. */
export function mostAhead(members: readonly CacheMember[], primary: string): CacheMember | undefined {
  return members
    .filter(({ member, role, link }) => member !== primary && role === 'standby' && !link?.copying)
    .toSorted((a, b) => b.offset! - a.offset!)[0];
}

/** Whether a member follows this primary, and is whole. */
export function follows({ role, link }: CacheMember, primary: string): boolean {
  return role === 'standby' && link?.to === primary && link.up && !link.copying;
}

/** Of the standbys of this primary one that would ask for a standby in its place, where the primary itself was told not to. */
export function asksInPlaceOf(members: readonly CacheMember[], primary: string): string | undefined {
  if (members.find(({ member }) => member === primary)?.asksForStandby) return undefined;
  return members.find((one) => follows(one, primary) && one.asksForStandby)?.member;
}

/** The one that says so; of none or several the one that is followed; then whom the Sentinels watch. */
export function primaryOf({ members, sentinels }: CacheView): string | undefined {
  const claiming = members.filter(({ role }) => role === 'primary').map(({ member }) => member);
  const followed = members.flatMap(({ role, link }) => (role === 'standby' ? (link?.to ?? []) : []));
  const watched = sentinels.flatMap(({ primary }) => primary ?? []);
  const candidates = [
    claiming,
    claiming.length > 1 ? followed.filter((one) => claiming.includes(one)) : followed,
    watched,
  ].map((names) => [...new Set(names)]);
  return candidates.find((names) => names.length === 1)?.[0];
}

function absentOf(members: readonly CacheMember[], primary: string): string[] {
  return members
    .filter((one) => one.member !== primary && !one.dark && !follows(one, primary))
    .map(({ member }) => member);
}

/** Whether a standby still hears of this primary. */
function hears({ link }: CacheMember, primary: string): boolean {
  return link?.to === primary && link.up && (link.silentS ?? Infinity) < SILENT_S;
}

function agreeing({ sentinels }: CacheView): string {
  const down = sentinels.filter((one) => one.down).length;
  return `${down} of ${sentinels.length} Sentinels hold it for down`;
}

function told(members: readonly CacheMember[]): string {
  return members.map(({ member, said }) => `${member}: ${said}`).join('; ');
}
