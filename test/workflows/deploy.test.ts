import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, type Worker } from '@temporalio/worker';
import type { Deps } from '../../activities/deps';
import type { Config } from '../../core/config';
import type { RunReport } from '../../core/run';
import { findRunbook, scopeOf } from '../../core/runbook';
import { catalogue } from '../../operations';
import { launch } from '../../operations/launch';
import { environmentFile } from '../../sandbox/environment';
import { DEFAULTS } from '../../sandbox/settings';
import { built } from '../../sandbox/tools';
import { createWorker } from '../../workers/worker';
import { decisions } from '../../workflows/messages';
import { ModelFleet } from '../harness/model-fleet';
import { BRIEFING } from './lab/activities';
import { development } from './lab/servers';

/**
 * The deploys' procedures, engine and activities as they are, over a region that is a model: quick enough to abort them at every
 * change they make. Whatever is aborted, one release is on all nodes afterwards, and nothing was ever broken.
 */
const region = 'us-east-1';
const INPUT = { region, version: '1.1.0', healthTimeout: '1s', retries: 0 };
const ROLLING = { ...INPUT, interval: '0s', watch: '0s' };
const BLUE_GREEN = { ...INPUT, periods: ['0s', '0s', '0s'] };
const BEFORE = ['1.0.0: 1.0.0, ready 100', 'spare 1.0.0: stopped'];
const AFTER = ['1.1.0: 1.1.0, ready 100', 'spare 1.1.0: stopped'];

let env: TestWorkflowEnvironment;
let config: Config;
let model: ModelFleet;
let worker: Worker;
let working: Promise<void>;
let runs = 0;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  env = await development(
    'history.transferProcessorMaxPollRPS=200',
    'history.timerProcessorMaxPollRPS=200',
    'history.timerProcessorMaxTimeShift="50ms"',
  );
  const file = environmentFile({ ...DEFAULTS, monitoring: false });
  const node = { ...file.health.node, interval: '10ms', suspiciousInterval: '5ms' };
  config = {
    ...file,
    health: { ...file.health, node },
    policies: { ...file.policies, rampInterval: '10ms', drainTimeout: '1s' },
  };
  const operations = {
    until: (_: AbortSignal, ask: () => unknown) => ask(),
    recordHolding: async () => undefined,
    giveBack: async () => undefined,
  };
  const deps = {
    config,
    operations,
    metrics: undefined,
    // Each test has a model of its own: it is asked for at each call.
    prober: late(() => model.prober),
    sessions: late(() => model.sessions),
    region: () => model.systems,
  } as unknown as Deps;
  const workflowBundle = { codePath: built('workers/workflows.js') };
  worker = await createWorker(deps, env.nativeConnection, 'default', workflowBundle);
  working = worker.run();
});

beforeEach(() => {
  model = new ModelFleet(config, region, 3);
});

afterAll(async () => {
  worker?.shutdown();
  await working;
  await env?.teardown();
});

function late<System extends object>(system: () => System): System {
  return new Proxy({} as System, { get: (_, method) => Reflect.get(system(), method) as unknown });
}

/** Carries a deploy out. @param abortAt the number of the change before which it is aborted */
async function carryOut(runbook: string, input: object, abortAt?: number): Promise<RunReport> {
  runs += 1;
  const run = `${runbook}-${runs}`;
  const request = { input: { ...input } };
  const handle = env.client.workflow.getHandle(run);
  // Not waited for: amid a local activity the run hears of it only afterwards. One that comes too late is refused.
  const abort = () => handle.executeUpdate(decisions.abort, { args: [{ by: 'ada', reason: 'test' }] });
  model.onChange = (change) => {
    if (change === abortAt) void abort().catch(() => undefined);
  };
  await launch(env.client, {
    run,
    runbook,
    scope: scopeOf(findRunbook(catalogue, runbook), request.input),
    request,
    warrant: { by: 'grace', trigger: 'manual', granted: { ...BRIEFING, ramp: [50, 100] } },
  });
  return (await handle.result()) as RunReport;
}

describe.each([
  ['rolling-deploy', ROLLING],
  ['blue-green-deploy', BLUE_GREEN],
])('%s', (runbook, input) => {
  let changes: number;

  it('leaves the new release everywhere, sessions where they belong, and breaks nothing on the way', async () => {
    const owned = model.owned();
    const { state, sentence } = await carryOut(runbook, input);
    expect({ state, sentence }).toMatchObject({ state: 'succeeded' });
    expect(model.told()).toEqual(AFTER);
    expect(model.broken).toEqual([]);
    expect(Object.keys(model.owned()).toSorted()).toEqual(Object.keys(owned).toSorted());
    ({ changes } = model);
  });

  it('aborted at any of its changes, it leaves one release everywhere, and breaks nothing on the way', async () => {
    const ends: string[] = [];
    for (let abortAt = 1; abortAt <= changes; abortAt += 4) {
      model = new ModelFleet(config, region, 3);
      const { state, sentence } = await carryOut(runbook, input, abortAt);
      ends.push(state);
      const seen = { abortAt, state, told: model.told(), broken: model.broken };
      const told = state === 'succeeded' ? AFTER : BEFORE;
      const end = state === 'succeeded' ? 'succeeded' : 'aborted';
      expect({ ...seen, sentence }).toMatchObject({ abortAt, state: end, told, broken: [] });
    }
    expect(ends.filter((state) => state === 'aborted').length).toBeGreaterThan(ends.length / 2);
  });

  it('a release that never gets healthy is put back, and breaks nothing on the way', async () => {
    const { state, sentence } = await carryOut(runbook, { ...input, version: '1.2.0' });
    expect({ state, sentence }).toMatchObject({
      state: 'rolled back',
      sentence: expect.stringContaining('with 1.2.0 is not healthy within 1s'),
    });
    expect(model.told()).toEqual(BEFORE);
    expect(model.broken).toEqual([]);
  });
});

it('a canary is one node alone; the others follow once it was watched', async () => {
  const { steps } = await carryOut('rolling-deploy', { ...ROLLING, canary: true });
  const drains = steps.filter(({ title }) => title.startsWith('Drain')).map(({ title }) => title);
  expect(drains[0]).toBe('Drain us-east-1/a/n1');
  expect(drains[1]).toBe('Drain us-east-1/a/n2, us-east-1/b/n1');
  expect(model.told()).toEqual(AFTER);
});

it('a rollback goes to the release before, on the spares too', async () => {
  await carryOut('rolling-deploy', ROLLING);
  const { state } = await carryOut('rollback', { region, interval: '0s', watch: '0s' });
  expect(state).toBe('succeeded');
  expect(model.told()).toEqual(BEFORE);
});
