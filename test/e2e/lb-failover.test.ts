import { haproxy } from '../../activities/adapters/haproxy';
import { supervisord } from '../../activities/adapters/supervisord';
import { balancerActs } from '../../activities/balancer/acts';
import type { Deps } from '../../activities/deps';
import type { Fleet, LoadBalancer } from '../../activities/ports';
import { loadConfig } from '../../operations';
import { balancerPrograms, FLEET_PASSWORD_VARIABLE } from '../../sandbox/environment';
import { testFleet, type TestFleet } from '../harness/fleet';
import { testRuns } from '../harness/runs';
import { initialize, smallSandbox } from '../harness/sandbox';
import { until } from '../harness/until';
import { testWorkers, type TestWorkers } from '../harness/worker';

/** lb-failover on real HAProxies: a region's load balancer dies or hangs, and a second one takes over its addresses. */
const REGION = 'us-east-1';
const ADMITTED = ['a-n1', 'b-n1', 'c-n1'];
const by = 'ada';

let fleet: TestFleet;
let workers: TestWorkers;
let balancer: LoadBalancer;
let supervisor: Fleet;

beforeAll(async () => {
  fleet = await testFleet({ ...smallSandbox(18), workers: 0 });
  workers = testWorkers(fleet.sandbox);
  const { loadBalancer, fleet: config } = loadConfig(fleet.sandbox.configPath).regions[REGION]!;
  balancer = haproxy(loadBalancer);
  supervisor = supervisord(config, fleet.sandbox.env[FLEET_PASSWORD_VARIABLE]!);
});
beforeEach(() => workers.forget());
afterEach(() => workers.rest());
afterAll(async () => {
  await workers?.close();
  await fleet?.close();
});

const start = (mode?: 'plan'): Promise<string> =>
  testRuns(() => fleet).start('lb-failover', { region: REGION }, mode);

/** The programs of the region's load balancer that run. */
async function running(): Promise<string[]> {
  const programs = balancerPrograms(REGION);
  const all = await Promise.all(programs.map((program) => supervisor.status(program)));
  return programs.filter((_, i) => all[i]!.pid > 0);
}

/** The one that is the load balancer now, and the one that stands by. */
async function roles(): Promise<{ active: string; standby: string }> {
  const [active] = await running();
  return { active: active!, standby: balancerPrograms(REGION).find((program) => program !== active)! };
}

const admits = (servers: readonly string[]): string[] =>
  servers.flatMap((server) => [expect.stringMatching(`^add ${server} `), `admit ${server} 100`] as string[]);

it.each([
  ['killed', 'kill', false],
  ['hung', 'hang', true],
  ['killed', 'kill', false], // the first one stands by now, and takes over in its turn
] as const)(
  'a %s one is fenced, the other takes over its addresses, and clients are served',
  async (_, fault, stop) => {
    workers.start();
    const { active, standby } = await roles();
    await fleet.breakBalancer(REGION, fault);
    const report = await fleet.reaches(await start(), 'recovered');
    expect(report.sentence).toBe(
      `${standby} is the load balancer of ${REGION} in place of ${active}, with ${ADMITTED.length} nodes`,
    );
    expect(await running()).toEqual([standby]);
    expect(await initialize(fleet.sandbox.urls.mcp[REGION]!)).toBe(200);
    expect(workers.effects()).toEqual([
      ...(stop ? [`stop ${active}`] : []),
      `start ${standby}`,
      ...admits(ADMITTED),
    ]);
  },
);

it('who is not proven healthy gets no traffic from the new one, and is named', async () => {
  workers.start();
  const node = `${REGION}/a/n1`;
  await fleet.break(node, 'mcp');
  await fleet.breakBalancer(REGION, 'kill');
  const report = await fleet.reaches(await start(), 'recovered');
  const members = await balancer.members();
  expect(members.map(({ server, admin }) => [server, admin])).toEqual([
    ['a-n1', 'maint'],
    ['b-n1', 'ready'],
    ['c-n1', 'ready'],
  ]);
  const admission = report.steps.find(({ title }) => title === 'Admit the nodes that are proven healthy');
  expect(admission?.sentence).toContain(`${node} gets none: initialize: no answer`);
  await fleet.heal(node);
  await balancer.admit('a-n1', 100);
});

