/**
 * What is made of a look at the database: whether its primary has failed, and who can take over (REQUIREMENTS F5). Pure rules;
 * who looks is activities/adapters/patroni.ts.
 *
 * A member is a PostgreSQL with an agent beside it (Patroni) that keeps it the primary or a standby, by a lease in the
 * control plane (etcd). Each of the three can fail alone, and each lies in its own way: an agent that is gone leaves a
 * PostgreSQL that goes on taking writes, a hung PostgreSQL keeps its lease for as long as its agent renews it, and a control
 * plane that is cut off says nothing about any of them. So a failure is what clients, the member itself and those that
 * replicate from it agree on.
 */

/** What a member's PostgreSQL says of itself. */
export interface PostgresState {
  /** Whether it takes writes: it is not in recovery. */
  writable: boolean;
  timeline: number;
  /** End of what it has, in bytes of the write-ahead log; comparable between members of one history. */
  lsn: number;
  /** Settings that a standby must have at least as large as its primary, or it stops replaying. */
  limits: Readonly<Record<string, number>>;
  /** Of a standby: how it hears of its primary. */
  receiver?: {
    /** The member it streams from; undefined where that is none of them. */
    from?: string;
    /** Seconds since it last heard anything. */
    silentS: number;
  };
}

/** A member as it is seen from outside; what does not answer is left out. */
export interface DatabaseMember {
  /** `d1` */
  member: string;
  /** What its agent says. */
  agent?:
    | {
        role: 'primary' | 'standby';
        state: string;
        synchronous: boolean;
        /** When it reached the control plane last, ms since the epoch; it tries once in its loop. */
        controlAt?: number;
      }
    | undefined;
  postgres?: PostgresState;
  /** Its machine answers that nobody listens where its PostgreSQL would: that is gone, not silent. */
  refuses?: boolean;
  /** Both, in words. */
  said: string;
}

/** Everything that was seen in one look. */
export interface DatabaseView {
  members: readonly DatabaseMember[];
  /** Who has the lease of the primary; null where nobody has, undefined where the control plane does not answer. */
  leader: string | null | undefined;
  /** Whether a write through the clients' address went through. */
  clients: { ok: boolean; said: string };
  /** Whether the cluster acknowledges a write only once a synchronous standby has it. */
  synchronous: boolean;
}

/** Who is there, and who leads. */
export type DatabaseRoster = Pick<DatabaseView, 'members' | 'leader'>;

/** What the look comes to. */
export interface DatabaseVerdict {
  /** Whether the primary has failed: somebody else has to take over, or it has to be started again. */
  failed: boolean;
  /** Why, in a sentence. */
  said: string;
  /** The member that is the primary, or was it last; undefined where nobody can tell. */
  primary?: string;
  /** Who can take over with the least lost, if anybody can. */
  candidate?: string | undefined;
}

/** A standby that has heard nothing for so long under a primary at work does not hear of it any more, s. */
const SILENT_S = 2;

export function judgeDatabase(view: DatabaseView): DatabaseVerdict {
  const { members, clients } = view;
  const writable = members.filter(({ postgres }) => postgres?.writable).map(({ member }) => member);
  const primary = primaryOf(view, writable);
  if (primary === undefined)
    return { failed: !clients.ok, said: `nobody can tell which member is the primary (${told(members)})` };
  const own = members.find(({ member }) => member === primary)!;
  const candidate = candidateOf(view, primary);
  const verdict = (failed: boolean, said: string): DatabaseVerdict => ({
    failed,
    said,
    primary,
    ...(candidate ? { candidate } : {}),
  });
  if (clients.ok) return verdict(false, `${primary} takes its clients' writes (${clients.said})`);

  const lost = `its clients' writes fail (${clients.said})`;
  const hearing = members.filter((one) => hears(one, primary)).map(({ member }) => member);
  if (own.agent && own.postgres)
    return verdict(
      false,
      `${primary} is well itself, but ${lost}: the fault is on the way to it (${own.said})`,
    );
  if (!own.agent && own.postgres?.writable)
    return verdict(
      true,
      `${primary} has lost its agent while its PostgreSQL goes on taking writes, and ${lost} (${own.said})`,
    );
  if (hearing.length > 0)
    return verdict(
      false,
      `${primary} cannot be reached from here (${own.said}), but ${hearing.join(' and ')} still hear${hearing.length > 1 ? '' : 's'} of it: it is well for others`,
    );
  return verdict(true, `${primary} has failed: ${lost}, no standby hears of it (${own.said})`);
}

