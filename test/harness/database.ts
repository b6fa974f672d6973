import { Client } from 'pg';
import { patroni } from '../../activities/adapters/patroni';
import { supervisord } from '../../activities/adapters/supervisord';
import type { DatabaseSystems } from '../../activities/deps';
import { loadConfig } from '../../operations';
import type { SandboxOptions } from '../../sandbox';
import { DATABASE_USERS, FLEET_PASSWORD_VARIABLE } from '../../sandbox/environment';
import { startWriter, type Writer } from '../../sandbox/load/writes';
import { testFleet, type TestFleet } from './fleet';
import { until } from './until';
import { testWorkers, type TestWorkers } from './worker';

/** A fleet with a database for a test file, the database whole before each test. To be asked inside tests. */
export interface TestDatabase {
  readonly fleet: TestFleet;
  readonly workers: TestWorkers;
  readonly systems: DatabaseSystems;
  /** The member that is the primary as a test begins. */
  readonly primary: string;
  /** One statement at a member's own PostgreSQL, which waits for no standby. @throws what that says */
  at(member: string, statement: string): Promise<Record<string, unknown>[]>;
  /** Begins to write, and returns once rows are acknowledged; ended after the test at the latest. */
  writing(): Promise<Writer>;
  /** What became of the rows once the writer has written on for a while. Ends it. */
  book(): Promise<{ lost: number[]; acknowledged: number }>;
}

/**
 * Has a cluster up during the tests of a file: three Patroni with their PostgreSQL, etcd, and HAProxy before them. The lease lives for
 * 20 s, so that what is seen earlier is a runbook's doing and not Patroni's.
 */
export function useDatabase(options: SandboxOptions & { block: number }): TestDatabase {
  const made = {} as { -readonly [Part in 'fleet' | 'workers' | 'systems' | 'primary']: TestDatabase[Part] };
  let writer: Writer | undefined;

  beforeAll(async () => {
    const fleet = await testFleet({ ...options, workers: 0, database: true, patroni: '20/1/3' });
    const config = loadConfig(fleet.sandbox.configPath).database!;
    const { env } = fleet.sandbox;
    made.fleet = fleet;
    made.workers = testWorkers(fleet.sandbox);
    made.systems = {
      database: patroni(config, {
        postgres: env[DATABASE_USERS.postgres.variable]!,
        patroni: env[DATABASE_USERS.patroni.variable]!,
      }),
      fleet: supervisord(config.fleet, env[FLEET_PASSWORD_VARIABLE]!),
    };
  });
  beforeEach(async () => {
    await made.fleet.healDatabase();
    made.primary = await until('the database is whole', async () => {
      const { leader, members, clients } = await made.systems.database.look();
      const standbys = members.filter(({ postgres }) => postgres?.receiver?.from === leader);
      const synchronous = members.some(({ agent }) => agent?.synchronous);
      return clients.ok && standbys.length === 2 && synchronous && leader;
    });
    made.workers.forget();
  });
  afterEach(async () => {
    await writer?.stop();
    writer = undefined;
    await made.workers?.rest();
  });
  afterAll(async () => {
    await made.workers?.close();
    await made.fleet?.close();
  });

  return Object.assign(made, {
    async at(member: string, statement: string) {
      const { members } = loadConfig(made.fleet.sandbox.configPath).database!;
      const url = new URL(made.fleet.sandbox.databaseUrl);
      url.host = members[member]!.postgres;
      const client = new Client({ connectionString: url.href });
      await client.connect();
      try {
        await client.query('SET synchronous_commit = local');
        return (await client.query<Record<string, unknown>>(statement)).rows;
      } finally {
        await client.end();
      }
    },
    async writing() {
      const started = await startWriter({ url: made.fleet.sandbox.databaseUrl, rate: 300, timeoutMs: 1_000 });
      writer = started;
      await until('rows are acknowledged', () => started.snapshot().acknowledged > 300);
      return started;
    },
    async book() {
      const own = writer!;
      const { acknowledged } = own.snapshot();
      await until('rows are acknowledged again', () => own.snapshot().acknowledged > acknowledged + 300);
      const report = await own.stop();
      writer = undefined;
      const { lost } = await own.compare();
      return { lost, acknowledged: report.acknowledged };
    },
  });
}
