import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Client } from 'pg';
import { databaseActs } from '../../../activities/database/acts';
import type { Fenced } from '../../../activities/database/fence';
import type { Deps } from '../../../activities/deps';
import type { Salvage } from '../../../core/database';
import { isOver, type RunReport } from '../../../core/run';
import { databaseProgram } from '../../../core/topology';
import { memberProcesses } from '../../../sandbox/processes';
import { loadConfig } from '../../../operations';
import { DATABASE_USERS } from '../../../sandbox/environment';
import { useDatabase } from '../../harness/database';
import { testRuns } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';

/** database-failover and database-switchover on a real cluster. */
const database = useDatabase(smallSandbox(20));

const start = (mode?: 'plan'): Promise<string> =>
  testRuns(() => database.fleet).start('database-failover', {}, mode);

const fencedFirst = (old: string): unknown[] => [
  `run ${databaseProgram(old)}-fence`,
  `stop ${databaseProgram(old)}`,
  `releaseLease ${old}`,
  `run ${databaseProgram(old)}-salvage 600000`,
  `start ${databaseProgram(old)}`,
];

describe('a primary that', () => {
  it('is killed has its lease freed upon evidence: no acknowledged row is lost, the old one comes back as a standby', async () => {
    database.workers.start();
    await database.writing();
    await database.fleet.breakDatabase('primary', 'kill');
    const report = await database.fleet.reaches(await start(), 'recovered');
    expect(report.sentence).toMatch(
      new RegExp(`^d\\d took over from ${database.primary}, which follows it now`),
    );
    expect(report.actual.rowsLost).toBe(0);
    expect(database.workers.effects()).toEqual(
      fencedFirst(database.primary).slice(2), // its processes are gone, and its supervisor says so: there is nothing to kill
    );
    expect(await database.book()).toMatchObject({ lost: [] });
    expect(await database.systems.database.look()).toMatchObject({
      leader: expect.not.stringMatching(database.primary),
    });
  });

  it('hangs is killed before anybody takes over, so that it cannot wake as a second one', async () => {
    database.workers.start();
    await database.writing();
    await database.fleet.breakDatabase('primary', 'hang');
    const { dir } = database.fleet.sandbox;
    const hung = await memberProcesses(dir, join(dir, databaseProgram(database.primary)));
    expect(hung.length).toBeGreaterThan(5);
    await database.fleet.reaches(await start(), 'recovered');
    expect(database.workers.effects()).toEqual(fencedFirst(database.primary));
    expect(await database.book()).toMatchObject({ lost: [] });
    for (const { pid } of hung) expect(() => process.kill(pid, 'SIGCONT')).toThrow('ESRCH');
    await expect(database.at(database.primary, 'CREATE TABLE woken ()')).rejects.toThrow(/read-only/);
  });

  it('has lost its Patroni while its PostgreSQL goes on taking writes is killed first, and no row is lost', async () => {
    database.workers.start();
    await database.writing();
    await database.fleet.breakDatabase('primary', 'patroni-kill');
    await until('its clients are led away', async () => !(await database.systems.database.look()).clients.ok);
    const report = await database.fleet.reaches(await start(), 'recovered');
    expect(report.steps[0]!.sentence).toContain(`${database.primary} has lost its agent`);
    expect(database.workers.effects()).toEqual(fencedFirst(database.primary));
    expect(await database.book()).toMatchObject({ lost: [] });
  });

  it.each([
    ['is cut off from the control plane', () => database.fleet.breakDatabase('primary', 'cut-control-plane')],
    ['has lost the control plane as all have', () => database.fleet.breakDatabase('etcd', 'kill')],
    ['is well', async () => undefined],
  ])('%s, while clients write happily, is left alone', async (_, fault) => {
    database.workers.start();
    await fault();
    const report = await database.fleet.reaches(await start(), 'succeeded');
    expect(report.sentence).toMatch(
      new RegExp(
        `^${database.primary} takes its clients' writes \\(a write took \\d+ ms\\): there is nothing to fail over$`,
      ),
    );
    expect(database.workers.effects()).toEqual([]);
  });

  it('hangs is touched by no plan, which says what would be done', async () => {
    database.workers.start();
    await database.fleet.breakDatabase('primary', 'hang');
    const { plan } = await database.fleet.reaches(await start('plan'), 'planned');
    expect(plan?.changes).toEqual([
      `would kill every process of ${database.primary}`,
      expect.stringMatching(new RegExp(`^would free the lease of ${database.primary}, for d\\d to take it$`)),
      `would save what only ${database.primary} has, before that is thrown away`,
      `would start ${database.primary} as a standby of the primary`,
    ]);
    expect(database.workers.effects()).toEqual([]);
  });
});

it('a primary that is well is fenced and taken over from once a person forces its switchover, and no acknowledged row is lost', async () => {
  database.workers.start();
  await database.writing();
  const run = await testRuns(() => database.fleet).startForced('database-switchover', {});
  const report = await database.fleet.reaches(run, 'succeeded');
  expect(report.sentence).toMatch(
    new RegExp(`^d\\d took over from ${database.primary}, which follows it now`),
  );
  expect(report).toMatchObject({ forced: { by: 'ada' }, actual: { rowsLost: 0 } });
  expect(database.workers.effects()).toEqual(fencedFirst(database.primary));
  expect(await database.book()).toMatchObject({ lost: [] });
});

