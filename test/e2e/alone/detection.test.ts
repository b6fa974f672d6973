import { testFleet, type TestFleet } from '../../harness/fleet';
import { transitions } from '../../harness/journal';
import { initialize, smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';

/** Faults that nobody reports: the monitor finds them, its runbook is started by itself, and all is noted in the journal. */
const REGION = 'us-east-1';

let fleet: TestFleet;

beforeAll(async () => {
  fleet = await testFleet({ ...smallSandbox(19), workers: 2, sentinel: true, database: true });
});
afterAll(() => fleet?.close());

it.each([
  ['a killed load balancer', `lb/${REGION}`, () => fleet.breakBalancer(REGION, 'kill')],
  ['a hung primary of the registry', 'registry/main', () => fleet.breakRegistry('hang')],
  ['a killed primary of the session store', 'redis/sessions', () => fleet.breakRedis('primary', 'kill')],
  ['a killed primary of the database', 'database/main', () => fleet.breakDatabase('primary', 'kill')],
  ['the killed control plane of the database', 'control/main', () => fleet.breakDatabase('etcd', 'kill')],
])('%s is found by the monitor and answered by its runbook', async (_, scope, fault) => {
  const brokenAt = Date.now();
  await fault();
  const run = await fleet.runOn(scope);
  const report = await fleet.reaches(run, 'recovered');
  expect(report).toMatchObject({ trigger: 'monitor', by: 'monitor', scope });
  expect(Date.parse(report.clock.faultAt!)).toBeGreaterThanOrEqual(brokenAt - 1_000);
  expect(report.actual.rtoMs).toBeGreaterThan(0);
  expect(await initialize(fleet.sandbox.urls.mcp[REGION]!)).toBe(200);
  const states = await until('the monitor finds it well', async () => {
    const seen = (await transitions(fleet.sandbox, scope)).map(({ to }) => to);
    return seen.at(-1) === 'healthy' && seen;
  });
  expect(states).toContain('failed');
  await until('its incident is closed', async () => {
    const { incidents, locks } = await fleet.operations.coordination();
    const open = { incident: incidents[scope], lock: locks[scope] };
    if (!open.incident && !open.lock) return true;
    throw new Error(JSON.stringify(open));
  });
  const others = (await fleet.operations.list()).filter(
    (one) => one.run !== run && one.scope === scope && Date.parse(one.startedAt) > brokenAt,
  );
  expect(await Promise.all(others.map((one) => fleet.operations.show(one.run)))).toEqual([]);
});

it('a killed standby of the database is brought back, although nobody misses it', async () => {
  const before = new Set((await fleet.operations.list()).map(({ run }) => run));
  await fleet.breakDatabase('replica', 'kill');
  const run = await until('a run is started', async () => {
    const started = (await fleet.operations.list()).filter((one) => !before.has(one.run));
    return started.find(({ runbook }) => runbook === 'partition-response')?.run;
  });
  const report = await fleet.reaches(run, 'recovered');
  expect(report.sentence).toMatch(/^d\d stays the primary; d\d follows it now$/);
  expect(report).toMatchObject({ trigger: 'monitor', actual: {} });
  const changes = await transitions(fleet.sandbox, 'members/main');
  expect(changes.map(({ to }) => to)).toContain('failed');
});
