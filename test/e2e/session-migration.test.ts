import type { Redis } from 'ioredis';
import { haproxy } from '../../activities/adapters/haproxy';
import { redisSessions, type RedisSessions } from '../../activities/adapters/redis-sessions';
import type { Config } from '../../core/config';
import { Placement, bucketOf, candidatesOf } from '../../core/placement';
import type { RunReport } from '../../core/run';
import { liesIn } from '../../core/scope';
import { loadConfig } from '../../operations';
import { startLoad } from '../../sandbox/load';
import { SessionStore, connectRedis } from '../../sandbox/mcp-node/sessions';
import { testFleet, type TestFleet } from '../harness/fleet';
import { testRuns } from '../harness/runs';
import { until } from '../harness/until';

/** session-migration and rebalance on a sandbox of their own: real Temporal, HAProxy, Redis, MCP nodes and workers. */
const NODE = 'us-east-1/a/n1';
const OTHER = 'us-east-1/b/n1';

let fleet: TestFleet;
let config: Config;
let sessions: RedisSessions;
let nodes: Redis;
let ids: string[];

beforeAll(async () => {
  fleet = await testFleet({ block: 164 });
  config = loadConfig(fleet.sandbox.configPath);
  sessions = redisSessions(config);
  nodes = connectRedis(config.sessions.url);
  const store = new SessionStore(nodes, { nodeId: NODE, sessionTtlS: 3_600, fleet: candidatesOf(config) });
  const created = await Promise.all(Array.from({ length: 500 }, () => store.create()));
  ids = created.map(({ id }) => id);
});
afterAll(async () => {
  sessions?.close();
  nodes?.disconnect();
  await fleet?.close();
});

const placementOf = async (): Promise<Record<number, string>> =>
  Object.fromEntries((await sessions.buckets()).map(({ bucket, owner }) => [bucket, owner]));
/** How many of the test's own sessions the place owns: those of clients and of probes come and go. */
const ownedIn = async (place: string): Promise<number> => {
  const owners = await placementOf();
  return ids.filter((id) => liesIn(owners[bucketOf(id)]!, place)).length;
};
const step = (report: RunReport, title: string) => report.steps.find((one) => one.title === title);
const { start } = testRuns(() => fleet);
/** Runs it to its end, and until its scope is free again. */
const over = async (...asked: Parameters<typeof start>): Promise<RunReport> => {
  const report = await fleet.operations.wait(await start(...asked), 60_000);
  const locks = async () => (await fleet.operations.coordination()).locks;
  await until('the scope is free', async () => !(await locks())[report.scope], 10_000);
  return report;
};
/** Every bucket is where it belongs while all nodes serve. */
async function expectIdeal(): Promise<void> {
  const placement = new Placement(candidatesOf(config));
  const seen = await sessions.buckets();
  expect(seen.filter(({ bucket, owner }) => owner !== placement.preferences(bucket)[0])).toEqual([]);
}

it('a plan says how many sessions would move and touches nothing', async () => {
  const before = await placementOf();
  const report = await over('session-migration', { from: NODE, to: OTHER }, 'plan');
  expect(report).toMatchObject({ state: 'planned', scope: `node/${NODE}` });
  expect(report.plan?.changes).toEqual([
    expect.stringMatching(/^would move \d+ buckets with \d+ sessions to 1 nodes$/),
  ]);
  expect(await placementOf()).toEqual(before);
});

it('a node’s sessions move to another under live clients, who notice nothing', async () => {
  const load = startLoad({
    url: fleet.sandbox.urls.mcp['us-east-1']!,
    clients: 20,
    ratePerClient: 2,
    timeoutMs: 5_000,
  });
  await until('every client calls', () => load.snapshot().ok > 40);
  const [before, there] = [await ownedIn(NODE), await ownedIn(OTHER)];
  const report = await over('session-migration', { from: NODE, to: OTHER });
  const called = load.snapshot().ok;
  await until('they go on calling', () => load.snapshot().ok > called + 40);
  expect(await load.stop()).toMatchObject({ failed: 0, sessionsLost: 0 });

  expect(before).toBeGreaterThan(0);
  expect(report).toMatchObject({
    state: 'succeeded',
    sentence: expect.stringMatching(/^\d+ sessions of us-east-1\/a\/n1 are with us-east-1\/b\/n1$/),
    actual: { sessionsLost: 0, rtoMs: expect.any(Number) },
  });
  expect(step(report, `Move them to ${OTHER}`)).toMatchObject({
    state: 'done',
    before: { received: { buckets: 0 } },
    after: { given: { buckets: 0, sessions: 0 }, lost: 0 },
  });
  expect(step(report, 'Count them')?.sentence).toContain('(100.0 %)');
  expect([await ownedIn(NODE), await ownedIn(OTHER)]).toEqual([0, before + there]);
});

