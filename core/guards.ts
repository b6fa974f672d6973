import { isDegraded, type DegradedRule } from './health';
import type { Refusal } from './run';
import { liesIn } from './scope';

/** A pool member as guards see it. */
export interface PoolMember {
  server: string;
  admin: 'ready' | 'drain' | 'maint';
  up: boolean;
}

/** Members that serve clients now. */
export function serving(members: readonly PoolMember[]): PoolMember[] {
  return members.filter(({ admin, up }) => admin === 'ready' && up);
}

/** What a pool would be left with. */
interface Leave {
  /** For the sentence: `us-east-1`. */
  pool: string;
  members: readonly PoolMember[];
  /** 0 to 1: share of the pool that has to stay in service. */
  minimumShare: number;
}

/** What a pool has to bear. */
interface Bear {
  /** Requests a second at the pool's measured peak; null where nobody has measured it. */
  peakPerS: number | null;
  /** Requests a second that one member bears. */
  memberCapacity: number;
}

/** What is asked before each act that could do harm. */
export interface Questions {
  /** May a member that has failed be taken out of its pool? It bears nothing, so that the peak is not asked for. */
  'take out': Leave & { server: string };
  /** May a member that may well be healthy be taken out of its pool, for good? */
  retire: Leave & Bear & { server: string };
  /** May a whole zone be taken out of this pool? `servers` are the members that are the zone's. */
  'take out zone': Leave & Bear & { zone: string; servers: readonly string[] };
  /** May a zone that was left get traffic again? `failed` counts those of its nodes that do not serve. */
  'bring back zone': { zone: string; failed: number; of: number; rule: DegradedRule };
  /**
   * May a region be left by its clients? `doubt`: why nobody can say that it has failed, undefined where that is clear or nobody has to;
   * `receivers`: regions that would take its traffic, and those of them that cannot bear their share; `planned`: nothing forces it.
   */
  'leave region': {
    region: string;
    doubt: string | undefined;
    receivers: readonly string[];
    strained: readonly string[];
    planned: boolean;
  };
  /** May clients be led to a region again? `why`: what speaks against it as it is seen from outside; undefined where nothing does. */
  'lead back': { region: string; why: string | undefined };
  /** May a region begin to serve with the nodes that have come up? */
  'form region': { region: string; healthy: number; of: number; minimumShare: number };
  /**
   * May the sessions of one place be moved to another? Places by path; `serving`: nodes of `to` that serve, as their load
   * balancer says; `of`: nodes that `to` has in service when all is well.
   */
  'move sessions': { from: string; to: string; serving: number; of: number; minimumShare: number };
  /**
   * May this standby become the primary? `standby`: undefined where none answers; `copying`: whether it is being copied from
   * its primary right now; `silentS`: seconds since it last heard of its primary, undefined where it never did.
   */
  'promote standby': { standby: string | undefined; copying: boolean; silentS: number | undefined };
  /**
   * May somebody take over the database from its failed primary? `candidate`: undefined where nobody could; `writable`: standbys
   * that take writes; `control`: whether the control plane answers.
   */
  'take over database': {
    primary: string;
    candidate: string | undefined;
    synchronous: boolean;
    writable: readonly string[];
    control: boolean;
  };
  /** May the last primary be started, where nobody can take over from it? `writable`: others that take writes. */
  'start primary': { primary: string; writable: readonly string[] };
  /** May a member be fenced that is not with the primary? `atWork`: whether `primary` takes its clients' writes. */
  'pause member': { member: string; primary: string | undefined; atWork: boolean };
  /**
   * May this standby take over from a primary that is well? `candidate`: undefined where none follows; `lagBytes`: what it has not
   * received yet, undefined where that is not known; `smaller`: its settings that are smaller than the primary's, in words.
   */
  'switch database': {
    primary: string;
    candidate: string | undefined;
    well: boolean;
    follows: boolean;
    /** Whether the cluster is, and the candidate. */
    synchronous: { cluster: boolean; candidate: boolean };
    lagBytes: number | undefined;
    smaller: readonly string[];
  };
  /**
   * May a restored copy be put in the database's place? `copy`: the backup that it was made from, undefined where there is none; `to`:
   * the instant that it waits at; `control`: whether the control plane answers.
   */
  'put copy in place': { copy: string | undefined; to: string | null | undefined; control: boolean };
  /**
   * May somebody take over the session store from its failed primary? `candidate`: of the standbys that answer the one that has
   * most, undefined where none answers; `writable`: those that take writes; `silent`: other members that do not answer.
   */
  'take over cache': {
    primary: string;
    candidate: string | undefined;
    writable: readonly string[];
    silent: readonly string[];
  };
  /**
   * May a member be made the primary of the session store by hand? `watching`: Sentinels that might make another one it
   * meanwhile, because they are not held back or do not answer.
   */
  'promote past Sentinel': { candidate: string; watching: readonly string[] };
  /**
   * May a primary at work hand over to this member? `primary`: undefined where none takes its clients' writes; `follows`: whether
   * the member does follow it; `absent`: who else does not.
   */
  'hand over cache': { primary: string | undefined; to: string; follows: boolean; absent: readonly string[] };
  /**
   * May clients be led to the regions with a weight above 0? `serving`: of all regions those that serve clients, as seen from here at
   * the addresses the name gives.
   */
  'shift traffic': { name: string; weights: Readonly<Record<string, number>>; serving: readonly string[] };
}

