import { DEFAULTS } from '../../../sandbox/settings';
import { startLoad } from '../../../sandbox/load';
import type { RunReport } from '../../../core/run';
import { testFleet, type TestFleet } from '../../harness/fleet';
import { until } from '../../harness/until';

/**
 * node-failover on a sandbox of its own: real Temporal, HAProxy, Redis, supervisord, MCP nodes and workers. Each test
 * works on nodes of its own region or zone, so that the pool's guards see no more than one failure at a time.
 */
let fleet: TestFleet;

beforeAll(async () => (fleet = await testFleet({ block: 100, probeTimeout: DEFAULTS.probeTimeout })));
afterAll(() => fleet?.close());

const by = 'ada';
const reason = 'test';
const step = (report: RunReport, title: string) => report.steps.find((one) => one.title === title);
/** Starts a drill once every incident is closed: before, none may begin. */
const drill = async (input: { node: string }) =>
  until('a drill may begin', () =>
    fleet.operations.start({ runbook: 'node-failover', input, by, mode: 'drill' }),
  );
const fault = (node: string, fingerprint: string) => ({
  runbook: 'node-failover',
  input: { node },
  scope: `node/${node}`,
  trigger: 'alert' as const,
  alert: { source: 'test', fingerprint, summary: `${node} is down`, faultAt: new Date().toISOString() },
});

it('a killed node is found by the monitor and healed under live MCP clients, no session lost', async () => {
  const node = 'us-east-1/a/n1';
  const load = startLoad({
    url: fleet.sandbox.urls.mcp['us-east-1']!,
    clients: 5,
    ratePerClient: 5,
    timeoutMs: 5_000,
  });
  await until('every client calls', () => load.snapshot().ok > 25);
  await fleet.break(node, 'kill');
  const report = await fleet.reaches(await fleet.runOn(node), 'recovered');
  const seen = await load.stop();
  expect(report).toMatchObject({ trigger: 'monitor', by: 'monitor', actual: { sessionsLost: 0 } });
  expect(step(report, 'Take it out of the load balancer')).toMatchObject({ state: 'done' });
  expect(seen.sessionsLost).toBe(0);
});

it('a node that answers /health but not MCP is found, and replaced by the spare of its zone', async () => {
  const node = 'us-east-1/b/n1';
  await fleet.break(node, 'mcp');
  const report = await fleet.reaches(await fleet.runOn(node), 'recovered');
  expect(report.sentence).toBe(`${node} was replaced by us-east-1/b/s1, which serves`);
});

it('a hung node is killed and started again', async () => {
  const node = 'eu-central-1/a/n1';
  await fleet.break(node, 'hang');
  const report = await fleet.reaches(await fleet.runOn(node), 'recovered');
  expect(step(report, 'Restart it')).toMatchObject({
    state: 'done',
    before: { state: 'running' },
    after: { state: 'running' },
  });
});

it('the same fault a hundred times at once is one run and 99 joins', async () => {
  const node = 'eu-central-1/b/n1';
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => fleet.operations.openIncident(fault(node, 'same'))),
  );
  expect(answers.filter(({ joined }) => !joined)).toHaveLength(1);
  expect(new Set(answers.map(({ run }) => run)).size).toBe(1);
  const report = await fleet.operations.wait(answers[0]!.run, 30_000);
  expect(report).toMatchObject({
    state: 'succeeded',
    sentence: `${node} serves: there is nothing to fail over`,
  });
});

it('a run started in the Temporal UI waits for a named approval, and the update grants it', async () => {
  const workflowId = 'from-the-ui';
  await fleet.client.workflow.start('nodeFailover', {
    workflowId,
    taskQueue: 'switchover',
    args: [{ input: { node: 'eu-central-1/c/n1' } }],
  });
  await fleet.reaches(workflowId, 'waiting for approval');
  await expect(fleet.operations.decide(workflowId, 'approve', { by: '', reason })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  });
  await expect(fleet.operations.decide(workflowId, 'retry', { by, reason })).rejects.toMatchObject({
    code: 'DECISION_REFUSED',
  });
  const second = await fleet.operations.start({
    runbook: 'node-failover',
    input: { node: 'eu-central-1/c/n1' },
    by,
  });
  expect(second).toEqual({ run: workflowId, joined: true });
  expect(await fleet.operations.decide(workflowId, 'approve', { by, reason })).toBe('approved by ada');
  const report = await fleet.reaches(workflowId, 'succeeded');
  expect(report.decisions).toMatchObject([{ kind: 'approve', by, reason }]);
});