it('one that answers has nothing done to it, though its whole pool is out', async () => {
  workers.start();
  await balancer.isolate(...ADMITTED);
  const report = await fleet.reaches(await start(), 'succeeded');
  expect(report.sentence).toContain('there is nothing to fail over');
  expect(workers.effects()).toEqual([]);
  for (const server of ADMITTED) await balancer.admit(server, 100);
});

it('a plan touches nothing and says what would be done', async () => {
  workers.start();
  const { active, standby } = await roles();
  await fleet.breakBalancer(REGION, 'hang');
  const { plan } = await fleet.reaches(await start('plan'), 'planned');
  expect(plan?.changes).toEqual([
    `would end the process of ${active}`,
    `would start ${standby}`,
    'would admit 3 nodes that are proven healthy',
  ]);
  expect(workers.effects()).toEqual([]);
  await fleet.healBalancer(REGION);
});

it('a second one is never started beside the first', async () => {
  const { active, standby } = await roles();
  const region = () => ({ loadBalancer: balancer, fleet: supervisor });
  const deps = { config: loadConfig(fleet.sandbox.configPath), region } as unknown as Deps;
  const how = { mode: 'execute', key: 'test' } as const;
  await expect(
    balancerActs(deps).startBalancer({ region: REGION, program: standby, how }),
  ).rejects.toMatchObject({
    code: 'NOT_FENCED',
    message: expect.stringContaining(`${standby} is not started: ${active} running as pid`),
  });
  expect(await running()).toEqual([active]);
});

it('a node in the hands of another run gets no traffic from the new one: that run brings it back', async () => {
  workers.start();
  const node = `${REGION}/b/n1`;
  const held = await fleet.client.workflow.start('nodeFailover', {
    workflowId: 'holds-b-n1',
    taskQueue: 'switchover',
    args: [{ input: { node } }],
  });
  await fleet.reaches(held.workflowId, 'waiting for approval'); // it has its scope, and nobody approves
  await fleet.breakBalancer(REGION, 'kill');
  const report = await fleet.reaches(await start(), 'recovered');
  const admission = report.steps.find(({ title }) => title === 'Admit the nodes that are proven healthy');
  expect(admission?.sentence).toContain(`${node} gets none: is in the hands of ${held.workflowId}`);
  const members = await balancer.members();
  expect(members.filter(({ admin }) => admin === 'maint').map(({ server }) => server)).toEqual(['b-n1']);
  await held.terminate();
  await balancer.admit('b-n1', 100);
});

it('a worker killed at every step doubles none', async () => {
  const { active, standby } = await roles();
  await fleet.breakBalancer(REGION, 'hang');
  const deaths = ['fleet.stop end', 'fleet.start begin', 'fleet.start end', 'loadBalancer.admit end'];
  let worker = workers.start({ death: deaths[0]! });
  const run = await start();
  for (const death of [...deaths.slice(1), '']) {
    await worker.exited;
    worker = workers.start({ death });
  }
  await fleet.reaches(run, 'recovered');
  expect(workers.effects().filter((effect) => /^(start|stop)/.test(effect))).toEqual([
    `stop ${active}`,
    `start ${standby}`,
  ]);
  expect(await running()).toEqual([standby]);
});

it('aborted after fencing it ends with exactly one, which serves', async () => {
  await fleet.breakBalancer(REGION, 'hang');
  const worker = workers.start({ death: 'fleet.start begin' });
  const run = await start();
  await worker.exited;
  expect(await running()).toEqual([]);
  workers.start();
  await until('the run takes it', () => fleet.operations.decide(run, 'abort', { by, reason: 'test' }));
  await fleet.reaches(run, 'aborted');
  expect(await running()).toHaveLength(1);
  expect(await initialize(fleet.sandbox.urls.mcp[REGION]!)).toBe(200);
});
