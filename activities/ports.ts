import type {
  Backup,
  BackupTask,
  BackupsView,
  Canary,
  Copies,
  PageCheck,
  Repository,
  RepositoryCheck,
  ScratchPlace,
  ScratchState,
  Swap,
} from '../core/backup';
import type { CacheView } from '../core/cache';
import type { ControlServer, DatabaseRoster, DatabaseView } from '../core/database';
import type { Binding } from '../core/deploy';
import type { DnsView, ServerAnswers, Weights } from '../core/dns';
import type { AuditEntry, Origin } from '../core/journal';
import type { BucketMove, Placed } from '../core/placement';
import type { ReadinessChange } from '../core/readiness';
import type { RunReport } from '../core/run';

/**
 * What the runbooks need of the outside world: small interfaces, one vendor a file in `adapters/` (DESIGN section 6).
 * Every method is idempotent, bounded by a time-out shorter than the objective it serves, and throws a
 * `SwitchoverError` whose code says whether trying again helps.
 */

/** A server of a load balancer's pool, as the load balancer itself sees it. */
export interface Member {
  /** The load balancer's name for it, `a-n1`. */
  server: string;
  /** host:port */
  address: string;
  /** What operators ask for: in service, no new clients, or nothing at all. */
  admin: 'ready' | 'drain' | 'maint';
  /** Whether the load balancer's own checks say it is up (true while it has no opinion). */
  up: boolean;
  /** Share of its full weight, percent. */
  weight: number;
  /** Requests or connections being served now. */
  current: number;
}

/** Requests a second of a whole pool. */
export interface PoolLoad {
  nowPerS: number;
  /** The most in any second since the load balancer was started; null where it does not tell. */
  peakPerS: number | null;
}

/** A region's load balancer: one pool of MCP nodes. */
export interface LoadBalancer {
  members(): Promise<Member[]>;
  /** What the pool's clients ask of it. */
  load(): Promise<PoolLoad>;
  /** No traffic whatever, and the connections they hold are closed: for all of them in one command. */
  isolate(...servers: readonly string[]): Promise<void>;
  /** No new requests, of clients that were bound to it neither; those under way may finish. */
  drain(server: string): Promise<void>;
  /** Back in service at `weight` percent of its full weight; at 0 it gets no new clients, and stands by. */
  admit(server: string, weight: number): Promise<void>;
  /** The clients that are bound to a server. */
  bound(): Promise<Binding[]>;
  /** Binds clients to servers: what they ask next goes there. One whose request is under way may be bound back by its answer. */
  bind(...bindings: readonly Pick<Binding, 'client' | 'server'>[]): Promise<void>;
  /** Makes a server known, isolated at first. Does nothing when it is known under the same address. */
  add(server: string, address: string): Promise<void>;
  /** Forgets an isolated server. Does nothing when it is not known. */
  remove(server: string): Promise<void>;
  /** What we may do there, in its words, where that is not everything; null where it is. Changes nothing. */
  rights(): Promise<string | null>;
}

/** The releases of a node's program that are on its machine. */
export interface Installed {
  /** The one that the program starts with; what runs may still be another. */
  current: string;
  /** The one that stood before it; null where there was none. */
  before: string | null;
  /** All of them, the newest last. */
  releases: string[];
}

/** The releases of a region's nodes, each on the machine of its node. */
export interface Releases {
  look(program: string): Promise<Installed>;
  /** From now on the program starts with this release; what runs goes on as it is. @throws RELEASE_MISSING */
  switch(program: string, version: string): Promise<Installed>;
}

/** What clients got of some nodes lately. */
export interface Service {
  /** Requests a second. */
  perS: number;
  /** Share of them that failed by the servers' doing, 0 to 1; null where there were none. */
  errors: number | null;
  /** 99 of 100 took no longer, ms; null where there were none. */
  p99Ms: number | null;
}

/** What the fleet's monitoring has measured. */
export interface Metrics {
  /** Of these nodes together, over the last seconds, as the environment file says. */
  service(nodes: readonly string[]): Promise<Service>;
}

/** A process under supervision. */
export interface ProcessStatus {
  state: 'running' | 'starting' | 'stopped' | 'exited' | 'failed';
  /** 0 when there is none. */
  pid: number;
  /** ISO time of the last start. */
  startedAt?: string;
  /** The supervisor's own words, e.g. `pid 812, uptime 0:01:02`. */
  description: string;
}