/** What a standby may still have to receive when a planned change of roles begins, bytes: Patroni's own bound for a failover. */
const SWITCH_LAG_BYTES = 1_048_576;

/** One rule: its name, and why it refuses an act, or null. */
interface Guard<Question> {
  name: string;
  refuses: (question: Question) => string | null;
}

/** Never the last healthy member (DESIGN section 4). What is left is judged without the member, healthy or not. */
const lastHealthyMember: Guard<Questions['take out']> = {
  name: 'last healthy member',
  refuses: (question) =>
    left(question) > 0 || !isMember(question)
      ? null
      : `${question.server} must stay: no other of the ${question.members.length} members of pool ${question.pool} is healthy; this is a failure of the pool, not of a node`,
};

/** Never below the minimum healthy share (DESIGN section 4). */
const memberShare: Guard<Questions['take out']> = {
  name: 'minimum healthy share',
  refuses: (question) =>
    isMember(question)
      ? because(belowShare(left(question), question), `${question.server} must stay: ${without(question)}`)
      : null,
};

/** Never fewer members than the pool's measured peak takes (DESIGN section 4). */
const memberHeadroom: Guard<Questions['retire']> = {
  name: 'capacity headroom',
  refuses: (question) =>
    because(tooFewFor(left(question), question), `${question.server} must stay: ${without(question)}`),
};

/** Never the last zone that serves: that is the failure of a region. What is left is what serves elsewhere. */
const lastServingZone: Guard<Questions['take out zone']> = {
  name: 'last serving zone',
  refuses: (question) =>
    left(question) > 0
      ? null
      : `zone ${question.zone} must stay: no other zone of ${question.pool} serves; this is a failure of the region`,
};

const zoneShare: Guard<Questions['take out zone']> = {
  name: 'minimum healthy share',
  refuses: (question) =>
    because(belowShare(left(question), question), `zone ${question.zone} must stay: ${without(question)}`),
};

const zoneHeadroom: Guard<Questions['take out zone']> = {
  name: 'capacity headroom',
  refuses: (question) =>
    because(tooFewFor(left(question), question), `zone ${question.zone} must stay: ${without(question)}`),
};

/** Not while so many of its nodes have failed that the zone would be left again. */
const zoneWell: Guard<Questions['bring back zone']> = {
  name: 'zone still degraded',
  refuses: ({ zone, failed, of, rule }) =>
    isDegraded(failed, of, rule)
      ? `zone ${zone} must stay out: ${failed} of its ${of} nodes do not serve, more than ${percent(rule.share)}`
      : null,
};

/** One vantage point cannot tell a dead region from one that only it does not reach (DESIGN section 4). */
const twoVantagePoints: Guard<Questions['leave region']> = {
  name: 'two vantage points',
  refuses: ({ region, doubt }) => (doubt === undefined ? null : `${region} must not be left: ${doubt}`),
};

