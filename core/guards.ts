import { isDegraded, type DegradedRule } from './health';
import type { Refusal } from './run';
import { liesIn } from './scope';

/** A pool member as guards see it. */
export interface PoolMember {
  server: string;
  admin: 'ready' | 'drain' | 'maint';
  up: boolean;
}

/** A guard's question: may `server` be taken out of this pool? */
export interface TakeOut {
  /** For the sentence: `us-east-1`. */
  pool: string;
  server: string;
  members: readonly PoolMember[];
  /** 0 to 1: share of the pool that has to stay in service. */
  minimumShare: number;
}

/** Members that serve clients now. */
export function serving(members: readonly PoolMember[]): PoolMember[] {
  return members.filter(({ admin, up }) => admin === 'ready' && up);
}

/** A guard's question: may the sessions of one place be moved to another? Places by path. */
export interface MoveSessions {
  from: string;
  to: string;
  /** Nodes of `to` that serve, as their load balancer says. */
  serving: number;
  /** Nodes that `to` has in service when all is well. */
  of: number;
  /** 0 to 1: share of a pool that has to be in service. */
  minimumShare: number;
}

/**
 * Why sessions must not be moved between these places, or null: never to where they are, never to where nobody serves, nor
 * to a place that has lost too much of itself to take the load of another.
 */
export function whyNotMoveSessions(move: MoveSessions): Refusal | null {
  const { from, to, serving: left, of, minimumShare } = move;
  if (liesIn(from, to) || liesIn(to, from))
    return {
      guard: 'another place',
      sentence: `${from} and ${to} are the same place, or one is in the other`,
    };
  if (left === 0)
    return {
      guard: 'receivers serve',
      sentence: `no node of ${to} serves: it cannot take the sessions of ${from}`,
    };
  if (left / of < minimumShare) {
    return {
      guard: 'minimum healthy share',
      sentence: `${left} of ${of} nodes of ${to} serve, below the minimum share of ${Math.round(minimumShare * 100)} %: it cannot take the sessions of ${from}`,
    };
  }
  return null;
}

/**
 * Why a member must not be taken out of its pool, or null (DESIGN section 4): never the last healthy member, never
 * below the minimum healthy share. What the pool would lose is judged without the member, healthy or not.
 */
export function whyNotTakeOut({ pool, server, members, minimumShare }: TakeOut): Refusal | null {
  if (!members.some((member) => member.server === server)) return null;
  const left = serving(members).filter((member) => member.server !== server).length;
  const of = members.length;
  if (left === 0) {
    return {
      guard: 'last healthy member',
      sentence: `${server} must stay: no other of the ${of} members of pool ${pool} is healthy; this is a failure of the pool, not of a node`,
    };
  }
  if (left / of < minimumShare) {
    return {
      guard: 'minimum healthy share',
      sentence: `${server} must stay: without it ${left} of ${of} members of pool ${pool} serve, below the minimum share of ${Math.round(minimumShare * 100)} %`,
    };
  }
  return null;
}

/** A guard's question: may a member that may well be healthy be taken out of its pool, for good? */
export interface Retire extends TakeOut, Headroom {}

/** What a pool has to bear. */
interface Headroom {
  /** Requests a second at the pool's measured peak; null where nobody has measured it. */
  peakPerS: number | null;
  /** Requests a second that one member bears. */
  memberCapacity: number;
}

/**
 * Why a member must not be taken out by plan, or null: where {@link whyNotTakeOut} has a reason, and where too few would be
 * left for the measured peak. A failed one bears nothing, so that its failover does not ask this.
 */
export function whyNotRetire(question: Retire): Refusal | null {
  const refusal = whyNotTakeOut(question);
  if (refusal) return refusal;
  const { pool, server, members } = question;
  const left = serving(members).filter((member) => member.server !== server).length;
  const why = whyNotBear(left, question);
  if (why === null) return null;
  return {
    guard: 'capacity headroom',
    sentence: `${server} must stay: without it ${left} of ${members.length} members of pool ${pool} serve, ${why}`,
  };
}

