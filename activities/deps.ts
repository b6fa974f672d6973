import type { Config } from '../core/config';
import { regionConfig, findNode, type Node } from '../core/topology';
import type { Operations } from '../operations';
import type { JournalReader } from '../operations/journal';
import type { Foresight } from '../operations/readiness';
import type { Client } from '@temporalio/client';
import { SwitchoverError } from '../core/errors';
import type {
  Backups,
  Books,
  Cache,
  Database,
  Dns,
  Fleet,
  Journal,
  LoadBalancer,
  Member,
  Metrics,
  Notifier,
  Prober,
  Registry,
  Releases,
  Scratch,
  Sessions,
} from './ports';

/** A region's systems. */
export interface RegionSystems {
  loadBalancer: LoadBalancer;
  fleet: Fleet;
  releases: Releases;
}

/** The registry of nodes and the supervisor of its processes. */
export interface RegistrySystems {
  registry: Registry;
  fleet: Fleet;
}

/** The database and the supervisor of its processes. */
export interface DatabaseSystems {
  database: Database;
  fleet: Fleet;
}

/** Backups of the database, and what is restored from them beside it. */
export interface BackupSystems {
  backups: Backups;
  scratch: Scratch;
}

/** The session store under Sentinel and the supervisor of its processes. */
export interface CacheSystems {
  cache: Cache;
  fleet: Fleet;
}

/** Everything activities need of the outside; put together in `workers/compose.ts`, and by tests. */
export interface Deps {
  config: Config;
  region: (name: string) => RegionSystems;
  sessions: Sessions;
  /** Undefined in an environment without one. */
  registry: RegistrySystems | undefined;
  /** Undefined in an environment without one. */
  database: DatabaseSystems | undefined;
  /** Undefined in an environment whose database somebody else backs up. */
  backups: BackupSystems | undefined;
  /** Undefined in an environment whose session store is one Redis alone. */
  cache: CacheSystems | undefined;
  /** Undefined in an environment whose clients find regions in another way. */
  dns: Dns | undefined;
  /** Undefined in an environment whose nodes nobody measures. */
  metrics: Metrics | undefined;
  prober: Prober;
  notifier: Notifier;
  operations: Operations;
  /** Left out where the environment has none: the journal's changes of health, its books, and how it is read. */
  journal?: Journal;
  books?: Books;
  reader?: Pick<JournalReader, 'history'>;
  /** What runs are expected to come to; left out where nobody asks. */
  foresight?: Pick<Foresight, 'of'>;
  /** The region that this worker is in; undefined where it is in none. */
  here?: string | undefined;
  /** In which regions workers stand, as far as is known; left out where nobody is to be looked for. */
  attended?: () => string[];
  /** Shares the worker's connection, so that runs start eagerly. */
  client: Client;
}

/** @throws UNKNOWN_TARGET in an environment without a registry */
export function registryOf({ registry, config }: Deps): RegistrySystems {
  if (registry) return registry;
  throw new SwitchoverError('UNKNOWN_TARGET', `environment ${config.environment} has no registry`);
}

/** @throws UNKNOWN_TARGET in an environment without a database */
export function databaseOf({ database, config }: Deps): DatabaseSystems {
  if (database) return database;
  throw new SwitchoverError('UNKNOWN_TARGET', `environment ${config.environment} has no database`);
}

/** @throws UNKNOWN_TARGET in an environment without backups */
export function backupsOf({ backups, config }: Deps): BackupSystems {
  if (backups) return backups;
  throw new SwitchoverError('UNKNOWN_TARGET', `environment ${config.environment} has no backups`);
}

/** @throws UNKNOWN_TARGET in an environment whose session store is not under Sentinel */
export function cacheOf({ cache, config }: Deps): CacheSystems {
  if (cache) return cache;
  throw new SwitchoverError('UNKNOWN_TARGET', `environment ${config.environment} has no Sentinels`);
}

/** @throws UNKNOWN_TARGET in an environment without a name of its fleet */
export function dnsOf({ dns, config }: Deps): Dns {
  if (dns) return dns;
  throw new SwitchoverError('UNKNOWN_TARGET', `environment ${config.environment} has no DNS`);
}

/** A node with the systems around it. @throws UNKNOWN_TARGET */
export function place(
  deps: Deps,
  id: string,
): RegionSystems & { node: Node; mcpUrl: string; clientUrl: string } {
  const node = findNode(deps.config, id);
  const { url } = regionConfig(deps.config, node.region).loadBalancer;
  return { ...deps.region(node.region), node, mcpUrl: `http://${node.address}/mcp`, clientUrl: url };
}

/** What the load balancer knows of a node; null where it does not know it. */
export async function memberOf(loadBalancer: LoadBalancer, node: Node): Promise<Member | null> {
  return ownOf(node, await loadBalancer.members());
}

/** The node among the members of its pool; null where it is none. */
export function ownOf(node: Node, members: readonly Member[]): Member | null {
  return members.find(({ server }) => server === node.server) ?? null;
}