/** What a program is to do, a line on its input, and who hears what it prints meanwhile. */
export interface Work {
  input: string;
  tell: (line: string) => void;
}

/** The supervisor of a region's processes. */
export interface Fleet {
  /** Every program that it knows. Whoever may ask this may do everything else too. */
  programs(): Promise<string[]>;
  status(program: string): Promise<ProcessStatus>;
  /** Returns once the process runs; does nothing when it already does. */
  start(program: string): Promise<void>;
  /** Returns once the process is gone, killed if it ignores the polite signal for so long; default 1 s. */
  stop(program: string, graceMs?: number): Promise<void>;
  /** Kills this very process, without asking it to end: for one that serves nobody any more. Returns once it is gone. */
  kill(program: string, pid: number): Promise<void>;
  /**
   * Runs a program that ends by itself, to its end. One that runs already is waited for, and told nothing: who gives it work finds in
   * the answer whose work it was. @returns the last line that it printed
   */
  run(program: string, withinMs?: number, work?: Work): Promise<string>;
  /** Starts a program with a line on its input and does not wait for its end; one that runs is left alone, and told nothing. */
  begin(program: string, input: string): Promise<void>;
  /** The last line that a program printed, whole; empty where it never ran. */
  lastLine(program: string): Promise<string>;
  /** What a program that has ended printed last; a few lines, empty where it never ran. */
  lastWords(program: string): Promise<string>;
}

/** What handing sessions over found and did; counts of sessions, all of one moment. */
export interface HandOver {
  /** That had not expired. */
  found: number;
  /** Whose owner is another now: `found` less `lost`. */
  moved: number;
  /**
   * Listed as not expired, but their record is gone. Up to a thousand sessions each is looked up; of more, a thousand
   * from all the buckets that moved, those next to expire: then it is what was seen, and there may be more.
   */
  lost: number;
}

/** A bucket of sessions, where it is, and how many sessions in it have not expired. */
export interface Bucket extends Placed {
  sessions: number;
}

/** What became of a request to move buckets. */
export interface Moved extends HandOver {
  /** The buckets that did move, as they are placed now. */
  placed: Placed[];
}

/**
 * The session store, in which every session belongs to a bucket and every bucket to one node (sandbox/mcp-node/README.md).
 * The buckets of a store that has none yet are placed by whatever is asked of it first.
 */
export interface Sessions {
  /** How many sessions the node owns: those of its buckets. */
  owned(node: string): Promise<number>;
  /** Every bucket, by number. */
  buckets(): Promise<Bucket[]>;
  /** Gives the buckets of `from` away, each to the first of `to` in its ranking. Buckets of others are left alone. */
  handOver(from: string, to: readonly string[]): Promise<HandOver>;
  /** Moves these buckets, all in one moment, except those that are no longer where the move says. */
  place(moves: readonly BucketMove[]): Promise<Moved>;
  /** Returns where the store answers. */
  ping(): Promise<void>;
}

/** A server of the registry as it describes itself; all but its name is unknown of one that does not answer. */
export interface RegistryMember {
  /** `r1` */
  member: string;
  /** Whether it answers. */
  reachable: boolean;
  /** Not even its machine answers. */
  dark?: boolean;
  /** `primary, 2 standbys` · `standby of r1, link down for 4 s` · `connection refused` … */
  said: string;
  role?: 'primary' | 'standby';
  /** Bytes of the stream of changes that it has; comparable between members of one history. */
  offset?: number;
  /** As a primary it takes no writes without a standby. */
  asksForStandby?: boolean;
  /** Of a standby: how it is connected to its primary. */
  link?: RegistryLink;
}

export interface RegistryLink {
  /** The member it follows; undefined where that is none of them, such as the address of the clients. */
  to?: string;
  up: boolean;
  /** Whether it is being copied from its primary right now, and so has less than it will have. */
  copying: boolean;
  /** Seconds since it last heard of its primary; undefined where it never did. */
  silentS?: number;
}

