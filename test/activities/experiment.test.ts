import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { prober } from '../../activities/adapters/prober';
import { supervisord } from '../../activities/adapters/supervisord';
import type { Deps } from '../../activities/deps';
import { nodeExperiment } from '../../activities/node/experiment';
import type { Fleet } from '../../activities/ports';
import { nothingOpen, type Coordination } from '../../core/coordination';
import { judgeDrill } from '../../core/drill';
import { environmentFile } from '../../sandbox/environment';
import { DEFAULTS } from '../../sandbox/settings';
import { built } from '../../sandbox/tools';
import { startRedis, type TestRedis } from '../harness/redis';
import { startSupervisord, type TestSupervisord } from '../harness/supervisord';
import { until } from '../harness/until';

/** A real MCP node, its session store, its supervisor and the programs of a drill; clients call the node itself. */
const NODE = 'us-east-1/a/n1';
const HOST = '127.130.41.1';
const AT = `${HOST}:8080`;
let redis: TestRedis;
let supervisor: TestSupervisord;
let fleet: Fleet;
let folder: string;
let now: Coordination;
let deps: Deps;

beforeAll(async () => {
  redis = await startRedis('127.130.41.2');
  folder = await mkdtemp(join(tmpdir(), 'switchover-drill-'));
  const program = (main: string, environment: string) => ({
    command: `${process.execPath} ${built(main)}`,
    startsecs: 0,
    environment,
    redirect_stderr: 'true',
  });
  supervisor = await startSupervisord(HOST, {
    'us-east-1-a-n1': program(
      'mcp-node.js',
      `NODE_ID="${NODE}",LISTEN="${AT}",REDIS_URL="${redis.url}",REGISTRY_URL="${redis.url}",FLEET="${NODE}=100",SESSION_TTL_S="60",FAULTS_DIR="${folder}",VERSION="1.0.0"`,
    ),
    'drill-observer': program('sandbox/drill/observer.js', ''),
    'drill-fault': program(
      'sandbox/drill/fault.js',
      `SUPERVISOR_URL="http://${HOST}:9001/RPC2",SUPERVISOR_PASSWORD="correct horse"`,
    ),
  });
  fleet = supervisord(supervisor.config, supervisor.password);
  const config = environmentFile({ ...DEFAULTS, nodesPerZone: 1, sparesPerZone: 0 });
  const region = config.regions['us-east-1']!;
  region.loadBalancer.url = `http://${AT}/mcp`;
  region.zones['a'] = { nodes: { n1: AT } };
  deps = {
    config,
    region: () => ({ fleet }),
    prober: prober({ timeoutMs: 400 }),
    operations: {
      list: async () => [],
      coordination: async () => now,
      show: async () => ({ state: 'recovered', sentence: 'it serves', clock: {} }),
    },
  } as unknown as Deps;
});
beforeEach(async () => {
  now = nothingOpen();
  await fleet.start('us-east-1-a-n1');
  await until('the node serves', async () => (await deps.prober.health(AT)).ok);
});
afterEach(() => Promise.all(['drill-observer', 'drill-fault'].map((name) => fleet.stop(name, 8_000))));
afterAll(async () => {
  await supervisor?.stop();
  await redis?.stop();
  if (folder) await rm(folder, { recursive: true });
});

const drill = (key: string) => {
  const { assessDrill, beginObserving, awaitSteady, injectFault, awaitRescue, endDrill } =
    nodeExperiment(deps);
  const on = { node: NODE, key };
  const how = { mode: 'execute' as const, key };
  const run = <Input, Output>(activity: (input: Input) => Promise<Output>, input: Input): Promise<Output> =>
    new MockActivityEnvironment().run(activity, input);
  return {
    assess: () => assessDrill({ node: NODE }),
    observe: () => run(beginObserving, { ...on, probes: [AT], clients: 3, forMs: 60_000, how }),
    steady: () => run(awaitSteady, { ...on, forMs: 1_500 }),
    break: () => run(injectFault, { ...on, probes: [AT], serving: 1, fault: 'kill', forMs: 60_000, how }),
    rescue: (until_: number) => run(awaitRescue, { node: NODE, until: until_ }),
    end: () => run(endDrill, { ...on, how }),
  };
};
const claim = {
  run: 'deploy-1',
  runbook: 'rolling-deploy',
  trigger: 'manual',
  precedence: 'planned',
  since: '',
} as const;
const incident = (scope: string) =>
  ({ [scope]: { id: 'INC-1', scope, run: 'other-1' } }) as unknown as Coordination['incidents'];

