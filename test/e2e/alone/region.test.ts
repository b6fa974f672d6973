import type { RunReport } from '../../../core/run';
import { loadConfig } from '../../../operations';
import { testRuns, undone } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';
import { testWorkers, type TestWorkers } from '../../harness/worker';
import { stepLike, titles, useWorld } from '../../harness/world';

/**
 * A region is lost, brought back, and left by plan: every part real, in three regions with a worker and a monitor each, under MCP
 * clients that go where the fleet's name leads them, and under writes that are counted. The tests go on from each other's fleet.
 */
const REGION = 'us-east-1';
const OTHERS = ['eu-central-1', 'ap-southeast-1'] as const;
const CLIENTS = 12;

let workers: TestWorkers | undefined;
afterAll(() => workers?.close()); // before the fleet it works on

const world = useWorld(smallSandbox(26), { clients: CLIENTS });
const { traffic, ledTo, ended, database } = world;
const runs = testRuns(() => world.fleet);

/** Who leads the database, and where. */
async function primary(): Promise<{ leader: string; region: string }> {
  const { leader } = await database().look();
  const { members } = loadConfig(world.fleet.sandbox.configPath).database!;
  return { leader: leader!, region: members[leader!]!.region };
}

/** Brings a region back with a person's approval. */
async function broughtBack(region: string): Promise<RunReport> {
  const run = await runs.start('region-failback', { region });
  await world.fleet.reaches(run, 'waiting for approval');
  await world.fleet.operations.decide(run, 'approve', { by: 'grace', reason: 'it is whole' });
  return ended(run);
}

it('one vantage point alone is no reason to leave a region', async () => {
  await world.fleet.breakWay(OTHERS[0], REGION);
  await until('what is lost on the way is seen', async () => {
    const ways = await world.fleet.operations.ways([OTHERS[0]]);
    return ways.some(({ to, state }) => to === REGION && state === 'lossy');
  });
  const report = await ended(await runs.start('region-failover', { region: REGION }));
  await world.fleet.healWay(OTHERS[0], REGION);
  expect(report).toMatchObject({
    state: 'refused',
    sentence: `two vantage points: ${REGION} must not be left: ${OTHERS[0]} sees ${REGION} failed, ${OTHERS[1]} does not`,
  });
});

it('a region that dies is left by itself: its data, its sessions and its clients', async () => {
  const under = await traffic();
  await until('clients are everywhere', () => ledTo(under.load).length === 3);
  await world.fleet.breakRegion(REGION, 'kill');
  const report = await ended(await world.fleet.runOn(`region/${REGION}`));
  expect(report).toMatchObject({ state: 'recovered', trigger: 'monitor', actual: { sessionsLost: 0 } });
  expect(report.sentence).toContain(`${OTHERS[0]} 70, ${OTHERS[1]} 30`);
  // Each tier moves upon the evidence of the one before.
  expect(titles(report.steps).filter((title) => /^(See it|Hand|Lead|Ask|Prove|Wait)/.test(title))).toEqual([
    'See it from the other regions',
    'Hand its sessions to the others',
    `Lead its clients to ${REGION} 0, ${OTHERS[0]} 70, ${OTHERS[1]} 30`,
    'Ask every nameserver',
    'Prove it where clients are led',
    'Wait until no earlier answer is used',
  ]);
  expect(stepLike(report, /^See it/).sentence).toMatch(
    /seen from .* does not answer .*; seen from .* does not/,
  );
  expect(stepLike(report, /^See it/).sentence).toMatch(/\d+ of \d+ probes lost/);
  expect(stepLike(report, /^Prove/).sentence).toMatch(/a row in \d+ ms was written/);
  expect(ledTo(under.load)).not.toContain(REGION);
  // Each client draws anew with every answer: for a moment all may have drawn the same.
  await until('clients are led to both', () => ledTo(under.load).join() === [...OTHERS].toSorted().join());
  const { ok } = under.load.snapshot();
  await until('all clients are answered', () => under.load.snapshot().ok > ok + 5 * CLIENTS);
  expect((await under.load.stop()).sessionsLost).toBe(0);
  const { acknowledged } = under.writer.snapshot();
  await until('rows are acknowledged again', () => under.writer.snapshot().acknowledged > acknowledged + 100);
  await under.writer.stop();
  expect((await under.writer.compare()).lost).toEqual([]);
});

