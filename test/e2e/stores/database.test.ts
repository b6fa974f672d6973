import { readFileSync } from 'node:fs';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Client } from 'pg';
import { patroni } from '../../../activities/adapters/patroni';
import { supervisord } from '../../../activities/adapters/supervisord';
import { databaseActs } from '../../../activities/database/acts';
import type { Fenced } from '../../../activities/database/fence';
import type { DatabaseSystems, Deps } from '../../../activities/deps';
import type { Salvage } from '../../../core/database';
import { isOver, type RunReport } from '../../../core/run';
import { databaseProgram } from '../../../core/topology';
import { loadConfig } from '../../../operations';
import { DATABASE_USERS, FLEET_PASSWORD_VARIABLE } from '../../../sandbox/environment';
import { startWriter, type Writer } from '../../../sandbox/load/writes';
import { testFleet, type TestFleet } from '../../harness/fleet';
import { testRuns } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';
import { testWorkers, type TestWorkers } from '../../harness/worker';

/**
 * database-failover and database-switchover on a real cluster: three Patroni with their PostgreSQL, etcd, and HAProxy before them. The lease lives for 20 s, so
 * that what is seen earlier is this runbook's doing and not Patroni's.
 */
const OPTIONS = { ...smallSandbox(20), workers: 0, database: true, patroni: '20/1/3' };

let fleet: TestFleet;
let workers: TestWorkers;
let systems: DatabaseSystems;
/** The member that is the primary as a test begins. */
let primary: string;
let writer: Writer | undefined;

beforeAll(async () => {
  fleet = await testFleet(OPTIONS);
  workers = testWorkers(fleet.sandbox);
  const config = loadConfig(fleet.sandbox.configPath).database!;
  const { env } = fleet.sandbox;
  systems = {
    database: patroni(config, {
      postgres: env[DATABASE_USERS.postgres.variable]!,
      patroni: env[DATABASE_USERS.patroni.variable]!,
    }),
    fleet: supervisord(config.fleet, env[FLEET_PASSWORD_VARIABLE]!),
  };
}, 180_000);
beforeEach(async () => {
  await fleet.healDatabase();
  primary = await until('the database is whole', async () => {
    const { leader, members, clients } = await systems.database.look();
    const standbys = members.filter(({ postgres }) => postgres?.receiver?.from === leader);
    const synchronous = members.some(({ agent }) => agent?.synchronous);
    return clients.ok && standbys.length === 2 && synchronous && leader;
  });
  workers.forget();
}, 120_000);
afterEach(async () => {
  await writer?.stop();
  writer = undefined;
  await workers.stop();
});
afterAll(async () => {
  await workers?.close();
  await fleet?.close();
}, 60_000);

const start = (mode?: 'plan'): Promise<string> => testRuns(() => fleet).start('database-failover', {}, mode);

async function writing(): Promise<Writer> {
  const started = await startWriter({ url: fleet.sandbox.databaseUrl, rate: 300, timeoutMs: 1_000 });
  writer = started;
  await until('rows are acknowledged', () => started.snapshot().acknowledged > 300);
  return started;
}

/** What became of the rows once the writer has written on for a while after the failover. */
async function book(): Promise<{ lost: number[]; acknowledged: number }> {
  const { acknowledged } = writer!.snapshot();
  await until('rows are acknowledged again', () => writer!.snapshot().acknowledged > acknowledged + 300);
  const report = await writer!.stop();
  const { lost } = await writer!.compare();
  writer = undefined;
  return { lost, acknowledged: report.acknowledged };
}

const fencedFirst = (old: string): unknown[] => [
  `run ${databaseProgram(old)}-fence`,
  `stop ${databaseProgram(old)}`,
  `releaseLease ${old}`,
  `run ${databaseProgram(old)}-salvage 600000`,
  `start ${databaseProgram(old)}`,
];

