import type { BackupsView } from '../backup';
import type { CacheView } from '../cache';
import type { ControlServer, DatabaseView } from '../database';
import type { DnsView, ServerAnswers } from '../dns';
import type { ErrorCode } from '../errors';
import type { PoolMember } from '../guards';
import type { History } from '../journal';
import type { Forecast } from '../run';

/**
 * Whether a runbook could be carried out right now, the best first. `unknown` is never ready: what was not seen is not known to be
 * well. `not here`: this environment has no system that it is for.
 */
export const VERDICTS = ['not here', 'ready', 'warning', 'unknown', 'not ready'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What stands against a runbook, and what to do about it; a sentence each, without its full stop. */
export interface Shortfall {
  verdict: Exclude<Verdict, 'ready' | 'not here'>;
  says: string;
  todo: string;
}

/** How a runbook stands. */
export interface Readiness {
  runbook: string;
  verdict: Verdict;
  /** The worst first. */
  shortfalls: Shortfall[];
  forecast: Forecast;
  /** Milliseconds. */
  objectiveMs: number;
  /** When one of its runs or drills last came to a good end; ISO time, left out where that was never seen. */
  provenAt?: string;
}

/** How all runbooks stand. */
export interface ReadinessView {
  /** When that was looked at; ISO time. */
  at: string;
  /** It is looked at again so often, ms. */
  everyMs: number;
  runbooks: Readiness[];
}

/** A runbook stands otherwise than at the look before. */
export interface ReadinessChange {
  runbook: string;
  /** ISO time. */
  at: string;
  from: Verdict;
  to: Verdict;
  /** The worst of what stands against it now; empty where nothing does. */
  because: string;
}

/** What a look came to. `code`: the system did not answer, or refused; left out where the look was not finished. */
export type Looked<T> = { value: T } | { said: string; code?: ErrorCode };

/** A pool as it was seen. */
export interface PoolSeen {
  members: readonly PoolMember[];
  /** Requests a second; null where nobody has measured it. */
  peakPerS: number | null;
}

/** What was seen of a region. */
export interface RegionSeen {
  pool: Looked<PoolSeen>;
  /** What may be done at its load balancer with what we have; `null`: everything that runbooks do. */
  rights: Looked<string | null>;
  /** Every program that its supervisor knows. */
  programs: Looked<readonly string[]>;
}

/** A member of the registry, as far as it matters here. */
export interface RegistryMemberSeen {
  member: string;
  reachable: boolean;
  said: string;
  role?: 'primary' | 'standby';
  offset?: number;
  link?: { to?: string; up: boolean; copying: boolean; silentS?: number };
}

/** A store with the supervisor of its processes. */
export interface StoreSeen<View> {
  view: Looked<View>;
  programs: Looked<readonly string[]>;
}

/** Everything that was looked at for one evaluation. Systems that the environment does not have are left out. */
export interface WorldSeen {
  /** ISO time. */
  at: string;
  regions: Readonly<Record<string, RegionSeen>>;
  sessions: Looked<null>;
  registry?: StoreSeen<readonly RegistryMemberSeen[]>;
  database?: StoreSeen<DatabaseView> & { control: Looked<readonly ControlServer[]> };
  cache?: StoreSeen<CacheView>;
  dns?: Looked<{ view: DnsView; answers: readonly ServerAnswers[] }>;
  backups?: Looked<BackupsView>;
  /** By runbook; left out where the journal never answered, or the environment has none. */
  history?: Readonly<Record<string, History>>;
}