/** Never the last region that serves. */
const someRegionReceives: Guard<Questions['leave region']> = {
  name: 'last serving region',
  refuses: ({ region, receivers }) =>
    receivers.length > 0 ? null : `${region} must not be left: no other region serves that could take over`,
};

/** A region that is dead bears nothing, so that whoever bears a part is better; one that is well is not left for less. */
const regionHeadroom: Guard<Questions['leave region']> = {
  name: 'capacity headroom',
  refuses: ({ region, strained, planned }) =>
    planned && strained.length > 0
      ? `${region} must stay: ${strained.join(' and ')} cannot bear its traffic at the measured peak`
      : null,
};

const regionSeenWell: Guard<Questions['lead back']> = {
  name: 'seen well from outside',
  refuses: ({ region, why }) =>
    why === undefined ? null : `clients must not be led to ${region} yet: ${why}`,
};

const regionShare: Guard<Questions['form region']> = {
  name: 'minimum healthy share',
  refuses: ({ region, healthy, of, minimumShare }) =>
    healthy / of >= minimumShare
      ? null
      : `${region} must not serve yet: ${healthy} of ${of} nodes are healthy, below the minimum share of ${percent(minimumShare)}`,
};

/** Never to where the sessions are. */
const anotherPlace: Guard<Questions['move sessions']> = {
  name: 'another place',
  refuses: ({ from, to }) =>
    liesIn(from, to) || liesIn(to, from)
      ? `${from} and ${to} are the same place, or one is in the other`
      : null,
};

/** Never to where nobody serves. */
const receiversServe: Guard<Questions['move sessions']> = {
  name: 'receivers serve',
  refuses: ({ from, to, serving: receiving }) =>
    receiving > 0 ? null : `no node of ${to} serves: it cannot take the sessions of ${from}`,
};

/** Never to a place that has lost too much of itself to take the load of another. */
const receiverShare: Guard<Questions['move sessions']> = {
  name: 'minimum healthy share',
  refuses: ({ from, to, serving: receiving, of, minimumShare }) =>
    receiving / of >= minimumShare
      ? null
      : `${receiving} of ${of} nodes of ${to} serve, below the minimum share of ${percent(minimumShare)}: it cannot take the sessions of ${from}`,
};

const standbyAnswers: Guard<Questions['promote standby']> = {
  name: 'standby answers',
  refuses: ({ standby }) => (standby === undefined ? 'no standby answers: there is nobody to promote' : null),
};

/** What a standby lacks has to be known. */
const standbyLagKnown: Guard<Questions['promote standby']> = {
  name: 'standby lag known',
  refuses: ({ standby, silentS }) =>
    silentS === undefined
      ? `${standby} must stay a standby: it never had a link to its primary, so nobody knows what it lacks`
      : null,
};

/** What a standby lacks has to be no more than the last moments. */
const standbyWhole: Guard<Questions['promote standby']> = {
  name: 'standby whole',
  refuses: ({ standby, copying }) =>
    copying
      ? `${standby} must stay a standby: it is being copied from its primary, and has only a part`
      : null,
};

/** Never two primaries: who of them is right is for a person to say. */
const noSecondPrimary: Guard<Questions['start primary']> = {
  name: 'no second primary',
  refuses: ({ primary, writable }) =>
    writable.length > 0
      ? `nobody may take over from ${primary}: ${writable.join(' and ')} takes writes already`
      : null,
};

/** The minority pauses, the majority goes on (REQUIREMENTS H6): so there must be one, and it is not paused. */
const majorityGoesOn: Guard<Questions['pause member']> = {
  name: 'majority goes on',
  refuses: ({ member, primary, atWork }) => {
    if (!atWork) return `${member} must not be paused: no other member is the primary`;
    return member === primary ? `${member} must not be paused: it is the primary` : null;
  },
};

/** Who takes over does so by the lease, which nobody can hand over while it cannot be reached. */
const controlPlaneAnswers: Guard<Questions['take over database']> = {
  name: 'control plane answers',
  refuses: ({ primary, control }) =>
    control
      ? null
      : `nobody can take over from ${primary}: the control plane that keeps the lease does not answer`,
};