describe('in asynchronous mode', () => {
  const rest = (member: string) =>
    loadConfig(database.fleet.sandbox.configPath).database!.members[member]!.rest;
  const inSync = async (synchronous: boolean) => {
    const { user, variable } = DATABASE_USERS.patroni;
    const credentials = Buffer.from(`${user}:${database.fleet.sandbox.env[variable]}`).toString('base64');
    const { leader } = await database.systems.database.look();
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
    const client = new Client({ connectionString: database.fleet.sandbox.databaseUrl });
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
    database.workers.start();
    await inSync(false);
    await sql(
      'DROP TABLE IF EXISTS account',
      'CREATE TABLE account (id int PRIMARY KEY, balance numeric)',
      'INSERT INTO account VALUES (1, 100), (3, 300)',
    );
    const ours = await database.writing();
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
    await database.fleet.breakDatabase('primary', 'kill');
    const report = await database.fleet.reaches(await start(), 'recovered');
    const { unknown } = await ours.stop();
    const { lost } = await ours.compare();
    const saving = report.steps.find(({ title }) => title === `Save what only ${database.primary} has`)!;
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
    expect(report.sentence).toContain(`${saved.length + 1} rows that only ${database.primary} had are saved`);
  });
});

describe('a planned switchover', () => {
  const synchronousStandby = async () =>
    (await database.systems.database.look()).members.find(({ agent }) => agent?.synchronous)!.member;
  const handOver = (to?: string) =>
    testRuns(() => database.fleet).carryOut('database-switchover', to ? { to } : {}, 'succeeded');

  it('hands the role over under load: no acknowledged row is lost, the old primary follows', async () => {
    database.workers.start();
    await database.writing();
    const to = await synchronousStandby();
    const report = await handOver();
    expect(report.sentence).toBe(`${to} took over from ${database.primary}, which follows it now`);
    expect(await database.book()).toMatchObject({ lost: [] });
    const { members, leader } = await database.systems.database.look();
    expect(leader).toBe(to);
    expect(members.find(({ member }) => member === database.primary)!.postgres?.receiver?.from).toBe(to);
  });

  it('is refused to a standby that may lack writes, and nothing is done', async () => {
    database.workers.start();
    const first = await synchronousStandby();
    const { members } = await database.systems.database.look();
    const other = members.find(({ member }) => ![first, database.primary].includes(member))!.member;
    const run = await testRuns(() => database.fleet).start('database-switchover', { to: other });
    expect((await database.fleet.reaches(run, 'refused')).sentence).toContain(
      `candidate has every write: ${other} cannot take over from ${database.primary}: it is not its synchronous standby`,
    );
    expect(database.workers.effects()).toEqual([]);
  });

  it('to the primary itself has nothing to do', async () => {
    database.workers.start();
    expect((await handOver(database.primary)).sentence).toBe(`${database.primary} is the primary already`);
    expect(database.workers.effects()).toEqual([]);
  });

  it('whose worker dies in it goes on without a second one', async () => {
    const worker = database.workers.start({ death: 'database.switchOver end' });
    const to = await synchronousStandby();
    const run = await testRuns(() => database.fleet).start('database-switchover', {});
    await worker.exited;
    database.workers.start();
    await database.fleet.reaches(run, 'succeeded');
    expect((await database.systems.database.look()).leader).toBe(to);
    expect(database.workers.effects()).toEqual([`switchOver ${database.primary} ${to}`]);
  });
});

describe('fence before promote', () => {
  const evidence = (member: string): Fenced => ({ member, said: 'I say so', at: new Date().toISOString() });

  /** The promotion alone, as a procedure that gets the order wrong would ask for it. */
  const promote = (fenced: Fenced | undefined) => {
    const { letTakeOver } = databaseActs({ database: database.systems } as unknown as Deps);
    const ask = {
      primary: database.primary,
      candidate: 'd0',
      fenced,
      how: { mode: 'execute' as const, key: 'test' },
    };
    return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(letTakeOver, ask);
  };

  it.each([
    ['without evidence', () => undefined, /there is no evidence that it is fenced$/],
    ['upon evidence about another', () => evidence('d0'), /the evidence is of d0$/],
    [
      'upon evidence that does not hold',
      () => evidence(database.primary),
      /it was fenced at .*, but is not any more/,
    ],
  ])('%s a lease stays where it is', async (_, fenced, why) => {
    const { leader } = await database.systems.database.look();
    await expect(promote(fenced())).rejects.toMatchObject({
      code: 'NOT_FENCED',
      message: expect.stringMatching(why),
    });
    expect((await database.systems.database.look()).leader).toBe(leader);
  });

  it('a primary that only hangs is not fenced, whatever the evidence says', async () => {
    await database.fleet.breakDatabase('primary', 'hang');
    await expect(promote(evidence(database.primary))).rejects.toMatchObject({ code: 'NOT_FENCED' });
  });

  it('a worker killed between the two looks again before anybody takes over, and nothing is done twice', async () => {
    const worker = database.workers.start({ death: 'database.releaseLease begin' });
    await database.fleet.breakDatabase('primary', 'hang');
    const run = await start();
    const end = until(
      `${run} is over`,
      async (): Promise<RunReport> => {
        const report = await database.fleet.operations.show(run);
        if (isOver(report.state)) return report;
        throw new Error(`it is ${report.state}: ${report.sentence}`);
      },
      100_000,
    );
    await Promise.race([worker.exited, end]);
    database.workers.start();
    expect(await end).toMatchObject({ state: 'recovered' });
    expect(database.workers.effects()).toEqual(fencedFirst(database.primary));
  });
});
