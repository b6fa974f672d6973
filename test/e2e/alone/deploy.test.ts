import { up } from '../../../sandbox';
import { prober } from '../../../activities/adapters/prober';
import { nodesOf } from '../../../core/topology';
import { loadConfig } from '../../../operations';
import { NONE, testClients, type TestClients } from '../../harness/clients';
import { testFleet, type TestFleet } from '../../harness/fleet';
import { inspect, type Inspection } from '../../harness/inspect';
import { stepOf, testRuns, undone } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';
import { testWorkers, type TestWorkers } from '../../harness/worker';

/**
 * Releases come to the six nodes of a region on real parts, under live MCP clients: 1.0.0 and 1.1.0 are good, 1.2.0 never gets
 * healthy, 1.3.0 fails while it serves. Each test leaves one release on all of them, and says which.
 */
const OPTIONS = { ...smallSandbox(21), nodesPerZone: 2, monitoring: true, failsAfter: 1 };
/** The long time-out: a busy machine must not make a node look sick. */
const SETTINGS = {
  policies: { drainTimeout: '3s', rampInterval: '100ms', minimumHealthyShare: 0.3 },
  health: { timeout: '2s' },
};
const region = 'us-east-1';
const quick = { region, interval: '1s', watch: '1s', retries: 1 };
const by = 'ada';

let fleet: TestFleet;
let workers: TestWorkers;
let seen: Inspection;
let clients: TestClients | undefined;

beforeAll(async () => {
  fleet = await testFleet(OPTIONS);
  seen = inspect(fleet.sandbox);
  workers = testWorkers(fleet.sandbox);
  workers.start(SETTINGS);
});
beforeEach(() => workers.forget());
afterEach(async () => {
  await clients?.stop();
  clients = undefined;
});
afterAll(async () => {
  seen?.close();
  await workers?.close();
  await fleet?.close();
});

const { start, carryOut } = testRuns(() => fleet);

async function callAll(): Promise<TestClients> {
  return (clients = await testClients(fleet.sandbox.urls.mcp[region]!));
}

/** What every node of the region tells, as `1.0.0, ready 100`; a spare what it would start with. Each kind once. */
const told = (): Promise<string[]> => until('all nodes have answered', toldNow);

async function toldNow(): Promise<string[]> {
  const nodes = nodesOf(loadConfig(fleet.sandbox.configPath), region);
  const { health } = prober({ timeoutMs: 2_000 });
  const all = nodes.map(async ({ id, program, address, spare }) => {
    const { current } = await seen.releasesOf(region).look(program);
    const standing = (await seen.standing(id)).replace(
      'running',
      (await health(address)).version ?? 'silent',
    );
    return spare ? `spare ${current}, ${standing}` : `${current}: ${standing}`;
  });
  return [...new Set(await Promise.all(all))];
}

/** All nodes serve with this release, and the spares would. */
const everywhere = (version: string) => [
  `${version}: ${version}, ready 100`,
  `spare ${version}, stopped, unknown`,
];

it('a plan says what would change and touches nothing', async () => {
  const { plan } = await carryOut('rolling-deploy', { ...quick, version: '1.1.0' }, 'planned', 'plan');
  expect(plan?.changes.filter((change) => !change.includes('bucket'))).toEqual([
    'would drain us-east-1/a/n1, us-east-1/b/n1, us-east-1/c/n1',
    'would take 3 nodes out of the load balancer',
    'would give 3 nodes 1.1.0',
    ...[25, 50, 100].map((weight) => `would give 3 nodes ${weight} % of their traffic`),
    'would drain us-east-1/a/n2, us-east-1/b/n2, us-east-1/c/n2',
    'would take 3 nodes out of the load balancer',
    'would give 3 nodes 1.1.0',
    ...[25, 50, 100].map((weight) => `would give 3 nodes ${weight} % of their traffic`),
    'would have 3 nodes out of service start with 1.1.0',
  ]);
  expect(workers.effects()).toEqual([]);
  expect(await told()).toEqual(everywhere('1.0.0'));
});

it('a release that is not on the machines is refused before anything is touched', async () => {
  const report = await carryOut('rolling-deploy', { ...quick, version: '9.9.9' }, 'failed');
  expect(report.sentence).toContain('release 9.9.9 is not on the machines of us-east-1/a/n1');
  expect(workers.effects()).toEqual([]);
});