it('done again there is nothing to move', async () => {
  const report = await over('session-migration', { from: NODE, to: OTHER });
  expect(report).toMatchObject({
    state: 'succeeded',
    sentence: `${NODE} owns no sessions: there is nothing to move`,
  });
});

it('a region’s sessions move to another region', async () => {
  const before = await Promise.all([ownedIn('us-east-1'), ownedIn('eu-central-1')]);
  const report = await over('session-migration', { from: 'us-east-1', to: 'eu-central-1' });
  expect(report).toMatchObject({
    state: 'succeeded',
    scope: 'region/us-east-1',
    actual: { sessionsLost: 0 },
  });
  const after = await Promise.all([ownedIn('us-east-1'), ownedIn('eu-central-1')]);
  expect(after).toEqual([0, before[0] + before[1]]);
});

it('rebalance brings a region’s buckets back and its nodes to full weight, and moves nothing else', async () => {
  const balancer = haproxy(config.regions['us-east-1']!.loadBalancer);
  await balancer.admit('a-n1', 25);
  const before = await placementOf();
  const report = await over('rebalance', { region: 'us-east-1' });
  expect(report.state).toBe('succeeded');
  await expectIdeal();
  const after = await placementOf();
  const moved = Object.keys(after).filter((bucket) => after[Number(bucket)] !== before[Number(bucket)]);
  expect(moved.filter((bucket) => !after[Number(bucket)]!.startsWith('us-east-1/'))).toEqual([]);
  expect((await balancer.members()).map(({ weight }) => weight)).toEqual(
    Array.from({ length: 6 }, () => 100),
  );
  expect(await over('rebalance', { region: 'us-east-1' })).toMatchObject({
    steps: [{ sentence: 'every bucket of us-east-1 is where it belongs' }, {}, { state: 'unchanged' }],
  });
});

it.each([
  ['to itself', NODE, NODE, 'another place'],
  ['to its own region', NODE, 'us-east-1', 'another place'],
  ['to a node that is out of service', NODE, 'us-east-1/c/s1', 'receivers serve'],
])('a migration %s is refused, and nothing moves', async (_, from, to, guard) => {
  const before = await placementOf();
  const report = await over('session-migration', { from, to });
  expect(report).toMatchObject({ state: 'refused', sentence: expect.stringContaining(guard) });
  expect(await placementOf()).toEqual(before);
});

it('to a place that the environment does not have it fails at once', async () => {
  const report = await over('session-migration', { from: NODE, to: 'us-east-1/z' });
  expect(report).toMatchObject({ state: 'failed', sentence: expect.stringContaining('is not a zone') });
});

it('a migration that lost sessions is undone, except for the bucket that somebody moved meanwhile', async () => {
  const before = await placementOf();
  const theirs = ids.filter((id) => before[bucketOf(id)] === NODE);
  await nodes.del(theirs.map((id) => `mcp:session:${id}`));
  const run = await start('session-migration', { from: NODE, to: OTHER });
  const bucket = bucketOf(theirs[0]!);
  await until('it has moved', async () => (await placementOf())[bucket] === OTHER);
  await sessions.place([{ bucket, from: OTHER, to: 'us-east-1/c/n1' }]);
  const report = await fleet.operations.wait(run, 60_000);
  expect(report).toMatchObject({ state: 'rolled back', actual: { sessionsLost: theirs.length } });
  expect(step(report, 'Move them back')).toMatchObject({ kind: 'undo', state: 'done' });
  expect(await placementOf()).toEqual({ ...before, [bucket]: 'us-east-1/c/n1' });
});