it('clients, fault and recovery are seen from outside, and each act is done once', async () => {
  const one = drill('first');
  expect(await one.assess()).toMatchObject({ value: { probes: [AT], serving: 1 } });
  expect(await one.observe()).toMatchObject({ changed: true });
  expect(await one.observe()).toMatchObject({ changed: false });
  const { value } = await one.steady();
  expect(value.ok).toBeGreaterThan(10);
  expect(value.failed).toBe(0);
  const { after } = await one.break();
  expect(await one.break()).toMatchObject({ changed: false });
  await until('the node is gone', async () => !(await deps.prober.health(AT)).ok);
  const from = Date.now();
  await fleet.start('us-east-1-a-n1'); // in the place of the run that would
  await until('the node serves', async () => (await deps.prober.health(AT)).ok);
  const back = Date.now();
  await one.steady();
  const { ledger, fault } = (await one.end()).after!;
  expect(fault).toMatchObject({ at: after!.at, found: 'healed' });
  const rescue = { run: 'node-failover-1', state: 'recovered', sentence: 'it serves' };
  const verdict = judgeDrill({ ledger: ledger!, fault: fault!, rescue, rtoMs: 60_000 });
  expect(verdict).toMatchObject({ outcome: 'succeeded', sessionsLost: 0 });
  expect(verdict.clientErrors).toBeGreaterThan(0);
  expect(after!.at + verdict.rtoMs!).toBeGreaterThanOrEqual(from);
  expect(Math.abs(after!.at + verdict.rtoMs! - back)).toBeLessThan(1_000);
});

it('a fault that nobody has answered is made good at the end', async () => {
  const one = drill('second');
  await one.observe();
  await one.break();
  await until('the node is gone', async () => !(await deps.prober.health(AT)).ok);
  expect(await one.end()).toMatchObject({
    sentence: 'clients and fault are away; what was still broken was made good',
    after: { fault: { found: 'still broken' } },
  });
  await until('the node serves', async () => (await deps.prober.health(AT)).ok);
});

describe('a drill is refused', () => {
  test.each<[string, () => void, string]>([
    [
      'while an incident is open, wherever it is',
      () => (now.incidents = incident('zone/eu-central-1/b')),
      'incident INC-1 on zone/eu-central-1/b is open',
    ],
    [
      'while somebody is at work on the node or around it',
      () => (now.locks = { 'zone/us-east-1/a': claim }),
      'deploy-1 is at work on zone/us-east-1/a',
    ],
  ])('%s: at its beginning, and right before it breaks anything', async (_, happens, why) => {
    happens();
    const one = drill('refused');
    await expect(one.assess()).rejects.toMatchObject({
      code: 'GUARD_REFUSED',
      message: expect.stringContaining(why),
    });
    await expect(one.break()).rejects.toMatchObject({ code: 'GUARD_REFUSED' });
    expect((await deps.prober.health(AT)).ok).toBe(true);
  });

  it('of a node that does not serve', async () => {
    await fleet.stop('us-east-1-a-n1');
    await expect(drill('gone').assess()).rejects.toThrow(`no drill of ${NODE} now: ${NODE} does not serve`);
    await expect(drill('gone').break()).rejects.toThrow('it does not run');
  });
});

describe('a rescue', () => {
  it('is the run that takes the node, or more than it', async () => {
    now.locks = { 'zone/us-east-1/a': { ...claim, run: 'zone-failover-1', precedence: 'failover' } };
    expect((await drill('r').rescue(Date.now() + 5_000)).value).toEqual({
      claim: { run: 'zone-failover-1', state: 'recovered', sentence: 'it serves' },
    });
  });

  it('is not waited for while there is an incident somewhere else', async () => {
    now.incidents = incident('region/eu-central-1');
    expect((await drill('r').rescue(Date.now() + 60_000)).value).toEqual({
      claim: null,
      other: 'incident INC-1 on region/eu-central-1 goes first',
    });
  });

  it('that does not come is not waited for longer than the fault lasts', async () => {
    expect(await drill('r').rescue(Date.now() + 300)).toMatchObject({
      sentence: 'no run has answered it',
      value: { claim: null },
    });
  });
});
