import { up } from '../../sandbox';
import { NONE, testClients, type TestClients } from '../harness/clients';
import { testFleet, type TestFleet } from '../harness/fleet';
import { initialize, smallSandbox } from '../harness/sandbox';
import { inspect, type Inspection } from '../harness/inspect';
import { stepOf, testRuns, undone } from '../harness/runs';
import { until } from '../harness/until';
import { testWorkers, type TestWorkers } from '../harness/worker';

/**
 * The runbooks that change what the fleet consists of, on a sandbox of their own: real Temporal, HAProxy, Redis,
 * supervisord and MCP nodes, one and a spare a zone. Each test leaves the fleet as the next one needs it.
 */
const OPTIONS = smallSandbox(13);
/** The long time-out: a busy machine must not make a node look sick. */
const SETTINGS = { policies: { drainTimeout: '3s' }, health: { timeout: '2s' } };
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

const { start, carryOut, abortIn } = testRuns(() => fleet);

/** Twenty clients, until the test is over. */
async function clientsOf(region: string): Promise<TestClients> {
  return (clients = await testClients(fleet.sandbox.urls.mcp[region]!));
}

describe('add-node', () => {
  const node = 'us-east-1/a/s1';

  it('a plan says what would change and touches nothing', async () => {
    const { plan } = await carryOut('add-node', { node }, 'planned', 'plan');
    expect(plan?.changes).toEqual([
      `would restart ${node} (stopped)`,
      `would add ${node} to the load balancer`,
      ...[25, 50, 100].map((weight) => `would give ${node} ${weight} % of its traffic`),
      expect.stringMatching(/^would move \d+ buckets with \d+ sessions to 1 nodes$/),
    ]);
    expect(workers.effects()).toEqual([]);
    expect(await seen.standing(node)).toBe('stopped, unknown');
  });

  it('a spare comes into service under live clients, who notice nothing, with its share of the sessions', async () => {
    const calling = await clientsOf('us-east-1');
    const report = await carryOut('add-node', { node, watch: '2s' }, 'succeeded');
    expect(await calling.troubles()).toEqual(NONE);
    expect(report).toMatchObject({
      sentence: `${node} serves, with its share of traffic and sessions`,
      actual: { sessionsLost: 0 },
    });
    expect(stepOf(report, 'Wait until it is healthy')?.sentence).toContain('passed 2 checks in a row');
    expect(stepOf(report, 'Watch it in service')?.sentence).toContain('the last 2s without a failure');
    expect(workers.effects()).toEqual([
      'start us-east-1-a-s1',
      expect.stringMatching(/^add a-s1 /),
      ...[25, 50, 100].map((weight) => `admit a-s1 ${weight}`),
      'place ',
    ]);
    expect(await seen.standing(node)).toBe('running, ready 100');
    expect(await seen.bucketsOf(node)).toBeGreaterThan(0);
  });

  it('done again there is nothing to add', async () => {
    const report = await carryOut('add-node', { node }, 'succeeded');
    expect(report.sentence).toBe(`${node} serves already: there is nothing to add`);
    expect(workers.effects()).toEqual([]);
  });

  it('a second start joins; aborted while it is watched, all is as before, and the clients notice nothing', async () => {
    const input = { node: 'us-east-1/b/s1', watch: '1h' };
    const calling = await clientsOf('us-east-1');
    const run = await start('add-node', input);
    expect(await fleet.operations.start({ runbook: 'add-node', input, by })).toEqual({ run, joined: true });
    const report = await abortIn(run, 'Watch it in service');
    expect(await calling.troubles()).toEqual(NONE);
    expect(undone(report)).toEqual([
      `Drain ${input.node} and take it out: done`,
      `Remove ${input.node} from the load balancer: done`,
      `Stop ${input.node}: done`,
    ]);
    expect(await seen.standing(input.node)).toBe('stopped, unknown');
    expect(await seen.bucketsOf(input.node)).toBe(0);
  });

  it('a node that does not come up gets no traffic, and is stopped again', async () => {
    const broken = 'us-east-1/c/s1';
    await fleet.break(broken, 'mcp');
    const report = await carryOut('add-node', { node: broken }, 'rolled back');
    expect(report.sentence).toContain(`${broken} is not healthy 8s after its start`);
    expect(workers.effects()).toEqual(['start us-east-1-c-s1', 'stop us-east-1-c-s1']);
    await fleet.heal(broken);
    await seen.stop(broken);
  });

  it('a node that the load balancer waits for gets no traffic before it is healthy', async () => {
    const dead = 'us-east-1/c/n1';
    await seen.stop(dead);
    await carryOut('add-node', { node: dead }, 'succeeded');
    expect(workers.effects().slice(0, 3)).toEqual(['isolate c-n1', 'start us-east-1-c-n1', 'admit c-n1 25']);
    expect(await seen.standing(dead)).toBe('running, ready 100');
  });
});