describe('a primary that', () => {
  it('is killed has its lease freed upon evidence: no acknowledged row is lost, the old one comes back as a standby', async () => {
    workers.start();
    await writing();
    await fleet.breakDatabase('primary', 'kill');
    const report = await fleet.reaches(await start(), 'recovered');
    expect(report.sentence).toMatch(new RegExp(`^d\\d took over from ${primary}, which follows it now`));
    expect(report.actual.rowsLost).toBe(0);
    expect(workers.effects()).toEqual(
      fencedFirst(primary).slice(2), // its processes are gone, and its supervisor says so: there is nothing to kill
    );
    expect(await book()).toMatchObject({ lost: [] });
    expect(await systems.database.look()).toMatchObject({ leader: expect.not.stringMatching(primary) });
  }, 120_000);

  it('hangs is killed before anybody takes over, so that it cannot wake as a second one', async () => {
    workers.start();
    await writing();
    await fleet.breakDatabase('primary', 'hang');
    await fleet.reaches(await start(), 'recovered');
    expect(workers.effects()).toEqual(fencedFirst(primary));
    expect(await book()).toMatchObject({ lost: [] });
  }, 120_000);

  it('has lost its Patroni while its PostgreSQL goes on taking writes is killed first, and no row is lost', async () => {
    workers.start();
    await writing();
    await fleet.breakDatabase('primary', 'patroni-kill');
    const report = await fleet.reaches(await start(), 'recovered');
    expect(report.steps[0]!.sentence).toContain(`${primary} has lost its agent`);
    expect(workers.effects()).toEqual(fencedFirst(primary));
    expect(await book()).toMatchObject({ lost: [] });
  }, 120_000);

  it.each([
    ['is cut off from the control plane', () => fleet.breakDatabase('primary', 'cut-control-plane')],
    ['has lost the control plane as all have', () => fleet.breakDatabase('etcd', 'kill')],
    ['is well', async () => undefined],
  ])(
    '%s, while clients write happily, is left alone',
    async (_, fault) => {
      workers.start();
      await fault();
      const report = await fleet.reaches(await start(), 'succeeded');
      expect(report.sentence).toMatch(
        new RegExp(
          `^${primary} takes its clients' writes \\(a write took \\d+ ms\\): there is nothing to fail over$`,
        ),
      );
      expect(workers.effects()).toEqual([]);
    },
    60_000,
  );

  it('hangs is touched by no plan, which says what would be done', async () => {
    workers.start();
    await fleet.breakDatabase('primary', 'hang');
    const { plan } = await fleet.reaches(await start('plan'), 'planned');
    expect(plan?.changes).toEqual([
      `would kill every process of ${primary}`,
      expect.stringMatching(new RegExp(`^would free the lease of ${primary}, for d\\d to take it$`)),
      `would save what only ${primary} has, before that is thrown away`,
      `would start ${primary} as a standby of the primary`,
    ]);
    expect(workers.effects()).toEqual([]);
  }, 60_000);
});

describe('in asynchronous mode', () => {
  const rest = (member: string) => loadConfig(fleet.sandbox.configPath).database!.members[member]!.rest;
  const inSync = async (synchronous: boolean) => {
    const { user, variable } = DATABASE_USERS.patroni;
    const credentials = Buffer.from(`${user}:${fleet.sandbox.env[variable]}`).toString('base64');
    const { leader } = await systems.database.look();
    await fetch(`http://${rest(leader!)}/config`, {
      method: 'PATCH',
      headers: { authorization: `Basic ${credentials}` },
      body: JSON.stringify({ synchronous_mode: synchronous }),
    });
    await until('commits wait as they should', async () => {
      const [row] = await sql('SHOW synchronous_standby_names');
      return (row!['synchronous_standby_names'] !== '') === synchronous;
    });
  };
  const sql = async (...statements: string[]): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: fleet.sandbox.databaseUrl });
    await client.connect();
    try {
      let rows: Record<string, unknown>[] = [];
      for (const statement of statements) ({ rows } = await client.query(statement));
      return rows;
    } finally {
      await client.end();
    }
  };
  afterEach(() => inSync(true));

  it('a failover costs rows: they are counted, and saved with what is in their place', async () => {
    workers.start();
    await inSync(false);
    await sql(
      'DROP TABLE IF EXISTS account',
      'CREATE TABLE account (id int PRIMARY KEY, balance numeric)',
      'INSERT INTO account VALUES (1, 100), (3, 300)',
    );
    const ours = await writing();
    for (const { pid } of await sql('SELECT pid FROM pg_stat_replication'))
      process.kill(Number(pid), 'SIGSTOP');
    const { acknowledged } = ours.snapshot();
    await until('rows are acknowledged', () => ours.snapshot().acknowledged > acknowledged + 300);
    await sql(
      'UPDATE account SET balance = 90.10 WHERE id = 1',
      'INSERT INTO account VALUES (2, 200)',
      'DELETE FROM account WHERE id = 3',
      'CREATE TABLE late AS SELECT 1 AS id',
    );
    await fleet.breakDatabase('primary', 'kill');
    const report = await fleet.reaches(await start(), 'recovered');
    const { unknown } = await ours.stop();
    const { lost } = await ours.compare();
    const saving = report.steps.find(({ title }) => title === `Save what only ${primary} has`)!;
    const salvage = saving.after as Salvage;
    const saved = readFileSync(salvage.file!, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map(
        (line) => JSON.parse(line) as { table: string; fate: string; row: { id: number }; there?: object },
      );

    expect(saved.filter(({ table }) => table !== 'ledger')).toEqual([
      expect.objectContaining({
        fate: 'different',
        row: { id: 1, balance: 90.1 },
        there: { id: 1, balance: 100 },
      }),
      expect.objectContaining({ fate: 'missing', row: { id: 2, balance: 200 } }),
      expect.objectContaining({ table: 'late', fate: 'missing', row: { id: 1 } }),
    ]);
    const rows = saved.filter(({ table }) => table === 'ledger').map(({ row }) => row.id);
    expect(lost.length).toBeGreaterThan(300);
    expect(rows).toEqual(expect.arrayContaining(lost));
    expect(rows.length).toBeLessThanOrEqual(lost.length + unknown); // that were under way may be there too
    expect(report.actual.rowsLost).toBe(saved.length + 1); // and the one that was deleted
    expect(report.sentence).toContain(`${saved.length + 1} rows that only ${primary} had are saved`);
  }, 120_000);
});

