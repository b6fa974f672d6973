import type { DegradedRule } from '../health';
import type { Level, Site, Way } from '../recovery';

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
export interface Leave {
  /** For the sentence: `us-east-1`. */
  pool: string;
  members: readonly PoolMember[];
  /** 0 to 1: share of the pool that has to stay in service. */
  minimumShare: number;
}

/** What a pool has to bear. */
export interface Bear {
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
  /** May these members, which serve, be out of their pool together for as long as each gets another release? */
  'take out batch': Leave & Bear & { servers: readonly string[] };
  /** May a share of a pool's traffic, percent, be led to these members, which have another release? */
  'lead to release': Bear & {
    pool: string;
    servers: readonly string[];
    members: readonly PoolMember[];
    share: number;
  };
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
  /**
   * May a site for disasters be activated? `lost`, `well`: regions that are seen so; `unknown`: why of others nobody can tell; `of`: how
   * many serve when all is well; `site`: the one that would, undefined where there is none; `named`: the one that a person has named.
   */
  'activate site': {
    level: Level;
    lost: readonly string[];
    well: readonly string[];
    unknown: readonly string[];
    of: number;
    site: Pick<Site, 'site' | 'reachable' | 'said'> | undefined;
    named: string | undefined;
  };
  /**
   * May a store be made to serve in this way, after regions were lost? `member`: who would be its primary; `stopped`: members that are
   * left, have data and do not run.
   */
  'recover store': {
    level: Level;
    store: string;
    by: Way['by'];
    member: string | undefined;
    stopped: readonly string[];
  };
  /** May a member of a store be fenced whose region is said to be lost? `answers`: whether it does, on any side. */
  'give up member': { member: string; region: string; lost: readonly string[]; answers: boolean };
  /** May a member become the primary that may lack acknowledged writes? `writable`: others that take writes. */
  'lead with survivor': { member: string; writable: readonly string[]; control: boolean };
  /**
   * May a site for disasters be put to rest? `weight`: its own in the name; `buckets`: of sessions that its nodes own; `leads`: a member of
   * the database there that is the primary.
   */
  'rest site': { site: string; weight: number; buckets: number; leads: string | undefined };
  /**
   * May clients be led back from a site for disasters? `role`: undefined of what is none; `notWhole`: what is missing of the regions they
   * came from, in words.
   */
  'deactivate site': { site: string; role: Site['role'] | undefined; notWhole: readonly string[] };
}