describe('decommission-node', () => {
  const node = 'us-east-1/a/n1';

  it('a plan says what would change and touches nothing', async () => {
    const { plan } = await carryOut('decommission-node', { node }, 'planned', 'plan');
    expect(plan?.changes).toEqual([
      expect.stringMatching(/^would drain us-east-1\/a\/n1 of its \d+ connections, for 3s at most$/),
      expect.stringMatching(/^would move \d+ buckets with \d+ sessions to \d nodes$/),
      `would take ${node} out of the load balancer`,
      `would stop ${node}`,
      `would remove ${node} from the load balancer`,
    ]);
    expect(workers.effects()).toEqual([]);
  });

  it('a node leaves under live clients, who notice nothing', async () => {
    const calling = await clientsOf('us-east-1');
    const report = await carryOut('decommission-node', { node }, 'succeeded');
    expect(await calling.troubles()).toEqual(NONE);
    expect(report).toMatchObject({
      sentence: `${node} is out of service: stopped, and unknown to the load balancer`,
      actual: { sessionsLost: 0 },
    });
    expect(stepOf(report, `Drain ${node}`)?.sentence).toMatch(
      /^us-east-1\/a\/n1 gets no new requests; no connections are left after \d+ ms$/,
    );
    expect([...new Set(workers.effects())]).toEqual([
      'drain a-n1',
      'place ',
      'isolate a-n1',
      'stop us-east-1-a-n1',
      'remove a-n1',
    ]);
    expect(await seen.standing(node)).toBe('stopped, unknown');
    expect(await seen.bucketsOf(node)).toBe(0);
  });

  it('done again there is nothing to do', async () => {
    const report = await carryOut('decommission-node', { node }, 'succeeded');
    expect(report.sentence).toBe(`${node} is out of service already: there is nothing to do`);
    expect(workers.effects()).toEqual([]);
  });

  it('add-node brings it back', async () => {
    await carryOut('add-node', { node }, 'succeeded');
    expect(await seen.standing(node)).toBe('running, ready 100');
    expect(await seen.bucketsOf(node)).toBeGreaterThan(0);
  });

  it.each([
    ['the last healthy member', ['b-n1', 'c-n1'], 'last healthy member'],
    ['one of too few', ['c-n1'], 'minimum healthy share'],
  ])('%s must stay', async (_, out, guard) => {
    await seen.balancerOf('eu-central-1').isolate(...out);
    const report = await carryOut('decommission-node', { node: 'eu-central-1/a/n1' }, 'refused');
    expect(report.sentence).toMatch(new RegExp(`^${guard}: a-n1 must stay`));
    expect(workers.effects()).toEqual([]);
    for (const server of out) await seen.balancerOf('eu-central-1').admit(server, 100);
  });

  describe('with a node that does not answer', () => {
    const hung = 'eu-central-1/a/n1';
    let calls: Promise<unknown>[];

    beforeEach(async () => {
      await fleet.break(hung, 'hang');
      // Some of them are given to the hung node, and wait there.
      const url = fleet.sandbox.urls.mcp['eu-central-1']!;
      calls = Array.from({ length: 9 }, () => initialize(url, 30_000).catch(() => undefined));
      await until('a request waits at it', async () => {
        const members = await seen.balancerOf('eu-central-1').members();
        return members.find(({ server }) => server === 'a-n1')!.current > 0;
      });
    });
    afterEach(async () => {
      await fleet.heal(hung);
      await Promise.all(calls);
      expect(await seen.standing(hung)).toBe('running, ready 100');
    });

    it('aborted in the drain, it gets its traffic back', async () => {
      const report = await abortIn(await start('decommission-node', { node: hung }), `Drain ${hung}`);
      expect(undone(report)).toEqual([`Give ${hung} its traffic back: done`]);
    });

    it('the guard is asked again before it is cut off', async () => {
      const run = await start('decommission-node', { node: hung });
      await until('it drains', async () => (await seen.standing(hung)).includes('drain'));
      await seen.balancerOf('eu-central-1').isolate('b-n1');
      const report = await fleet.operations.wait(run, 30_000);
      await seen.balancerOf('eu-central-1').admit('b-n1', 100);
      expect(report).toMatchObject({
        state: 'refused',
        sentence: expect.stringMatching(/^minimum healthy share: a-n1 must stay/),
      });
      expect(undone(report)).toEqual(['Move them back: done', `Give ${hung} its traffic back: done`]);
    });

    it('what is left after the time-out is named; aborted as it is stopped, it is healthy before it gets sessions and traffic', async () => {
      const before = await seen.bucketsOf(hung);
      const report = await abortIn(await start('decommission-node', { node: hung }), `Stop ${hung}`);
      expect(stepOf(report, `Drain ${hung}`)?.sentence).toMatch(
        /; \d+ connections are left after the time-out of 3s, and will be closed$/,
      );
      expect(undone(report)).toEqual([
        `Start ${hung} and wait until it is healthy: done`,
        'Move them back: done',
        `Give ${hung} its traffic back: done`,
      ]);
      expect(await seen.bucketsOf(hung)).toBe(before);
    });
  });
});

