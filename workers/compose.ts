import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { haproxy } from '../activities/adapters/haproxy';
import { pgbackrest } from '../activities/adapters/pgbackrest';
import { pgbackrestScratch } from '../activities/adapters/pgbackrest-scratch';
import { patroni } from '../activities/adapters/patroni';
import { postgresJournal } from '../activities/adapters/postgres-journal';
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
import { readSecret } from '../operations/secrets';

/** Two ways to the Temporal server. */
export interface TemporalAccess {
  /** For what goes to the coordinator. */
  temporal: Client;
  /** The worker's own: a run that is started through it begins at once in this process. */
  connection: NativeConnection;
  namespace: string;
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
): Deps & { close: () => Promise<void> } {
  const regions = new Map<string, RegionSystems>(
    Object.entries(config.regions).map(([name, { loadBalancer, fleet }]) => {
      const password = readSecret(fleet.password, `regions.${name}.fleet.password`);
      return [name, { loadBalancer: haproxy(loadBalancer), fleet: supervisord(fleet, password) }];
    }),
  );
  const { password } = config.sessions;
  const sessionsPassword = password && readSecret(password, 'sessions.password');
  const sessions = redisSessions(config, sessionsPassword);
  const journal =
    config.journal &&
    postgresJournal(readSecret(config.journal.url, 'journal.url'), config.environment, warn);
  const client = new Client({ connection, namespace });
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
    prober: prober({
      timeoutMs: millis(config.health.node.timeout),
      from: here === undefined ? undefined : regionConfig(config, here).vantage,
    }),
    here,
    notifier: webhookNotifier(),
    operations: new Operations(temporal, config.environment, catalogue),
    ...(journal ? { journal } : {}),
    client,
    close: async () => {
      sessions.close();
      await journal?.close();
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