it('a release comes to every node under live clients, who notice nothing', async () => {
  const calling = await callAll();
  const report = await carryOut('rolling-deploy', { ...quick, version: '1.1.0' }, 'succeeded');
  expect(await calling.troubles()).toEqual(NONE);
  expect(report).toMatchObject({
    sentence: '1.1.0 runs on every node of us-east-1: 6 nodes were given it',
    actual: { sessionsLost: 0 },
  });
  expect(await told()).toEqual(everywhere('1.1.0'));
});

it('done again there is nothing to do', async () => {
  const report = await carryOut('rolling-deploy', { ...quick, version: '1.1.0' }, 'succeeded');
  expect(report.sentence).toBe('every node of us-east-1 runs 1.1.0 already');
  expect(workers.effects()).toEqual([]);
});

it('a rollback goes to the release that stood before, and a worker killed amid a batch costs nothing but time', async () => {
  await workers.stop();
  const dying = workers.start({ ...SETTINGS, death: 'releases.switch end' });
  const calling = await callAll();
  const run = await start('rollback', quick);
  expect(await dying.exited).toBeNull();
  workers.start(SETTINGS);
  const report = await fleet.reaches(run, 'succeeded');
  expect(await calling.troubles()).toEqual(NONE);
  expect(report.sentence).toBe('1.0.0 runs on every node of us-east-1: 6 nodes were given it');
  expect(await told()).toEqual(everywhere('1.0.0'));
  const starts = workers.effects().filter((effect) => effect.startsWith('start '));
  expect(new Set(starts).size).toBe(starts.length);
});

it('where no release stood before, a rollback touches nothing', async () => {
  const report = await carryOut('rollback', quick, 'failed');
  expect(report.sentence).toContain('do not agree which release stood before');
  expect(workers.effects()).toEqual([]);
});

it('a release that never gets healthy is rolled back, and no client notices', async () => {
  const calling = await callAll();
  const ask = { ...quick, version: '1.2.0', healthTimeout: '2s' };
  const report = await carryOut('rolling-deploy', ask, 'rolled back');
  expect(await calling.troubles()).toEqual(NONE);
  expect(report.sentence).toContain('us-east-1/a/n1 with 1.2.0 is not healthy within 2s, 2 times in a row');
  expect(undone(report)[0]).toBe('Put 1.0.0 back on us-east-1/a/n1, us-east-1/b/n1, us-east-1/c/n1: done');
  expect(await told()).toEqual(everywhere('1.0.0'));
});

describe('a release that fails calls after it has passed its checks', () => {
  it('keeps another deploy out while it is watched, whoever brings what, and is rolled back by itself', async () => {
    const ask = { runbook: 'rolling-deploy', input: { ...quick, version: '1.3.0', interval: '30s' }, by };
    const { run } = await fleet.operations.start({ ...ask, key: 'pipeline-1' });
    await until('it is watched', async () =>
      stepOf(await fleet.operations.show(run), 'Watch 3 nodes of us-east-1 for 30s'),
    );
    expect(await fleet.operations.start({ ...ask, key: 'pipeline-1' })).toEqual({ run, joined: true });
    for (const input of [ask.input, { version: '1.1.0' }])
      await expect(fleet.operations.start({ ...ask, input })).rejects.toMatchObject({
        code: 'LOCK_HELD',
        message: expect.stringContaining(`held by ${run}`),
      });
    // Their sessions are new ones, so that both releases get their share of them.
    const calling = await callAll();
    const report = await fleet.reaches(run, 'rolled back');
    expect(report.sentence).toMatch(
      /1\.3\.0 does not hold: [\d.]+ % of its calls fail, against 0 % before; 1 % may/,
    );
    expect((await calling.troubles()).sessionsLost).toBe(0);
    expect(await told()).toEqual(everywhere('1.0.0'));
  });
});

it.each([
  ['Drain', 1],
  ['Give', 2],
  ['Ramp', 1],
])('aborted in the step %s … of batch %d, all nodes run what they ran', async (step, batch) => {
  const calling = await callAll();
  const run = await start('rolling-deploy', { ...quick, version: '1.1.0' });
  await until(`it is at ${step} of batch ${batch}`, async () => {
    const { steps } = await fleet.operations.show(run);
    const begun = steps.filter(({ title }) => title.startsWith(`${step} us-east-1/`));
    return begun.length >= batch && begun.at(-1)?.state === 'running';
  });
  await fleet.operations.decide(run, 'abort', { by, reason: 'test' });
  await fleet.reaches(run, 'aborted');
  expect(await calling.troubles()).toEqual(NONE);
  expect(await told()).toEqual(everywhere('1.0.0'));
});