it.each([
  ['nothing', [], 'input: is missing'],
  ['a wrong field', [{ input: { nod: 'x' } }], 'input.node: is missing'],
  [
    'an unknown node',
    [{ input: { node: 'us-east-1/a/n99' } }],
    'input.node: "us-east-1/a/n99" is not a node',
  ],
])('a run started with %s fails at once and names the field', async (_, args, sentence) => {
  const workflowId = `bad-${sentence.length}`;
  const handle = await fleet.client.workflow.start('nodeFailover', {
    workflowId,
    taskQueue: 'switchover',
    args,
  });
  await expect(handle.result()).rejects.toMatchObject({
    cause: { message: expect.stringContaining(sentence), nonRetryable: true },
  });
});

it('a plan touches nothing and says what would change', async () => {
  const { run } = await fleet.operations.start({
    runbook: 'node-failover',
    input: { node: 'eu-central-1/c/n2' },
    mode: 'plan',
    by,
  });
  const { state, plan } = await fleet.operations.wait(run, 30_000);
  expect(state).toBe('planned');
  expect(plan?.changes[0]).toBe(
    'would take eu-central-1/c/n2 out of the load balancer and close its connections',
  );
});

it('the same idempotency key gives the same run, another request under it is refused', async () => {
  const ask = {
    runbook: 'node-failover',
    input: { node: 'eu-central-1/c/n2' },
    mode: 'plan' as const,
    by,
    key: 'k1',
  };
  const first = await fleet.operations.start(ask);
  expect(await fleet.operations.start(ask)).toEqual({ run: first.run, joined: true });
  const other = fleet.operations.start({ ...ask, input: { node: 'eu-central-1/c/n1' } });
  await expect(other).rejects.toMatchObject({ code: 'KEY_REUSED' });
});

it('a worker killed in the middle of a run does not double its steps', async () => {
  const node = 'ap-southeast-1/a/n1';
  await fleet.break(node, 'kill');
  const run = await fleet.runOn(node);
  await fleet.killWorker('us-east-1');
  const report = await fleet.reaches(run, 'recovered');
  const restarts = report.steps.filter(({ title, state }) => title === 'Restart it' && state === 'done');
  expect(restarts.length).toBeLessThanOrEqual(1);
});

it('a drill breaks its node itself, and has it healed', async () => {
  const input = { node: 'ap-southeast-1/a/n1' };
  const { run } = await drill(input);
  const report = await fleet.reaches(run, 'recovered');
  expect(step(report, 'Kill it, for the drill')).toMatchObject({ state: 'done' });
  expect(report).toMatchObject({ mode: 'drill', actual: { sessionsLost: 0, rtoMs: expect.any(Number) } });
});

it('a drill makes room for the real thing, with its fault undone', async () => {
  const input = { node: 'ap-southeast-1/a/n2' };
  const ask = { runbook: 'node-failover', input, by };
  const drilling = await drill(input);
  const rescue = await fleet.operations.start(ask);
  const interrupted = await fleet.reaches(drilling.run, 'interrupted');
  expect(interrupted.steps.filter(({ kind }) => kind === 'undo').at(-1)).toMatchObject({
    title: 'Make the fault good',
    state: expect.stringMatching(/^(done|unchanged)$/),
  });
  const report = await fleet.reaches(rescue.run, 'succeeded');
  expect(report.sentence).toContain('there is nothing to fail over');
});

it('the lock of a terminated run is found and freed', async () => {
  const workflowId = 'to-be-terminated';
  await fleet.client.workflow.start('nodeFailover', {
    workflowId,
    taskQueue: 'switchover',
    args: [{ input: { node: 'ap-southeast-1/c/n1' } }],
  });
  await fleet.reaches(workflowId, 'waiting for approval');
  await fleet.client.workflow.getHandle(workflowId).terminate();
  await until(
    'the scope is free',
    async () => !(await fleet.operations.coordination()).locks['node/ap-southeast-1/c/n1'],
  );
});

// The last: its node stays broken, and its incident open.
it('a node that dies again after every start, with its spare broken too, needs attention until somebody answers', async () => {
  const node = 'ap-southeast-1/b/n1';
  await fleet.break('ap-southeast-1/b/s1', 'crashloop').catch(() => undefined);
  await fleet.break(node, 'crashloop');
  const run = await fleet.runOn(node);
  const held = await fleet.reaches(run, 'needs attention');
  expect(held.sentence).toContain('Answer with retry, or abort');
  await until(
    'on-call was called',
    async () => step(await fleet.operations.show(run), 'Call on-call')?.state === 'done',
  );
  expect(await fleet.operations.decide(run, 'abort', { by, reason })).toBe(
    'the run stops and undoes what it did',
  );
  const report = await fleet.reaches(run, 'aborted');
  expect(step(report, 'Put it back into the load balancer')).toMatchObject({ kind: 'undo', state: 'done' });
});
