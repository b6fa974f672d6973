import type { FastifyBaseLogger } from 'fastify';
import type { Config, Role } from '../core/config';
import type { RunOperations } from '../operations/bounded';
import type { Feeds } from './feeds';
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

/** What the server is built from. */
export interface AppOptions {
  readonly config: Config;
  readonly operations: RunOperations;
  readonly tokens: readonly Token[];
  /** Temporal's, for links into its UI. */
  readonly namespace: string;
  /** Default: none. */
  readonly logger?: FastifyBaseLogger;
}

/** What every route gets. */
export interface Deps {
  readonly config: Config;
  readonly operations: RunOperations;
  readonly tokens: readonly Token[];
  readonly feeds: Feeds;
  readonly links: Links;
  readonly metrics: Metrics;
}