describe('replace-node', () => {
  const [node, spare] = ['eu-central-1/b/n1', 'eu-central-1/b/s1'];
  const both = () => Promise.all([node, spare].map(seen.standing));

  it('a plan touches nothing, and counts the spare as in service', async () => {
    await seen.balancerOf('eu-central-1').isolate('c-n1');
    const { plan } = await carryOut('replace-node', { node }, 'planned', 'plan');
    await seen.balancerOf('eu-central-1').admit('c-n1', 100);
    expect(plan?.changes[0]).toBe(`would restart ${spare} (stopped)`);
    expect(plan?.changes.at(-1)).toBe(`would remove ${node} from the load balancer`);
    expect(workers.effects()).toEqual([]);
  });

  it('aborted as the node drains, both are as before', async () => {
    const calling = await clientsOf('eu-central-1');
    const report = await abortIn(await start('replace-node', { node }), `Drain ${node}`);
    expect(await calling.troubles()).toEqual(NONE);
    expect(undone(report)).toEqual([
      `Give ${node} its traffic back: done`,
      'Move them back: done',
      `Drain ${spare} and take it out: done`,
      `Remove ${spare} from the load balancer: done`,
      `Stop ${spare}: done`,
    ]);
    expect(await both()).toEqual(['running, ready 100', 'stopped, unknown']);
  });

  it('a spare takes the place of a node under live clients, who notice nothing, in service before the node leaves', async () => {
    const calling = await clientsOf('eu-central-1');
    const report = await carryOut('replace-node', { node }, 'succeeded');
    expect(await calling.troubles()).toEqual(NONE);
    expect(report).toMatchObject({
      sentence: `${node} was replaced by ${spare}, which serves`,
      actual: { sessionsLost: 0 },
    });
    const effects = workers.effects();
    expect(effects.indexOf('admit b-s1 100')).toBeLessThan(effects.indexOf('drain b-n1'));
    expect(await both()).toEqual(['stopped, unknown', 'running, ready 100']);
  });

  it('done again there is nothing to replace', async () => {
    const report = await carryOut('replace-node', { node }, 'succeeded');
    expect(report.sentence).toBe(`${node} is out of service already: there is nothing to replace`);
  });

  it('the node that is named takes its place', async () => {
    const report = await carryOut('replace-node', { node: spare, with: node }, 'succeeded');
    expect(report.sentence).toBe(`${spare} was replaced by ${node}, which serves`);
    expect(await both()).toEqual(['running, ready 100', 'stopped, unknown']);
  });

  it.each([
    ['serves itself', 'eu-central-1/c/n1'],
    ['is of another region', 'ap-southeast-1/a/s1'],
  ])('a node that %s cannot take its place', async (_, other) => {
    const report = await carryOut('replace-node', { node, with: other }, 'failed');
    expect(report.sentence).toContain(`${other} cannot replace ${node}`);
    expect(workers.effects()).toEqual([]);
  });
});