/** The lease says it best; where nobody has it, who takes writes, and then who is followed. */
function primaryOf({ members, leader }: DatabaseView, writable: readonly string[]): string | undefined {
  if (leader) return leader;
  if (writable.length === 1) return writable[0];
  const followed = new Set(members.flatMap(({ postgres }) => postgres?.receiver?.from ?? []));
  return writable.length === 0 && followed.size === 1 ? [...followed][0] : undefined;
}

/** Whether a standby still hears of this primary. */
function hears({ postgres }: DatabaseMember, primary: string): boolean {
  return postgres?.receiver?.from === primary && postgres.receiver.silentS < SILENT_S;
}

/**
 * Who takes over: of the standbys that answer on both sides, in synchronous mode only one that had to have every acknowledged
 * write, the one that has most.
 */
function candidateOf({ members, synchronous }: DatabaseView, primary: string): string | undefined {
  const able = members.filter(
    ({ member, agent, postgres }) =>
      member !== primary && agent && postgres && !postgres.writable && (!synchronous || agent.synchronous),
  );
  const most = able.toSorted((a, b) => b.postgres!.lsn - a.postgres!.lsn);
  return most[0]?.member;
}

/** What a former primary had committed that its successor never heard of; nothing where it is still on the successor's timeline. */
export interface Salvage {
  /** That the member is on. */
  timeline: number;
  /** Position in the log at which its successor's history left it, `0/5000060`. */
  fork?: string;
  /** That were committed behind the fork. */
  transactions: number;
  /** Rows that these deleted; the successor still has them. */
  deleted: number;
  /** Rows that these left: those that the successor does not have, has otherwise, and has as well. */
  missing: number;
  different: number;
  same: number;
  /** On the member's machine: a line of JSON for each of these rows. */
  file?: string;
}

/** How a standby compares to the primary before a planned change of roles. */
export interface Successor {
  follows: boolean;
  synchronous: boolean;
  /** What it has not received yet, bytes; undefined where one of the two does not say. */
  lagBytes?: number;
  /** Settings that are smaller than the primary's, in words. */
  smaller: string[];
}

export function compareSuccessor(view: DatabaseView, primary: string, name: string): Successor {
  const of = (member: string) => view.members.find((one) => one.member === member);
  const [before, after] = [of(primary)?.postgres, of(name)?.postgres];
  const smaller = Object.entries(before?.limits ?? {}).flatMap(([setting, ours]) => {
    const theirs = after?.limits[setting];
    return theirs === undefined || theirs >= ours ? [] : [`${setting} ${theirs} of ${ours}`];
  });
  return {
    follows: follows(view, name),
    synchronous: of(name)?.agent?.synchronous ?? false,
    // The two were not asked in the same instant: the standby may seem ahead.
    ...(before && after ? { lagBytes: Math.max(0, before.lsn - after.lsn) } : {}),
    smaller,
  };
}

/** A server of the control plane, etcd, in which the lease is kept. */
export interface ControlServer {
  /** `etcd` */
  server: string;
  ok: boolean;
  said: string;
}

/** What an agent says while it makes its PostgreSQL from the primary's, which takes as long as the data are large, or starts it. */
const JOINING = ['creating replica', 'starting', 'restarting'];

/** Whether an agent in this state brings its member to follow by itself. */
export function isJoining(state: string): boolean {
  return JOINING.includes(state);
}

/** Whether a member streams from the primary, and its agent says the same. */
export function follows({ members, leader }: DatabaseRoster, name: string): boolean {
  const { agent, postgres } = members.find(({ member }) => member === name) ?? {};
  return agent?.role === 'standby' && leader !== name && postgres?.receiver?.from === leader;
}

/** Who is the primary: it has the lease, says so on both sides and takes writes. */
export function primaryAtWork({ members, leader }: DatabaseRoster): DatabaseMember | undefined {
  return members.find(
    ({ member, agent, postgres }) => member === leader && agent?.role === 'primary' && postgres?.writable,
  );
}

function told(members: readonly DatabaseMember[]): string {
  return members.map(({ member, said }) => `${member}: ${said}`).join('; ');
}
