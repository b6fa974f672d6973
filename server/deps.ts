import type { FastifyBaseLogger } from 'fastify';
import type { Config, Role } from '../core/config';
import type { RunOperations } from '../operations/bounded';
import type { Alert } from './alerts';
import type { JournalReader } from '../operations/journal';
import type { Feeds } from './feeds';
import type { Inbox } from './inbox';
import type { Links } from './links';
import type { Metrics } from './metrics';

/** Who is calling: the name that audit and reports show, and what it may do. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}

/** A caller with the secret that proves it. */
export interface Token extends Caller {
  readonly secret: string;
}

/** What is asked of the journal. */
export type Journal = Pick<JournalReader, 'recovery'>;

/** What the server is built from. */
export interface AppOptions {
  readonly config: Config;
  readonly operations: RunOperations;
  readonly tokens: readonly Token[];
  /** Where alerts are kept until they are dealt with; default: nowhere. */
  readonly inbox?: Inbox<Alert>;
  /** Temporal's, for links into its UI. */
  readonly namespace: string;
  /** Undefined in an environment without a journal. */
  readonly reader?: Journal | undefined;
  /** Default: none. */
  readonly logger?: FastifyBaseLogger;
}

/** What every route gets. */
export interface Deps {
  readonly config: Config;
  readonly operations: RunOperations;
  readonly tokens: readonly Token[];
  readonly inbox: Inbox<Alert>;
  readonly feeds: Feeds;
  readonly links: Links;
  readonly reader: Journal | undefined;
  readonly metrics: Metrics;
}
