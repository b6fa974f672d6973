import type { Config } from '../../core/config';
import type { SharedAddresses } from '../layout';
import type { Settings } from '../settings';
import type { Secrets, filesOf } from '../state';

/** What a part may need to know of its sandbox. */
export interface Context {
  /** The state directory. */
  dir: string;
  files: ReturnType<typeof filesOf>;
  settings: Settings;
  secrets: Secrets;
  at: SharedAddresses;
  /** The environment file's content: the fleet, its nodes and load balancers. */
  config: Config;
}

/** A process under the sandbox's supervisor. */
export interface Program {
  /** Unique; also the name of its log. */
  name: string;
  /** The program's full path, then its arguments. @throws SANDBOX where it is not installed */
  command(): readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Another user to run as. */
  user?: string | undefined;
  /** host:port it must be able to listen on. */
  listens: readonly string[];
  /** Whether the supervisor itself starts it again when it ends. Default: no, the runbooks do. */
  restarts?: boolean;
  /** Installed, but not started by `up`. */
  standby?: boolean;
  /** Ends by itself, and is run by whoever needs it: `up` does not start it, `status` is silent about it. */
  task?: boolean;
  /** The program whose addresses it serves in its place; while it runs, that one is not missing. */
  standsInFor?: string;
  /** How it is asked to end. Default TERM. */
  stopSignal?: 'INT';
  /** How long it may take to end when asked to before it is killed, s. Default 10. */
  stopSeconds?: number;
}

/** What `up` starts as one: a line of its progress display. */
export interface Part {
  /** Unique, for people: `HAProxy us-east-1`. */
  name: string;
  /** Names of the parts that must be ready before it starts. */
  after: readonly string[];
  programs: readonly Program[];
  /** Configuration files, path to content. Written before the supervisor starts, readable by their owner alone. */
  files?: Readonly<Record<string, string>>;
  /** A file of `dist/` without which the part is left out. */
  needsBuilt?: string;
  /** Whether the settings ask for it. Default: always. */
  wanted?: boolean;
  /** Prepared although nothing of it is to be started: it is started later by a runbook. */
  startsLater?: boolean;
  /** Makes what its programs need, e.g. a database's files. Called before a start, never while `programs` run. */
  prepare?(programs: readonly Program[]): Promise<void>;
  /**
   * Brings what was just started together, such as a replica and its primary. Called before each look at a part that was
   * started, so it does nothing where that is done. @throws Error saying what is not possible yet
   */
  settle?(started: readonly Program[]): Promise<void>;
  /**
   * Looks once whether it serves.
   * @throws Error saying what it does not do yet
   */
  ready(): Promise<unknown>;
  /** What people should know of its programs beyond that they run, by program; empty where nothing answers. Never throws. */
  notes?(): Promise<Readonly<Record<string, string>>>;
}

/** The environment of a worker, server or CLI of this sandbox: where things are, and the secrets the environment file names. */
export function connectionEnvironment({ files, at, secrets }: Context): Record<string, string> {
  return { SWITCHOVER_CONFIG: files.config, TEMPORAL_ADDRESS: at.temporal, ...secrets };
}