it('a region that is there again is brought back once somebody agrees, and nobody notices', async () => {
  await world.fleet.healRegion(REGION);
  const under = await traffic();
  const report = await broughtBack(REGION);
  expect(report).toMatchObject({ state: 'succeeded', sentence: expect.stringContaining(`${REGION} 40`) });
  expect(titles(report.steps).filter((title) => title.startsWith('Lead'))).toEqual([
    `Lead clients to ${REGION} 33, ${OTHERS[0]} 33, ${OTHERS[1]} 34`,
    `Lead clients to ${REGION} 40, ${OTHERS[0]} 35, ${OTHERS[1]} 25`,
  ]);
  const beneath = report.steps.flatMap(({ nested }) => (nested ? [[nested.runbook, nested.state]] : []));
  expect(beneath).toEqual([
    ['cluster-formation', 'succeeded'],
    ['partition-response', expect.stringMatching(/recovered|succeeded/)],
    ['redis-failover', expect.stringMatching(/recovered|succeeded/)],
    ['rebalance', 'succeeded'],
  ]);
  expect(ledTo(under.load)).toContain(REGION);
  expect(await under.load.stop()).toMatchObject({ failures: {}, sessionsLost: 0 });
}, 300_000);

it('an evacuation that is aborted half-way is led back: its clients, then its data, and nobody notices', async () => {
  const { leader, region } = await primary();
  const under = await traffic();
  const run = await runs.start('region-evacuation', { region });
  const report = await runs.abortIn(run, 'Wait until no earlier answer is used');
  expect(undone(report).filter((step) => !step.includes('session store'))).toEqual([
    'Lead clients where they were led before: done',
    `Give the database back to ${leader}: done`,
  ]);
  expect((await database().look()).leader).toBe(leader);
  await until('clients are led there again', () => ledTo(under.load).includes(region));
  expect(await under.load.stop()).toMatchObject({ failures: {}, sessionsLost: 0 });
  await under.writer.stop();
  expect((await under.writer.compare()).lost).toEqual([]);
});

it('the region of a primary is left by plan, as it was planned, and nobody notices', async () => {
  const { region } = await primary();
  const planned = await ended(await runs.start('region-evacuation', { region }, 'plan'));
  const under = await traffic();
  const { run } = await world.fleet.operations.start({
    runbook: 'region-evacuation',
    input: { region },
    plan: planned.run,
    by: 'ada',
  });
  const report = await ended(run);
  expect(report).toMatchObject({ state: 'succeeded', actual: { sessionsLost: 0 } });
  expect(report.steps.find(({ title }) => title === 'Move the database')).toMatchObject({
    nested: { runbook: 'database-switchover', state: 'succeeded' },
  });
  expect(report.compared).toEqual({
    plan: planned.run,
    agreed: planned.plan!.mutating,
    unplanned: [],
    notDone: [],
  });
  expect(planned.plan!.changes.join('; ')).toMatch(new RegExp(`shift .*${region} \\d+→0`));
  expect(ledTo(under.load)).not.toContain(region);
  expect(await under.load.stop()).toMatchObject({ failures: {}, sessionsLost: 0 });
  await under.writer.stop();
  expect((await under.writer.compare()).lost).toEqual([]);
});

