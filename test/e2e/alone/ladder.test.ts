import type { Operations } from '../../../operations';
import type { RunReport } from '../../../core/run';
import { openContext } from '../../../sandbox/context';
import { supervisorOf } from '../../../sandbox/supervisor';
import { startLoad, type Load } from '../../../sandbox/load';
import { testFleet, type TestFleet } from '../../harness/fleet';
import { transitions } from '../../harness/journal';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';

/**
 * The coordinator's whole ladder on a sandbox of its own, everything as in production: the monitor finds the faults, two
 * workers carry out what follows. Eight nodes a zone in one region would do; the sandbox has three regions.
 */
const OPTIONS = { ...smallSandbox(15), nodesPerZone: 4, workers: 2 };
const by = 'ada';
const reason = 'test';

let fleet: TestFleet;
let operations: Operations;
let load: Load | undefined;

beforeAll(async () => {
  fleet = await testFleet(OPTIONS);
  ({ operations } = fleet);
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
});
afterAll(() => fleet?.close());

/** Everything on this scope or in it, newest first. */
async function runsIn(scope: string): Promise<{ run: string; state: string }[]> {
  const path = scope.slice(scope.indexOf('/') + 1);
  return (await operations.list({ limit: 200 })).filter((run) => run.scope.includes(path));
}

const undone = ({ steps }: RunReport) =>
  steps.filter(({ kind }) => kind === 'undo').map(({ state }) => state);

it('most nodes of a zone killed at once are one run of the zone, which absorbs those of its nodes', async () => {
  const zone = 'us-east-1/a';
  const calling = startLoad({
    url: fleet.sandbox.urls.mcp['us-east-1']!,
    clients: 24,
    ratePerClient: 2,
    timeoutMs: 5_000,
  });
  load = calling;
  await until('every client calls', () => calling.snapshot().ok > 24 * 10);
  await fleet.breakZone(zone, 'kill', 0.75);
  const run = await fleet.runOn(`zone/${zone}`);
  const report = await fleet.reaches(run, 'recovered');
  const { ok } = calling.snapshot();
  await until('the clients call on', () => calling.snapshot().ok > ok + 24);

  expect(report).toMatchObject({ trigger: 'monitor', actual: { sessionsLost: 0 } });
  // Left first, repaired afterwards.
  const repair = report.steps.find(({ title }) => title === 'Restart what has failed')!;
  expect(report.clock.isolatedAt! < repair.startedAt).toBe(true);
  const runs = await runsIn(`zone/${zone}`);
  expect(runs.filter(({ run: id }) => id.startsWith('zone-failover'))).toHaveLength(1);
  for (const narrow of runs.filter(({ run: id }) => id !== run)) {
    expect(narrow).toMatchObject({ run: expect.stringMatching(/^node-failover-/), state: 'absorbed' });
    expect((await operations.show(narrow.run)).sentence).toContain(`absorbed by ${run}`);
  }
  expect(calling.snapshot().sessionsLost).toBe(0);
});

it('a drill on a node makes room for the failover of its zone, with its fault undone', async () => {
  const zone = 'eu-central-1/a';
  const { run } = await until('a drill may begin', () =>
    operations.start({ runbook: 'node-failover', input: { node: `${zone}/n4` }, mode: 'drill', by }),
  );
  await until('the drill has killed its node', async () => {
    const [first] = (await operations.show(run)).steps;
    return first?.state === 'done';
  });
  await fleet.breakZone(zone, 'kill', 0.75);
  const drill = await until('the drill is over', async () => {
    const report = await operations.show(run);
    return report.endedAt !== undefined && report;
  });
  const rescue = await fleet.runOn(`zone/${zone}`);
  expect(drill).toMatchObject({
    state: 'interrupted',
    sentence: expect.stringContaining(`interrupted by ${rescue}`),
  });
  expect(undone(drill)).toEqual(expect.arrayContaining(['done']));
  expect(undone(drill)).not.toContain('failed');
  await fleet.reaches(rescue, 'recovered');
});