/** The registry of nodes: one primary that takes writes, and standbys that follow it. */
export interface Registry {
  /** Every member, asked directly and at once. Never throws: one that does not answer is a member that is not reachable. */
  members(): Promise<RegistryMember[]>;
  /** Makes a member take writes. Knows nothing of other primaries: who calls it has fenced them. */
  promote(member: string): Promise<void>;
  /** Makes a member a standby of another; what it has is replaced by what that one has. */
  follow(member: string, primary: string): Promise<void>;
  /** Writes through the clients' address and reads it back; returns the milliseconds that took. */
  write(): Promise<number>;
  /** The ids of the nodes that are registered, as clients are told, in alphabetical order. */
  registered(): Promise<string[]>;
}

/** A cache under Sentinel: one primary that takes writes, standbys that follow it, and Sentinels that watch them. */
export interface Cache {
  /** Every member and Sentinel, asked directly and at once. Never throws: silence is what is seen. */
  look(): Promise<CacheView>;
  /**
   * Writes through the clients' address, waits until a standby has it too, and reads it back; returns the milliseconds that took.
   * Of a primary that is alone, and was told to take writes all the same, no standby is waited for.
   */
  write(): Promise<number>;
  /** Makes a member take writes. Knows nothing of other primaries: who calls it has fenced them. */
  promote(member: string): Promise<void>;
  /** Makes a member take writes, without any standby too. Knows nothing of other primaries: who calls it has fenced them. */
  leadAlone(member: string): Promise<void>;
  /** Ends what {@link leadAlone} began: this primary asks for as many standbys again as this standby would. */
  askForStandby(primary: string, standby: string): Promise<void>;
  /** Makes a member a standby of another; what it has is replaced by what that one has. */
  follow(member: string, primary: string): Promise<void>;
  /** Has a primary at work give its role to one of its standbys, without a write lost; returns when that is begun. */
  handOver(primary: string, to: string): Promise<void>;
  /** Has every Sentinel make nobody the primary until it is told to watch again; each goes on watching. */
  holdSentinels(): Promise<void>;
  /** Has every Sentinel watch this primary, by its usual rules; one whose machine does not answer is left out. */
  watch(primary: string): Promise<void>;
}

/** The database: one primary that takes writes and standbys that follow it, kept so by an agent each and a lease. */
export interface Database {
  /** Every member from both sides, the lease, and the clients' address with a write. Never throws: silence is what is seen. */
  look(): Promise<DatabaseView>;
  /** Members and lease alone, for who asks every second: on connections that are kept for some seconds. Never throws. */
  members(): Promise<DatabaseRoster>;
  /** Every server of the control plane. Never throws: silence is what is seen. */
  control(): Promise<ControlServer[]>;
  /** Takes the lease of the primary from this member; false where another has it, or nobody. Who calls it has fenced the member. */
  releaseLease(member: string): Promise<boolean>;
  /** Has a primary write what it holds in memory to disk, so that it can shut down fast. */
  checkpoint(member: string): Promise<void>;
  /** Has the primary step down for this standby; returns once the standby has taken over. */
  switchOver(from: string, to: string): Promise<void>;
  /**
   * Writes through the clients' address and reads it back; returns the milliseconds that took. `again`: for who asks several times a second,
   * on a connection that is kept for some seconds.
   */
  write(how?: { again: boolean }): Promise<number>;
  /** Has the control plane forget who was the primary, who is synchronous and how far the log was. Who calls it has fenced everybody. */
  forgetRoles(): Promise<void>;
  /** Makes a standby anew from the primary; returns when that is begun. */
  reinitialise(member: string): Promise<void>;
}

/** The name by which clients find a region: one weighted record set a region. */
export interface Dns {
  /** The name as its zone has it, whether the nameservers answer so yet or not. */
  look(): Promise<DnsView>;
  /**
   * Gives regions these weights, in one change; everything else of their record sets stays as it is. Sent again it changes nothing.
   * @param key goes with the change, for the audit
   * @returns the change's id
   */
  shift(weights: Weights, key: string): Promise<string>;
  /** Whether every nameserver has this change. */
  insync(change: string): Promise<boolean>;
  /** Asks every nameserver directly, several times. Never throws: silence is what is seen. */
  answers(): Promise<ServerAnswers[]>;
}

/** Tells of progress: who takes backups, in its own words. */
export type Tell = (progress: string) => void;
type Task<Kind extends BackupTask['do']> = Omit<Extract<BackupTask, { do: Kind }>, 'do'>;