/** Never who may lack acknowledged writes (REQUIREMENTS F5). */
const candidateHasAll: Guard<Questions['take over database']> = {
  name: 'candidate has every write',
  refuses: ({ primary, candidate, synchronous }) =>
    candidate === undefined
      ? `nobody can take over from ${primary}: no ${synchronous ? 'synchronous ' : ''}standby answers`
      : null,
};

/** What is planned waits until it is safe; a primary that is not well is database-failover's. */
const primaryIsWell: Guard<Questions['switch database']> = {
  name: 'primary is well',
  refuses: ({ primary, well }) =>
    well ? null : `${primary} does not take its clients' writes: that is for database-failover`,
};

/** Never who may lack acknowledged writes, nor who could not catch up while clients wait (REQUIREMENTS F5). */
const successorHasAll: Guard<Questions['switch database']> = {
  name: 'candidate has every write',
  refuses: ({ primary, candidate, follows, synchronous, lagBytes }) => {
    if (candidate === undefined) return `nobody can take over from ${primary}: no standby follows it`;
    if (!follows) return `${candidate} cannot take over from ${primary}: it does not follow it`;
    if (synchronous.cluster && !synchronous.candidate)
      return `${candidate} cannot take over from ${primary}: it is not its synchronous standby`;
    if (lagBytes === undefined)
      return `${candidate} cannot take over from ${primary}: how far it is behind is not known`;
    return lagBytes <= SWITCH_LAG_BYTES
      ? null
      : `${candidate} cannot take over from ${primary}: it is ${lagBytes} bytes behind, more than ${SWITCH_LAG_BYTES}`;
  },
};

/** A primary smaller than those that follow it is one that they stop replaying from. */
const settingsParity: Guard<Questions['switch database']> = {
  name: 'settings parity',
  refuses: ({ primary, candidate, smaller }) =>
    smaller.length === 0
      ? null
      : `${candidate} must not take over from ${primary}: it is set up smaller (${smaller.join(', ')})`,
};

/** Only what a person has chosen by its instant, and could look at. */
const copyOfInstant: Guard<Questions['put copy in place']> = {
  name: 'copy of an instant',
  refuses: ({ copy, to }) => {
    if (copy === undefined) return 'there is no restored copy; make one with restore-point-in-time';
    return to ? null : `the copy of ${copy} was made of no instant`;
  },
};

/** Else no member could become the primary, and the database would stay down. */
const controlPlaneThere: Guard<Questions['put copy in place']> = {
  name: 'control plane answers',
  refuses: ({ control }) =>
    control
      ? null
      : 'the database must not be stopped: its control plane does not answer, so nobody could become the primary',
};

const noOtherPrimary: Guard<Questions['take over cache']> = {
  name: 'no second primary',
  refuses: ({ primary, writable }) =>
    writable.length > 0
      ? `nobody may take over from ${primary}: ${writable.join(' and ')} takes writes already`
      : null,
};

const someStandbyAnswers: Guard<Questions['take over cache']> = {
  name: 'standby answers',
  refuses: ({ primary, candidate }) =>
    candidate === undefined ? `nobody can take over from ${primary}: no standby that is whole answers` : null,
};

/** A write that one standby acknowledged may be on the one that is silent, and on no other. */
const everyStandbyAnswers: Guard<Questions['take over cache']> = {
  name: 'candidate has every write',
  refuses: ({ primary, candidate, silent }) =>
    silent.length > 0
      ? `${candidate} may lack writes of ${primary} that were acknowledged: ${silent.join(' and ')}, which may have them, does not answer. The Sentinels, who ask for less, are not held back`
      : null,
};

/** Never beside somebody who may promote another one at the same moment. */
const sentinelsHeld: Guard<Questions['promote past Sentinel']> = {
  name: 'Sentinels held back',
  refuses: ({ candidate, watching }) =>
    watching.length > 0
      ? `${candidate} must not be made the primary: ${watching.join(' and ')} may make another one it meanwhile`
      : null,
};

const primaryAtWork: Guard<Questions['hand over cache']> = {
  name: 'primary at work',
  refuses: ({ primary, to }) =>
    primary === undefined
      ? `nobody can hand over to ${to}: no primary takes its clients' writes; that is a failover`
      : null,
};

