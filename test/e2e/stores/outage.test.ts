import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { databaseRestart } from '../../../activities/database/restart';
import type { Deps } from '../../../activities/deps';
import type { DatabaseMember, Salvage } from '../../../core/database';
import type { Intent, RunReport } from '../../../core/run';
import { databaseProgram } from '../../../core/topology';
import { reconnect } from '../../../sandbox/faults/routes';
import { useDatabase } from '../../harness/database';
import { stepOf, testRuns } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';

/** full-outage, control-plane-restart and partition-response on a real cluster. */
const options = smallSandbox(22);
const database = useDatabase(options);

const runs = testRuns(() => database.fleet);
const carryOut = async (runbook: string): Promise<RunReport> =>
  database.fleet.reaches(await runs.start(runbook, {}), 'recovered');
const others = () => ['d1', 'd2', 'd3'].filter((member) => member !== database.primary);
const starts = () => database.workers.effects().filter((effect) => effect.startsWith('start '));

async function killMembers(): Promise<void> {
  await database.fleet.breakDatabase('primary', 'kill');
  for (const _ of others()) await database.fleet.breakDatabase('replica', 'kill');
}

describe('all is down', () => {
  it('control plane and every member are started in order: the last primary first, no acknowledged row is lost', async () => {
    database.workers.start();
    await database.writing();
    await database.fleet.breakDatabase('etcd', 'kill');
    await killMembers();
    const report = await carryOut('full-outage');
    const [one, two] = others();
    expect(report.sentence).toBe(
      `${database.primary} is the primary again; ${one} follows it now; ${two} follows it now`,
    );
    expect(starts()).toEqual(
      ['etcd', database.primary, one!, two!].map((name) => `start ${databaseProgram(name)}`),
    );
    expect(await database.book()).toMatchObject({ lost: [] });
  });

  it('every member alone: the failover that is started for it starts them', async () => {
    database.workers.start();
    await database.writing();
    await killMembers();
    const report = await carryOut('database-failover');
    expect(report.sentence).toContain(`${database.primary} is the primary again`);
    expect(await database.book()).toMatchObject({ lost: [] });
  });

  it('primary and control plane: with that started, a standby takes over', async () => {
    database.workers.start();
    await database.writing();
    await database.fleet.breakDatabase('etcd', 'kill');
    await database.fleet.breakDatabase('primary', 'kill');
    const report = await carryOut('database-failover');
    expect(report.sentence).toMatch(
      new RegExp(`^d\\d took over from ${database.primary}, which follows it now`),
    );
    expect(starts()[0]).toBe('start database-etcd');
    expect(await database.book()).toMatchObject({ lost: [] });
  });

  it('asks a person where the last primary has no data any more, and starts nobody in its place', async () => {
    database.workers.start();
    await killMembers();
    const data = join(database.fleet.sandbox.dir, databaseProgram(database.primary), 'data');
    renameSync(data, `${data}.away`);
    const run = await runs.start('full-outage', {});
    const { sentence } = await database.fleet.reaches(run, 'needs attention');
    expect(sentence).toContain('who was the primary last');
    expect(starts()).toEqual([]);
    renameSync(`${data}.away`, data);
    await database.fleet.operations.decide(run, 'retry', { by: 'ada', reason: 'its disk is back' });
    await database.fleet.reaches(run, 'recovered');
    expect((await database.systems.database.look()).leader).toBe(database.primary);
  });
});

it('a primary that runs and says nothing is not killed before a person says so, where nobody can take over from it', async () => {
  database.workers.start();
  for (const _ of others()) await database.fleet.breakDatabase('replica', 'kill');
  await database.fleet.breakDatabase('primary', 'hang');
  const run = await runs.start('full-outage', {});
  const { sentence } = await database.fleet.reaches(run, 'needs attention');
  expect(sentence).toContain(
    `${database.primary} runs but answers nobody here, and nobody can take over from it`,
  );
  expect(database.workers.effects().filter((effect) => !effect.includes('-remains'))).toEqual([]);
  await database.fleet.operations.decide(run, 'retry', { by: 'ada', reason: 'it hangs, I looked' });
  await database.fleet.reaches(run, 'recovered');
  expect((await database.systems.database.look()).leader).toBe(database.primary);
});

it('a control plane that hangs is started again, and nothing else is touched', async () => {
  database.workers.start();
  await database.fleet.breakDatabase('etcd', 'hang');
  await carryOut('control-plane-restart');
  expect(database.workers.effects().map((effect) => effect.replace(/ \d+$/, ''))).toEqual([
    'kill database-etcd',
    'start database-etcd',
  ]);
  expect(await database.systems.database.look()).toMatchObject({
    leader: database.primary,
    clients: { ok: true },
  });
});