it('too few that serve keep a deploy from beginning', async () => {
  const others = ['a-n1', 'a-n2', 'b-n1', 'b-n2'];
  await seen.balancerOf(region).isolate(...others);
  const report = await carryOut('rolling-deploy', { ...quick, version: '1.1.0' }, 'failed');
  for (const server of others) await seen.balancerOf(region).admit(server, 100);
  expect(report.sentence).toContain('neither serve nor are out of service');
  expect(workers.effects()).toEqual([]);
});

describe('blue-green', () => {
  const ask = { region, periods: ['2s', '2s', '2s'], retries: 1 };
  const weights = async () => {
    const members = await seen.balancerOf(region).members();
    return Object.fromEntries(members.map(({ server, admin, weight }) => [server, `${admin} ${weight}`]));
  };
  const sides = (green: string, blue: string) => ({
    'a-n1': green,
    'b-n1': green,
    'c-n1': green,
    'a-n2': blue,
    'b-n2': blue,
    'c-n2': blue,
  });
  const watched = (run: string, nth: number) =>
    until(`the ${nth}. shift is watched`, async () => {
      const { steps } = await fleet.operations.show(run);
      return (
        steps.filter(({ title, state }) => title.startsWith('Watch 3') && state === 'running').length === 1 &&
        steps.filter(({ title }) => title.startsWith('Lead')).length === nth
      );
    });

  it('half of the nodes prove a release to the others, whose clients notice nothing', async () => {
    const calling = await callAll();
    const run = await start('blue-green-deploy', { ...ask, version: '1.1.0' });
    await watched(run, 1);
    expect(await weights()).toEqual(sides('ready 11', 'ready 100'));
    await watched(run, 3);
    expect(await weights()).toEqual(sides('ready 100', 'ready 0'));
    const report = await fleet.reaches(run, 'succeeded');
    expect(await calling.troubles()).toEqual(NONE);
    expect(report.sentence).toBe(
      '1.1.0 runs on every node of us-east-1: 3 nodes have proven it to the other 3',
    );
    expect(await told()).toEqual(everywhere('1.1.0'));
  });

  it('a release that fails its first clients loses them at once, and is put back', async () => {
    const calling = await callAll();
    const run = await start('blue-green-deploy', { ...ask, version: '1.3.0', periods: ['30s', '2s', '2s'] });
    const report = await fleet.reaches(run, 'rolled back');
    expect(report.sentence).toContain('1.3.0 does not hold');
    expect(undone(report)[0]).toBe('Lead all clients back to where they were: done');
    const failed = report.steps.find(({ state }) => state === 'failed')!;
    const back = report.steps.find(({ kind }) => kind === 'undo')!;
    expect(Date.parse(back.endedAt!) - Date.parse(failed.endedAt!)).toBeLessThan(2_000);
    expect((await calling.troubles()).sessionsLost).toBe(0);
    expect(await told()).toEqual(everywhere('1.1.0'));
  });
});

it('a node killed amid a deploy is rescued first; the deploy waits, and goes on', async () => {
  await workers.stop();
  await up({ ...OPTIONS, workers: 2 });
  const calling = await callAll();
  const version = (await told()).some((one) => one.startsWith('1.0.0')) ? '1.1.0' : '1.0.0';
  const run = await start('rolling-deploy', { ...quick, version, interval: '8s' });
  await until('it is watched', async () =>
    (await fleet.operations.show(run)).steps.some(({ title }) => title.startsWith('Watch')),
  );
  const victim = 'us-east-1/c/n2';
  await fleet.break(victim, 'kill');
  const rescue = await fleet.runOn(victim);
  expect(await fleet.reaches(run, 'waiting for lock')).toMatchObject({
    sentence: expect.stringMatching(`is lent to ${rescue}: node-failover on node/${victim} goes first`),
  });
  await fleet.reaches(rescue, 'recovered');
  const report = await fleet.reaches(run, 'succeeded');
  expect(stepOf(report, 'Wait for a rescue')?.sentence).toBe(
    `node-failover on node/${victim} went first: ${rescue}`,
  );
  expect((await calling.troubles()).sessionsLost).toBe(0);
  expect(await told()).toEqual(everywhere(version));
});