/** Else the store would be left with less than it had. */
const storeWhole: Guard<Questions['hand over cache']> = {
  name: 'store is whole',
  refuses: ({ primary, absent }) =>
    absent.length > 0 ? `${primary} must stay the primary: ${absent.join(' and ')} does not follow it` : null,
};

const receiverFollows: Guard<Questions['hand over cache']> = {
  name: 'receiver follows',
  refuses: ({ primary, to, follows }) =>
    follows ? null : `${primary} cannot hand over to ${to}: it is none of its standbys`,
};

/** Never to where nobody would serve: a nameserver answers with a region that is down rather than with nothing. */
const someRegionServes: Guard<Questions['shift traffic']> = {
  name: 'some region serves',
  refuses: ({ name, weights, serving: well }) => {
    const chosen = Object.keys(weights).filter((region) => (weights[region] ?? 0) > 0);
    if (chosen.some((region) => well.includes(region))) return null;
    const others = well.length > 0 ? `${well.join(' and ')} would, at weight 0` : 'no region does';
    return `${name} must not lead to ${chosen.join(' and ') || 'no region'} alone: nobody serves there; ${others}`;
  },
};

/** The guards of each act, in the order in which they are asked. */
export const GUARDS: { readonly [Act in keyof Questions]: readonly Guard<Questions[Act]>[] } = {
  'take out': [lastHealthyMember, memberShare],
  retire: [lastHealthyMember, memberShare, memberHeadroom],
  'take out zone': [lastServingZone, zoneShare, zoneHeadroom],
  'bring back zone': [zoneWell],
  'leave region': [twoVantagePoints, someRegionReceives, regionHeadroom],
  'lead back': [regionSeenWell],
  'form region': [regionShare],
  'move sessions': [anotherPlace, receiversServe, receiverShare],
  'promote standby': [standbyAnswers, standbyLagKnown, standbyWhole],
  'switch database': [primaryIsWell, successorHasAll, settingsParity],
  'take over database': [noSecondPrimary, controlPlaneAnswers, candidateHasAll],
  'start primary': [noSecondPrimary],
  'pause member': [majorityGoesOn],
  'take over cache': [noOtherPrimary, someStandbyAnswers, everyStandbyAnswers],
  'promote past Sentinel': [sentinelsHeld],
  'put copy in place': [copyOfInstant, controlPlaneThere],
  'hand over cache': [primaryAtWork, storeWhole, receiverFollows],
  'shift traffic': [someRegionServes],
};

/** The first guard that refuses this act, and why; null where none does. */
export function whyNot<Act extends keyof Questions>(act: Act, question: Questions[Act]): Refusal | null {
  for (const { name, refuses } of GUARDS[act]) {
    const sentence = refuses(question);
    if (sentence !== null) return { guard: name, sentence };
  }
  return null;
}

/** One that its pool does not have cannot be missed by it. */
function isMember({ server, members }: Questions['take out']): boolean {
  return members.some((member) => member.server === server);
}

/** Members that would serve without the one, or without those of the zone. */
function left(question: Leave & ({ server: string } | { servers: readonly string[] })): number {
  const gone = 'server' in question ? [question.server] : question.servers;
  return serving(question.members).filter(({ server }) => !gone.includes(server)).length;
}

function without(question: Parameters<typeof left>[0]): string {
  return `without it ${left(question)} of ${question.members.length} members of pool ${question.pool} serve`;
}

function belowShare(remaining: number, { members, minimumShare }: Leave): string | null {
  if (remaining / members.length >= minimumShare) return null;
  return `below the minimum share of ${percent(minimumShare)}`;
}

/** What speaks against leaving the measured peak to so many members, or null. */
function tooFewFor(remaining: number, { peakPerS, memberCapacity }: Bear): string | null {
  if (peakPerS === null) return 'and the peak they would have to bear is not known';
  const needed = Math.ceil(peakPerS / memberCapacity);
  if (remaining >= needed) return null;
  return `but the measured peak of ${peakPerS} requests/s needs ${needed} at ${memberCapacity} each`;
}

function because(why: string | null, consequence: string): string | null {
  return why === null ? null : `${consequence}, ${why}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