it('a control plane that only we do not reach is not killed while members reach it', async () => {
  const { systems } = database;
  const control = async () => [{ server: 'etcd', ok: false, said: 'no way from here' }];
  const blind = { ...systems, database: { ...systems.database, control } };
  const { startControl } = databaseRestart({ database: blind } as unknown as Deps);
  const { pid } = await systems.fleet.status('database-etcd');
  const how: Intent = { mode: 'execute', key: 'test' };
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  await expect(environment.run(startControl, { how })).rejects.toMatchObject({
    code: 'STILL_SERVES',
    message: expect.stringMatching(
      /answers nobody here, but d1 and d2 and d3 reached the control plane meanwhile$/,
    ),
  });
  expect((await systems.fleet.status('database-etcd')).pid).toBe(pid);
});

it('standbys that have only just got the control plane back are waited for before the last primary is started', async () => {
  const { systems } = database;
  let looks = 0;
  const look = async () => {
    const view = await systems.database.look();
    const late = ({ agent, ...rest }: DatabaseMember): DatabaseMember => ({
      ...rest,
      agent: agent && { ...agent, synchronous: false, controlAt: 0 },
    });
    return looks++ === 0 ? { ...view, members: view.members.map(late) } : view;
  };
  const late = { ...systems, database: { ...systems.database, look } };
  const { lookAtRemains } = databaseRestart({ database: late } as unknown as Deps);
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  expect(await environment.run(lookAtRemains, { named: undefined })).toMatchObject({
    value: { candidate: expect.stringMatching(/^d\d$/) },
  });
});

describe('members apart', () => {
  it('a primary that is cut off is fenced by its machine and stays so; reached again, it gives up what only it has', async () => {
    database.workers.start();
    await database.writing();
    await database.fleet.breakDatabase('primary', 'partition');
    const report = await carryOut('database-failover');
    expect(report.sentence).toMatch(
      new RegExp(
        `took over from ${database.primary}, which is fenced, and stays so until it is reached again$`,
      ),
    );
    expect(starts()).toEqual([]);
    await reconnect(options.block);
    const merged = await carryOut('partition-response');
    expect(merged.sentence).toContain(`; ${database.primary} follows it now`);
    expect(await database.book()).toMatchObject({ lost: [] });
  });

  it('one that takes writes beside the primary is fenced, and its conflicts are reported', async () => {
    database.workers.start();
    await database.at(database.primary, 'CREATE TABLE account (id int PRIMARY KEY, owner text)');
    await database.at(database.primary, "INSERT INTO account VALUES (1, 'nobody')");
    await database.fleet.breakDatabase('primary', 'patroni-kill');
    const next = await until(
      'Patroni alone has made another the primary',
      async () => {
        const { leader, members } = await database.systems.database.look();
        const writable = members.filter(({ postgres }) => postgres?.writable);
        return leader !== database.primary && writable.length === 2 && leader;
      },
      60_000,
    );
    await database.at(next, "UPDATE account SET owner = 'majority' WHERE id = 1");
    await database.at(database.primary, "UPDATE account SET owner = 'minority' WHERE id = 1");
    const report = await carryOut('partition-response');
    expect(report.sentence).toMatch(
      new RegExp(
        `^${next} stays the primary;.* ${database.primary} follows it now; 1 rows that only ${database.primary} had are saved`,
      ),
    );
    const { file } = stepOf(report, `Save what only ${database.primary} has`)!.after as Salvage;
    expect(
      readFileSync(file!, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({
        fate: 'different',
        row: { id: 1, owner: 'minority' },
        there: { id: 1, owner: 'majority' },
      }),
    ]);
    expect(await database.at(database.primary, 'SELECT owner FROM account')).toEqual([{ owner: 'majority' }]);
    await expect(database.at(database.primary, 'DELETE FROM account')).rejects.toThrow(/read-only/);
  });

  it('a standby whose disk is empty is made anew, and nothing is killed for it', async () => {
    database.workers.start();
    await database.fleet.breakDatabase('replica', 'kill');
    const { members } = await database.systems.database.look();
    const { member } = members.find(({ agent }) => !agent)!;
    rmSync(join(database.fleet.sandbox.dir, databaseProgram(member), 'data'), { recursive: true });
    const report = await carryOut('partition-response');
    expect(report.sentence).toBe(`${database.primary} stays the primary; ${member} follows it now`);
    expect(database.workers.effects()).toEqual([
      `run ${databaseProgram(member)}-salvage 600000`,
      `start ${databaseProgram(member)}`,
    ]);
  });

  it('with all of them together there is nothing to do', async () => {
    database.workers.start();
    const report = await database.fleet.reaches(await runs.start('partition-response', {}), 'succeeded');
    expect(report.sentence).toBe(`all members are with ${database.primary}`);
    expect(database.workers.effects()).toEqual([]);
  });
});