/** Backups of the database, in a near and an off-site repository. Only one piece of work is done at a time. */
export interface Backups {
  /** Every backup, and how far the log is archived. What is wrong with a repository is told: it is no failure of a look. */
  look(): Promise<BackupsView>;
  /** The backups of one repository. @throws FLEET_REFUSED where it is not well */
  listed(repository: Repository): Promise<Backup[]>;
  /** Writes a row through the clients' address; the one that is there where it was written before. */
  leaveCanary(token: string): Promise<Canary>;
  /** Returns once all of the log that there is now is in every repository. */
  ship(): Promise<void>;
  /** Takes a backup; goes on with the one that was begun under this key. */
  take(order: Task<'backup'>, tell: Tell): Promise<void>;
  /** Reads everything that is in a repository, and compares it with its checksums. */
  read(repository: Repository, tell: Tell): Promise<RepositoryCheck>;
}

/** Copies of the database that were restored from a backup, beside it. */
export interface Scratch {
  /** What is restored, whole, in each place. */
  copies(): Promise<Copies>;
  /** Restores into a place that is stopped, whatever is there; goes on with what was begun under this key. */
  restore(order: Task<'restore'>, tell: Tell): Promise<void>;
  /** Starts the server of a place, and returns once it has read the log as far as it should. */
  start(place: ScratchPlace, tell: Tell): Promise<void>;
  /** What a copy that is started says of itself. */
  inspect(place: ScratchPlace): Promise<ScratchState>;
  /** Ends the waiting of a copy at its instant. @returns the timeline that it has begun */
  promote(place: ScratchPlace): Promise<number>;
  /** Stops the server of a place, if it runs. */
  stop(place: ScratchPlace): Promise<void>;
  /** Reads every page of a copy that is stopped. */
  check(order: Task<'check'>, tell: Tell): Promise<PageCheck>;
  /** Removes what is in a place that is stopped. */
  remove(order: Task<'remove'>): Promise<void>;
  /** Changes a copy and a member's data over, both stopped, or back. @returns where the member's data are kept */
  swap(which: 'swap in' | 'swap back', order: Swap & { key: string }): Promise<string>;
}

/** One probe's verdict. */
export interface Probe {
  ok: boolean;
  /** `200 ready in 3 ms`, `connection refused`, `no answer within 400 ms` … */
  said: string;
  ms: number;
  /** The release that the node tells it runs, where it tells one. */
  version?: string;
}

/** Looks at a node the way a client would. Never throws: trouble is the verdict. */
export interface Prober {
  /** GET /health; ok on 200 only. */
  health(address: string): Promise<Probe>;
  /** A real MCP `initialize` + `ping` against this MCP endpoint URL; ends the session it opened. */
  mcp(url: string): Promise<Probe>;
  /** GET of this URL; ok on any answer: whoever answers is there, even to say that those behind it are not. */
  http(url: string, timeoutMs: number): Promise<Probe>;
  /** Ok where the call is answered in time, whatever it answers. */
  answers(call: () => Promise<unknown>, timeoutMs: number): Promise<Probe>;
}

/** A change of health, as the journal keeps it. */
export interface Transition {
  scope: string;
  from: string;
  to: string;
  /** ISO time of the check that brought it. */
  at: string;
  cause?: string;
}

/** A run's report, as far as it is, for the books. */
export interface Kept extends Origin {
  report: RunReport;
}

/** The journal's books of runs, their steps and the audit. What is handed over twice is written once. */
export interface Books {
  /** Those of the runs that are not in the books as over. */
  missing(runs: readonly string[]): Promise<string[]>;
  /** Writes down what is known of runs, all of it or nothing; of one that goes on only the audit. */
  keep(found: readonly Kept[]): Promise<void>;
  /** Adds to the audit. */
  note(entries: readonly AuditEntry[]): Promise<void>;
  readiness(changes: readonly ReadinessChange[]): Promise<void>;
  /** Forgets the audit from before this ISO time, from the oldest row on. @returns how many rows */
  prune(before: string): Promise<number>;
}

/** The journal (DESIGN section 8). Nobody waits for it: what cannot be written now is written later. */
export interface Journal {
  transition(transition: Transition): void;
}

/** A message to people, at one rung of the escalation ladder. */
export interface Notice {
  to: string;
  webhook: string;
  run: string;
  subject: string;
  body: string;
}

export interface Notifier {
  /** Delivers or throws; the same `run` + `subject` may arrive twice, receivers deduplicate on `key`. */
  notify(notice: Notice, key: string): Promise<void>;
}