/** What speaks against leaving the measured peak to so many members, or null. */
function whyNotBear(left: number, { peakPerS, memberCapacity }: Headroom): string | null {
  if (peakPerS === null) return 'and the peak they would have to bear is not known';
  const needed = Math.ceil(peakPerS / memberCapacity);
  if (left >= needed) return null;
  return `but the measured peak of ${peakPerS} requests/s needs ${needed} at ${memberCapacity} each`;
}

/** A guard's question: may a region begin to serve with the nodes that have come up? */
export interface Form {
  region: string;
  healthy: number;
  of: number;
  /** 0 to 1: share of the region's nodes that has to be in service. */
  minimumShare: number;
}

/** Why a region must not begin to serve, or null: never with fewer than the minimum healthy share of its nodes. */
export function whyNotForm({ region, healthy, of, minimumShare }: Form): Refusal | null {
  if (healthy / of >= minimumShare) return null;
  return {
    guard: 'minimum healthy share',
    sentence: `${region} must not serve yet: ${healthy} of ${of} nodes are healthy, below the minimum share of ${Math.round(minimumShare * 100)} %`,
  };
}

/** A guard's question: may a whole zone be taken out of this pool? */
export interface TakeOutZone extends Headroom {
  /** For the sentence: `us-east-1`. */
  pool: string;
  /** For the sentence: `us-east-1/a`. */
  zone: string;
  /** The members that are the zone's. */
  servers: readonly string[];
  members: readonly PoolMember[];
  /** 0 to 1: share of the pool that has to stay in service. */
  minimumShare: number;
}

/**
 * Why a zone must not be left, or null (DESIGN section 4): never the last zone that serves, never below the minimum
 * healthy share, never fewer members than the pool's measured peak takes. What is left is what serves elsewhere.
 */
export function whyNotTakeOutZone(question: TakeOutZone): Refusal | null {
  const { pool, zone, servers, members, minimumShare } = question;
  const left = serving(members).filter(({ server }) => !servers.includes(server)).length;
  const refuse = (guard: string, why: string): Refusal => ({
    guard,
    sentence: `zone ${zone} must stay: ${why}`,
  });
  if (left === 0)
    return refuse('last serving zone', `no other zone of ${pool} serves; this is a failure of the region`);
  const without = `without it ${left} of ${members.length} members of pool ${pool} serve`;
  if (left / members.length < minimumShare) {
    const share = Math.round(minimumShare * 100);
    return refuse('minimum healthy share', `${without}, below the minimum share of ${share} %`);
  }
  const why = whyNotBear(left, question);
  return why === null ? null : refuse('capacity headroom', `${without}, ${why}`);
}

/** A guard's question: may a zone that was left get traffic again? */
export interface BringBackZone {
  zone: string;
  /** Of the zone's nodes, how many have failed. */
  failed: number;
  of: number;
  rule: DegradedRule;
}

/** Why a zone must not get traffic, or null: not while so many of its nodes have failed that it would be left again. */
export function whyNotBringBackZone({ zone, failed, of, rule }: BringBackZone): Refusal | null {
  if (!isDegraded(failed, of, rule)) return null;
  return {
    guard: 'zone still degraded',
    sentence: `zone ${zone} must stay out: ${failed} of its ${of} nodes do not serve, more than ${Math.round(rule.share * 100)} %`,
  };
}

/** A guard's question: may this standby become the primary? */
export interface Promote {
  /** For the sentence: `r2`; undefined where no standby answers. */
  standby: string | undefined;
  /** Whether it is being copied from its primary right now. */
  copying: boolean;
  /** Seconds since it last heard of its primary; undefined where it never did. */
  silentS: number | undefined;
}

/** Why a standby must not be promoted, or null: what it lacks has to be known, and be no more than the last moments. */
export function whyNotPromote({ standby, copying, silentS }: Promote): Refusal | null {
  if (standby === undefined)
    return { guard: 'standby answers', sentence: 'no standby answers: there is nobody to promote' };
  if (silentS === undefined)
    return {
      guard: 'standby lag known',
      sentence: `${standby} must stay a standby: it never had a link to its primary, so nobody knows what it lacks`,
    };
  if (copying)
    return {
      guard: 'standby whole',
      sentence: `${standby} must stay a standby: it is being copied from its primary, and has only a part`,
    };
  return null;
}