describe('a planned switchover', () => {
  const synchronousStandby = async () =>
    (await systems.database.look()).members.find(({ agent }) => agent?.synchronous)!.member;
  const handOver = (to?: string) =>
    testRuns(() => fleet).carryOut('database-switchover', to ? { to } : {}, 'succeeded');

  it('hands the role over under load: no acknowledged row is lost, the old primary follows', async () => {
    workers.start();
    await writing();
    const to = await synchronousStandby();
    const report = await handOver();
    expect(report.sentence).toBe(`${to} took over from ${primary}, which follows it now`);
    expect(await book()).toMatchObject({ lost: [] });
    const { members, leader } = await systems.database.look();
    expect(leader).toBe(to);
    expect(members.find(({ member }) => member === primary)!.postgres?.receiver?.from).toBe(to);
  }, 120_000);

  it('is refused to a standby that may lack writes, and nothing is done', async () => {
    workers.start();
    const first = await synchronousStandby();
    const { members } = await systems.database.look();
    const other = members.find(({ member }) => ![first, primary].includes(member))!.member;
    const run = await testRuns(() => fleet).start('database-switchover', { to: other });
    expect((await fleet.reaches(run, 'refused')).sentence).toContain(
      `candidate has every write: ${other} cannot take over from ${primary}: it is not its synchronous standby`,
    );
    expect(workers.effects()).toEqual([]);
  }, 60_000);

  it('to the primary itself has nothing to do', async () => {
    workers.start();
    expect((await handOver(primary)).sentence).toBe(`${primary} is the primary already`);
    expect(workers.effects()).toEqual([]);
  }, 60_000);

  it('whose worker dies in it goes on without a second one', async () => {
    const worker = workers.start({ death: 'database.switchOver end' });
    const to = await synchronousStandby();
    const run = await testRuns(() => fleet).start('database-switchover', {});
    await worker.exited;
    workers.start();
    await fleet.reaches(run, 'succeeded');
    expect((await systems.database.look()).leader).toBe(to);
    expect(workers.effects()).toEqual([`switchOver ${primary} ${to}`]);
  }, 120_000);
});

describe('fence before promote', () => {
  const evidence = (member: string): Fenced => ({ member, said: 'I say so', at: new Date().toISOString() });

  /** The promotion alone, as a procedure that gets the order wrong would ask for it. */
  const promote = (fenced: Fenced | undefined) => {
    const { letTakeOver } = databaseActs({ database: systems } as unknown as Deps);
    const ask = { primary, candidate: 'd0', fenced, how: { mode: 'execute' as const, key: 'test' } };
    return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(letTakeOver, ask);
  };

  it.each([
    ['without evidence', () => undefined, /there is no evidence that it is fenced$/],
    ['upon evidence about another', () => evidence('d0'), /the evidence is of d0$/],
    ['upon evidence that does not hold', () => evidence(primary), /it was fenced at .*, but is not any more/],
  ])('%s a lease stays where it is', async (_, fenced, why) => {
    const { leader } = await systems.database.look();
    await expect(promote(fenced())).rejects.toMatchObject({
      code: 'NOT_FENCED',
      message: expect.stringMatching(why),
    });
    expect((await systems.database.look()).leader).toBe(leader);
  });

  it('a primary that only hangs is not fenced, whatever the evidence says', async () => {
    await fleet.breakDatabase('primary', 'hang');
    await expect(promote(evidence(primary))).rejects.toMatchObject({ code: 'NOT_FENCED' });
  });

  it('a worker killed between the two looks again before anybody takes over, and nothing is done twice', async () => {
    const worker = workers.start({ death: 'database.releaseLease begin' });
    await fleet.breakDatabase('primary', 'hang');
    const run = await start();
    const end = until(
      `${run} is over`,
      async (): Promise<false | RunReport> => {
        const report = await fleet.operations.show(run);
        return isOver(report.state) && report;
      },
      100_000,
    );
    await Promise.race([worker.exited, end]);
    workers.start();
    expect(await end).toMatchObject({ state: 'recovered' });
    expect(workers.effects()).toEqual(fencedFirst(primary));
  }, 120_000);
});