it('a node that a wider run took over, and did not need to heal, is healed all the same', async () => {
  const zone = 'eu-central-1/b';
  await fleet.break(`${zone}/n1`, 'kill');
  const narrow = await fleet.runOn(`${zone}/n1`);
  const wide = await operations.start({ runbook: 'zone-failover', input: { zone }, by });
  expect(await fleet.reaches(narrow, 'absorbed')).toMatchObject({
    sentence: expect.stringContaining(wide.run),
  });
  await fleet.reaches(wide.run, 'succeeded');
  await fleet.reaches(await fleet.runOn(`${zone}/n1`), 'recovered');
});

it('a node that fails again and again is no longer healed without a person', async () => {
  const node = 'ap-southeast-1/a/n1';
  for (const time of [1, 2]) {
    await fleet.break(node, 'kill');
    const report = await fleet.reaches(await fleet.runOn(node), 'recovered');
    expect([time, report.trigger]).toEqual([time, 'monitor']);
    await until('the scope is free', async () => !(await operations.coordination()).locks[`node/${node}`]);
  }
  await fleet.break(node, 'kill');
  const run = await fleet.runOn(node);
  const asking = await fleet.reaches(run, 'needs attention');
  expect(asking.sentence).toContain('was carried out on node/ap-southeast-1/a/n1 2 times within 10 min');
  await until('on-call was called', async () =>
    (await operations.show(run)).steps.some(
      ({ title, state }) => title === 'Call on-call' && state === 'done',
    ),
  );
  expect((await operations.show(run)).steps.filter(({ kind }) => kind === 'act')).toEqual([]);
  await operations.decide(run, 'retry', { by, reason });
  await fleet.reaches(run, 'recovered');
});

it('the safety lever stops what automation does, and what it would begin; released, it looks again and goes on', async () => {
  const [first, second] = ['ap-southeast-1/b/n1', 'ap-southeast-1/c/n1'] as const;
  await fleet.break(first, 'kill');
  const run = await fleet.runOn(first);
  await operations.moveLever({ engaged: true, by, reason });
  const paused = await fleet.reaches(run, 'paused');
  expect(paused.sentence).toContain('held by the safety lever, which ada has engaged (test)');

  await fleet.break(second, 'kill');
  await until('the fault is kept', async () => (await operations.coordination()).held[`node/${second}`]);
  expect((await operations.coordination()).locks).not.toHaveProperty([`node/${second}`]);

  await operations.moveLever({ engaged: false, by, reason });
  const kept = await fleet.runOn(second); // it has one before the answer comes
  for (const each of [run, kept]) await fleet.reaches(each, 'recovered');
});

it('every change of health is in the journal, those of the time when it was away too', async () => {
  const node = 'ap-southeast-1/b/n3';
  const { at, secrets } = (await openContext({ dir: fleet.sandbox.dir }))!;
  const supervisor = supervisorOf(at, secrets);
  await supervisor.signal('journal', 'KILL');
  const away = Date.now();
  await fleet.break(node, 'kill');
  await fleet.reaches(await fleet.runOn(node), 'recovered');
  const back = Date.now();
  await until('the journal runs again', async () => {
    await supervisor.start('journal');
    return (await supervisor.info('journal')).statename === 'RUNNING';
  });
  const changes = await until(
    'the journal has caught up',
    async () => {
      const all = await transitions(fleet.sandbox, `node/${node}`);
      const found = all.filter((change) => change.at.getTime() >= away);
      return found.some(({ to }) => to === 'down') && found.at(-1)!.to === 'healthy' && found;
    },
    30_000,
  );
  expect(changes.find(({ to }) => to === 'down')!.at.getTime()).toBeLessThan(back);
  // Which states it is seen in between depends on when it is looked at; each change begins where the one before it ended.
  expect(changes.slice(1).map(({ from }) => from)).toEqual(changes.slice(0, -1).map(({ to }) => to));
  expect(changes.map(({ to }) => to)).toContain('syncing');
});
