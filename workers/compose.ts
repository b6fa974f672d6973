import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { diskReleases } from '../activities/adapters/disk-releases';
import { haproxy } from '../activities/adapters/haproxy';
import { pgbackrest } from '../activities/adapters/pgbackrest';
import { pgbackrestScratch } from '../activities/adapters/pgbackrest-scratch';
import { patroni } from '../activities/adapters/patroni';
import { postgresJournal } from '../activities/adapters/postgres-journal';
import { postgresRecords } from '../activities/adapters/postgres-records';
import { prometheus } from '../activities/adapters/prometheus';
import { prober } from '../activities/adapters/prober';
import { redisRegistry } from '../activities/adapters/redis-registry';
import { redisSentinel } from '../activities/adapters/redis-sentinel';
import { redisSessions } from '../activities/adapters/redis-sessions';
import { route53 } from '../activities/adapters/route53';
import { supervisord } from '../activities/adapters/supervisord';
import { webhookNotifier } from '../activities/adapters/webhook-notifier';
import type {
  BackupSystems,
  CacheSystems,
  DatabaseSystems,
  Deps,
  RegionSystems,
  RegistrySystems,
} from '../activities/deps';
import type { Dns } from '../activities/ports';
import type { Config } from '../core/config';
import { millis } from '../core/time';
import { SwitchoverError } from '../core/errors';
import { regionConfig } from '../core/topology';
import { Operations, catalogue } from '../operations';
import { journalOf } from '../operations/journal';
import { Foresight, readinessOf } from '../operations/readiness';
import { readSecret } from '../operations/secrets';
import { attendance } from './attendance';

/** Two ways to the Temporal server. */
export interface TemporalAccess {
  /** For what goes to the coordinator. */
  temporal: Client;
  /** The worker's own: a run that is started through it begins at once in this process. */
  connection: NativeConnection;
  namespace: string;
}

/** The systems, and what of them the process has to start and to end. */
export interface Composed extends Deps {
  foresight: Foresight;
  close: () => Promise<void>;
}

/**
 * The real systems the environment file names. `close` ends their connections.
 * @param here the region that they are looked at from
 * @throws UNKNOWN_TARGET where that is none
 */
export function compose(
  config: Config,
  { temporal, connection, namespace }: TemporalAccess,
  warn: (sentence: string) => void = () => undefined,
  here?: string,
): Composed {
  const regions = new Map<string, RegionSystems>(
    Object.entries(config.regions).map(([name, { loadBalancer, fleet }]) => {
      const password = readSecret(fleet.password, `regions.${name}.fleet.password`);
      const supervisor = supervisord(fleet, password);
      return [
        name,
        { loadBalancer: haproxy(loadBalancer), fleet: supervisor, releases: diskReleases(supervisor) },
      ];
    }),
  );
  const { password } = config.sessions;
  const sessionsPassword = password && readSecret(password, 'sessions.password');
  const sessions = redisSessions(config, sessionsPassword);
  const journal =
    config.journal &&
    postgresJournal(readSecret(config.journal.url, 'journal.url'), config.environment, warn);
  const client = new Client({ connection, namespace });
  const books =
    config.journal && postgresRecords(readSecret(config.journal.url, 'journal.url'), config.environment);
  const reader = journalOf(config);
  const foresight = new Foresight(() => readinessOf(client, config.environment));
  return {
    config,
    region: (name) => {
      const systems = regions.get(name);
      if (systems) return systems;
      throw new SwitchoverError(
        'UNKNOWN_TARGET',
        `"${name}" is not a region of environment ${config.environment}`,
      );
    },
    sessions,
    registry: registryOf(config),
    database: databaseOf(config),
    backups: backupsOf(config),
    cache: cacheOf(config, sessionsPassword),
    dns: dnsOf(config),
    metrics: config.metrics && prometheus(config.metrics),
    prober: prober({
      timeoutMs: millis(config.health.node.timeout),
      from: here === undefined ? undefined : regionConfig(config, here).vantage,
    }),
    here,
    notifier: webhookNotifier(),
    operations: new Operations(temporal, config.environment, catalogue),
    ...(journal ? { journal } : {}),
    attended: attendance(client, Object.keys(config.regions)),
    ...(books ? { books } : {}),
    ...(reader ? { reader } : {}),
    foresight,
    client,
    close: async () => {
      sessions.close();
      foresight.stop();
      await Promise.all([journal?.close(), books?.close(), reader?.close()]);
    },
  };
}

function cacheOf({ sessions }: Config, members: string | undefined): CacheSystems | undefined {
  const { sentinel } = sessions;
  if (!sentinel) return undefined;
  const { password, fleet } = sentinel;
  const sentinels = password && readSecret(password, 'sessions.sentinel.password');
  return {
    cache: redisSentinel({ ...sessions, sentinel }, { members, sentinels }),
    fleet: supervisord(fleet, readSecret(fleet.password, 'sessions.sentinel.fleet.password')),
  };
}

function dnsOf({ dns }: Config): Dns | undefined {
  if (!dns) return undefined;
  const { accessKeyId: id, secretAccessKey: secret } = dns;
  if (!id !== !secret)
    throw new SwitchoverError('BAD_CONFIG', 'dns: accessKeyId and secretAccessKey belong together');
  const keys = id &&
    secret && {
      accessKeyId: readSecret(id, 'dns.accessKeyId'),
      secretAccessKey: readSecret(secret, 'dns.secretAccessKey'),
    };
  return route53(dns, keys);
}

function databaseOf({ database }: Config): DatabaseSystems | undefined {
  if (!database) return undefined;
  return {
    database: patroni(database, {
      postgres: readSecret(database.postgres.password, 'database.postgres.password'),
      patroni: readSecret(database.patroni.password, 'database.patroni.password'),
    }),
    fleet: supervisord(database.fleet, readSecret(database.fleet.password, 'database.fleet.password')),
  };
}

function backupsOf({ backups, database }: Config): BackupSystems | undefined {
  if (!backups || !database) return undefined;
  const password = readSecret(database.postgres.password, 'database.postgres.password');
  const fleet = supervisord(backups.fleet, readSecret(backups.fleet.password, 'backups.fleet.password'));
  return {
    backups: pgbackrest(database, fleet, password),
    scratch: pgbackrestScratch(backups, database, fleet, password),
  };
}

function registryOf({ registry }: Config): RegistrySystems | undefined {
  if (!registry) return undefined;
  const { password, fleet } = registry;
  return {
    registry: redisRegistry(registry, password && readSecret(password, 'registry.password')),
    fleet: supervisord(fleet, readSecret(fleet.password, 'registry.fleet.password')),
  };
}