it('one that is forced fences the primary, and aborted after that it undoes nothing and asks', async () => {
  const { leader, region } = await primary();
  const under = await traffic();
  const run = await runs.startForced('region-evacuation', { region });
  await until('the last step is under way', async () => {
    const { steps } = await world.fleet.operations.show(run);
    return steps.some(({ title, state }) => title.startsWith('Wait until') && state === 'running');
  });
  await world.fleet.operations.decide(run, 'abort', { by: 'ada', reason: 'the storm turned' });
  const asking = await world.fleet.reaches(run, 'needs attention');
  expect(asking.sentence).toContain('aborted by ada (the storm turned), but there is no going back: ');
  expect(asking.noReturn).toEqual([expect.stringContaining(`in place of ${leader}, which is fenced`)]);
  await world.fleet.operations.decide(run, 'retry', { by: 'ada', reason: 'it stays away' });
  const report = await ended(run);
  expect(report).toMatchObject({ state: 'succeeded', forced: { by: 'ada' } });
  expect(undone(report)).toEqual([]);
  expect(stepLike(report, /^Move the database/).nested!.steps.map(({ title }) => title)).toContain(
    `Fence ${leader}`,
  );
  expect((await under.load.stop()).sessionsLost).toBe(0);
  await under.writer.stop();
  expect((await under.writer.compare()).lost).toEqual([]);
  expect((await broughtBack(region)).state).toBe('succeeded');
});

it('a run whose own region dies under it goes on in another one, does nothing twice, and all of it as planned', async () => {
  const { region } = await primary();
  const { regions } = loadConfig(world.fleet.sandbox.configPath);
  const others = Object.keys(regions).filter((one) => one !== region);
  await Promise.all(Object.keys(regions).map((one) => world.fleet.stopWorker(one)));
  // Nor any monitor, which would start runs of its own.
  const watching = Object.keys(regions).map((one) => `monitor-sandbox-${one}`);
  await Promise.all(watching.map((one) => world.fleet.client.workflow.getHandle(one).terminate()));
  workers = testWorkers(world.fleet.sandbox);
  // All that is not a look from another region is done by the worker in the region that dies.
  others.forEach((one) => workers!.start({ region: one, only: true }));
  const dying = workers.start({ region, death: 'dns.shift end' });
  await world.fleet.breakBalancer(region, 'kill');
  const planned = await ended(await runs.start('region-failover', { region }, 'plan'));
  expect(planned.state).toBe('planned');
  expect(workers.effects()).toEqual([]);

  const ask = { runbook: 'region-failover', input: { region }, plan: planned.run, by: 'ada' };
  const { run } = await world.fleet.operations.start(ask);
  await dying.exited;
  await world.fleet.breakRegion(region, 'kill');
  others.forEach((one) => workers!.start({ region: one }));
  const report = await ended(run);
  expect(report.state).toBe('recovered');
  const { mutating } = planned.plan!;
  expect(report.compared).toEqual({ plan: planned.run, agreed: mutating, unplanned: [], notDone: [] });
  expect(mutating).toBeGreaterThan(0);

  const { events = [] } = await world.fleet.client.workflow.getHandle(run).fetchHistory();
  const by = (attempt?: { identity?: string | null } | null) =>
    attempt?.identity?.startsWith(`${dying.pid}@`);
  const tasks = events!.flatMap(({ workflowTaskStartedEventAttributes: task }) => (task ? [by(task)] : []));
  expect([tasks[0], tasks.at(-1)]).toEqual([true, false]);
  // The act it died in is carried out again, elsewhere, and finds its work done.
  const lead = events!.find(
    ({ activityTaskScheduledEventAttributes: task }) => task?.activityType?.name === 'shiftTraffic',
  );
  const [led] = events!.flatMap(({ activityTaskStartedEventAttributes: task }) =>
    task && String(task.scheduledEventId) === String(lead!.eventId) ? [task] : [],
  );
  expect([Number(led!.attempt) > 1, by(led)]).toEqual([true, false]);
  const effects = workers.effects().filter((effect) => !effect.includes('-remains'));
  expect(effects.filter((effect) => effect.startsWith('shift'))).toHaveLength(1);
  expect(effects.toSorted()).toEqual([...new Set(effects)].toSorted());
});