describe('cluster-formation', () => {
  const region = 'ap-southeast-1';
  const ids = ['a', 'b', 'c'].map((zone) => `${region}/${zone}/n1`);

  it('leaves a region that serves alone', async () => {
    const report = await carryOut('cluster-formation', { region }, 'succeeded');
    expect(report.sentence).toBe(`all 3 nodes of ${region} serve: there is nothing to form`);
    expect(workers.effects()).toEqual([]);
  });

  it('a plan says what would change and touches nothing', async () => {
    await seen.stop(...ids);
    const { plan } = await carryOut('cluster-formation', { region }, 'planned', 'plan');
    expect(plan?.changes).toEqual([
      'would keep 3 nodes out of the load balancer until they are healthy',
      'would start 3 nodes',
      ...[25, 50, 100].map((weight) => `would give 3 nodes ${weight} % of their traffic`),
    ]);
    expect(workers.effects()).toEqual([]);
  });

  it('forms a cluster of nodes that do not run, its buckets placed before it gets traffic, within 15 s', async () => {
    const moved = (await seen.sessions.buckets()).filter(({ owner }) => owner.startsWith(region));
    const to = 'us-east-1/b/n1';
    await seen.sessions.place(moved.map(({ bucket, owner }) => ({ bucket, from: owner, to })));
    const report = await carryOut('cluster-formation', { region }, 'succeeded');
    expect(report.sentence).toBe(`${region} serves with 3 of 3 nodes`);
    expect(report.actual.rtoMs).toBeLessThan(15_000);
    const effects = workers.effects();
    expect(effects[0]).toBe('isolate a-n1 b-n1 c-n1');
    expect(effects.slice(1, 4).toSorted()).toEqual(
      ['a', 'b', 'c'].map((zone) => `start ${region}-${zone}-n1`),
    );
    expect(effects[4]).toBe('place ');
    expect(effects.slice(5).every((effect) => effect.startsWith('admit'))).toBe(true);
    expect(await seen.bucketsOf(to)).toBeLessThan(256);
    expect((await Promise.all(ids.map(seen.bucketsOf))).reduce((sum, own) => sum + own)).toBe(moved.length);
    expect(await initialize(fleet.sandbox.urls.mcp[region]!)).toBe(200);
  });

  it('brings in what is missing under live clients, who notice nothing, and names what does not come up', async () => {
    await seen.stop(ids[1]!, ids[2]!);
    await fleet.break(ids[2]!, 'crashloop').catch(() => undefined);
    await seen.balancerOf(region).isolate('b-n1', 'c-n1');
    const calling = await clientsOf(region);
    const report = await carryOut('cluster-formation', { region }, 'succeeded');
    expect(await calling.troubles()).toEqual(NONE);
    expect(report.sentence).toBe(`${region} serves with 2 of 3 nodes`);
    expect(stepOf(report, 'Start its nodes')?.sentence).toContain(`; ${ids[2]} is left out: `);
    expect(workers.effects()).not.toContain('isolate a-n1');
    expect(await seen.standing(ids[1]!)).toBe('running, ready 100');
  });

  it('asks when too few come up; aborted, it stops what it has started', async () => {
    await seen.stop(...ids);
    await fleet.break(ids[1]!, 'crashloop').catch(() => undefined);
    const run = await start('cluster-formation', { region });
    const { sentence } = await fleet.reaches(run, 'needs attention');
    expect(sentence).toContain(`${region} must not serve yet: 1 of 3 nodes are healthy`);
    await fleet.operations.decide(run, 'abort', { by, reason: 'test' });
    const report = await fleet.reaches(run, 'aborted');
    expect(undone(report)).toEqual([
      'Stop them: done',
      'Leave them to the checks of the load balancer: done',
    ]);
    expect(await seen.standing(ids[0]!)).toBe('stopped, ready 100');
  });
});

describe('with other workers', () => {
  beforeEach(() => workers.stop());

  it('refuses to decommission a node whose traffic the others cannot bear, and says the numbers', async () => {
    workers.start({ ...SETTINGS, policies: { nodeCapacity: 1 } });
    const report = await carryOut('decommission-node', { node: 'us-east-1/a/n1' }, 'refused');
    expect(report.sentence).toMatch(
      /^capacity headroom: a-n1 must stay: without it 3 of 4 members of pool us-east-1 serve, but the measured peak of \d+ requests\/s needs \d+ at 1 each$/,
    );
    expect(workers.effects()).toEqual([]);
  });

  it('the monitor takes none for failed that leaves or comes by plan', async () => {
    await up({ ...OPTIONS, workers: 2 });
    const node = 'us-east-1/a/n1';
    await carryOut('decommission-node', { node }, 'succeeded');
    await fleet.break('us-east-1/b/n1', 'kill');
    await fleet.reaches(await fleet.runOn('us-east-1/b/n1'), 'recovered'); // it looks
    expect(await seen.standing(node)).toBe('stopped, unknown');
    await carryOut('add-node', { node }, 'succeeded');
    const rescues = await fleet.operations.list({ runbook: 'node-failover' });
    expect(rescues.map(({ scope }) => scope)).not.toContain(`node/${node}`);
  });
});
