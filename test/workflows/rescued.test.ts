import type { Fault } from '../../core/coordination';
import { Operations } from '../../operations';
import { until } from '../harness/until';
import { fails, hangs, outline, useLab, type LabRun } from './lab';
import { development } from './lab/servers';
import catalogue from './lab/catalogue';

/** Planned work that waits for rescues: it lends its scope at a step boundary, and goes on once it has it back. */
const lab = useLab(development);
let operations: Operations;
/** Each test has a zone of its own; the coordinator is one. */
let zone: string;
let zones = 0;

beforeAll(() => {
  operations = new Operations(lab().env.client, 'lab', catalogue);
});

beforeEach(() => {
  zones += 1;
  zone = `us-east-1/w${zones}`;
  lab().otherwise = { 'act install': hangs(), 'look service': hangs(), 'act heal': hangs() };
});

const LINES = ['act install', 'look service', 'act ramp'];

/** A run of the waiting kind, at the first of its calls that hangs. */
async function deploying(lines: unknown[] = LINES, at = 'act install'): Promise<LabRun> {
  const { run } = await operations.start({ runbook: 'lab-waits', input: { zone, lines }, by: 'grace' });
  const found = lab().run(run);
  await found.world.begins(at);
  return found;
}

/** A node of the zone fails. */
async function rescue(name = 'n1'): Promise<LabRun> {
  const node = `${zone}/${name}`;
  const fault: Fault = {
    runbook: 'lab-undo',
    input: { node, lines: ['act heal'] },
    scope: `node/${node}`,
    trigger: 'monitor',
    alert: {
      source: 'test',
      fingerprint: node,
      summary: `${node} is down`,
      faultAt: new Date().toISOString(),
    },
  };
  return lab().run((await operations.openIncident(fault)).run);
}

/** The run has been told to make room. */
async function asked({ id, handle }: LabRun): Promise<void> {
  await until(`${id} was asked for its scope`, async () => {
    const { events } = await handle.fetchHistory();
    return events?.some(
      ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === 'yieldTo',
    );
  });
}

async function healed(run: LabRun) {
  await run.world.begins('act heal');
  run.world.release('act heal');
  return outline(await run.ends());
}

const ended = async (run: LabRun) => {
  run.world.releaseAll();
  return outline(await run.ends());
};

it('finishes the act under way, lends its scope, and looks at the world again before its next act', async () => {
  const deploy = await deploying([{ afterPause: 'look world' }, 'act install', 'act ramp']);
  const first = await rescue();
  expect(await first.reaches('waiting for lock')).toMatchObject({
    sentence: `waits until ${deploy.id} made room`,
  });
  await asked(deploy);
  deploy.world.release('act install');
  expect(await deploy.reaches('waiting for lock')).toMatchObject({
    sentence: `zone/${zone} is lent to ${first.id}: lab-undo on node/${zone}/n1 goes first; after it this goes on`,
  });
  const said = `${deploy.id} has lent zone/${zone}, and has it back once ${first.id} on node/${zone}/n1 is over`;
  await until('the coordinator says so', async () => (await operations.explain()).includes(said));
  expect(await healed(first)).toMatchObject({ state: 'succeeded' });
  expect(outline(await deploy.ends())).toMatchObject({
    state: 'succeeded',
    steps: ['act install: done', 'Wait for a rescue: done', 'look world: done', 'act ramp: done'],
  });
});

it('a look under way is interrupted, and had again afterwards', async () => {
  const deploy = await deploying(['act free', 'look service', 'act ramp'], 'look service');
  await healed(await rescue());
  await deploy.world.begins('look service', 2);
  expect(await ended(deploy)).toMatchObject({
    state: 'succeeded',
    steps: ['act free: done', 'look service: done', 'Wait for a rescue: done', 'act ramp: done'],
  });
});

it('rescues that come while it is lent go first too, each at once', async () => {
  const deploy = await deploying(['look service', 'act ramp'], 'look service');
  const one = await rescue('n1');
  await one.world.begins('act heal');
  await deploy.reaches('waiting for lock');
  const other = await rescue('n2');
  await healed(other);
  expect((await deploy.report()).state).toBe('waiting for lock');
  await healed(one);
  expect(await ended(deploy)).toMatchObject({
    state: 'succeeded',
    steps: ['look service: done', 'Wait for a rescue: done', 'act ramp: done'],
  });
});

it('aborted while its scope is lent, it is undone once it has it back, and not before', async () => {
  const deploy = await deploying();
  const first = await rescue();
  await asked(deploy);
  deploy.world.release('act install');
  await first.world.begins('act heal');
  await deploy.decide('abort');
  expect(deploy.world.calls).not.toContain('undo install');
  await healed(first);
  expect(await ended(deploy)).toMatchObject({
    state: 'aborted',
    steps: ['act install: done', 'Wait for a rescue: done', 'undo install: done'],
  });
});

it('paused, it lends its scope, and stays paused', async () => {
  const deploy = await deploying(['act install', 'act ramp']);
  await deploy.decide('pause');
  deploy.world.release('act install');
  await deploy.reaches('paused');
  await healed(await rescue());
  await until('it has its scope back', async () =>
    (await deploy.report()).steps.some(
      ({ title, state }) => title === 'Wait for a rescue' && state === 'done',
    ),
  );
  await deploy.reaches('paused');
  await deploy.decide('resume');
  expect(await ended(deploy)).toMatchObject({ state: 'succeeded' });
});

it('while a person is asked it lends its scope, and the question stands', async () => {
  lab().otherwise = { 'act install': fails('no'), 'act heal': hangs() };
  const deploy = await deploying();
  await deploy.reaches('needs attention');
  await deploy.hasCalled();
  await healed(await rescue());
  await deploy.reaches('needs attention');
  await deploy.decide('abort');
  expect(await ended(deploy)).toMatchObject({ state: 'aborted' });
});

it('a coordinator that does not answer is asked again', async () => {
  lab().otherwise = {
    'act install': hangs(),
    lendScope: [fails('away', 'LB_REFUSED'), ({ usual }) => usual()],
    'act heal': hangs(),
  };
  const deploy = await deploying(['act install', 'act ramp']);
  const first = await rescue();
  await asked(deploy);
  deploy.world.release('act install');
  await healed(first);
  expect(await ended(deploy)).toMatchObject({ state: 'succeeded' });
  expect(deploy.world.calls.filter((call) => call === 'lendScope')).toHaveLength(2);
});

it('one that is terminated while its scope is lent has no claim any more', async () => {
  const deploy = await deploying(['look service', 'act ramp'], 'look service');
  const first = await rescue();
  await deploy.reaches('waiting for lock');
  await deploy.handle.terminate();
  await healed(first);
  const next = await deployingAgain();
  expect(await ended(next)).toMatchObject({ state: 'succeeded' });
});

/** Its predecessor is found to be over within some seconds. */
async function deployingAgain(): Promise<LabRun> {
  const input = { zone, lines: ['act ramp'] };
  const { run } = await until('the scope is free', () =>
    operations.start({ runbook: 'lab-waits', input, by: 'grace' }),
  );
  return lab().run(run);
}

it('another of its kind is refused, also while the scope is lent', async () => {
  const deploy = await deploying(['look service', 'act ramp'], 'look service');
  const again = () => operations.start({ runbook: 'lab-waits', input: { zone, lines: [] }, by: 'grace' });
  const held = { code: 'LOCK_HELD', message: expect.stringContaining(deploy.id) };
  await expect(again()).rejects.toMatchObject(held);
  const first = await rescue();
  await deploy.reaches('waiting for lock');
  await first.world.begins('act heal');
  await expect(again()).rejects.toMatchObject({ code: 'NOT_NOW' });
  await healed(first);
  expect(await ended(deploy)).toMatchObject({ state: 'succeeded' });
});

describe('what it has taken out of service itself', () => {
  const handling = (lines: unknown[], at = 'act install') =>
    deploying([{ inHand: [`${zone}/n1`, `${zone}/n2`], lines }, 'act ramp'], at);

  it('is its own doing where it fails: known to the run, and no reason for a rescue or for leaving the zone', async () => {
    const deploy = await handling(['act install']);
    for (const name of ['n1', 'n2']) expect((await rescue(name)).id).toBe(deploy.id);
    await until('the alerts are with it', async () => (await deploy.report()).alerts.length === 2);
    expect(await operations.explain()).toContain(
      `${deploy.id} has node/${zone}/n1 and node/${zone}/n2 in hand: what fails there is its own doing`,
    );
    deploy.world.release('act install');
    expect(await ended(deploy)).toMatchObject({
      state: 'succeeded',
      steps: ['act install: done', 'act ramp: done'],
    });
  });

  it('is still its own while the scope is lent to a rescue of something else', async () => {
    const deploy = await handling(['act install', 'act ramp']);
    const other = await rescue('n3');
    expect(other.id).not.toBe(deploy.id);
    await asked(deploy);
    deploy.world.release('act install');
    await deploy.reaches('waiting for lock');
    expect((await rescue('n1')).id).toBe(deploy.id);
    await healed(other);
    expect(await ended(deploy)).toMatchObject({ state: 'succeeded' });
  });

  it('is rescued as everything else once it is back in service', async () => {
    lab().otherwise = { 'act ramp': hangs(), 'act heal': hangs() };
    const deploy = await handling(['act free'], 'act ramp');
    const first = await rescue('n1');
    expect(first.id).not.toBe(deploy.id);
    await asked(deploy);
    deploy.world.release('act ramp');
    await healed(first);
    expect(await ended(deploy)).toMatchObject({ state: 'succeeded' });
  });

  it('is its own again on the way back', async () => {
    lab().otherwise = { 'act ramp': fails('no'), 'undo install': hangs() };
    const deploy = await handling(['act install']);
    deploy.world.release('act install');
    await deploy.reaches('needs attention');
    await deploy.decide('abort');
    await deploy.world.begins('undo install');
    expect((await rescue('n1')).id).toBe(deploy.id);
    expect(await ended(deploy)).toMatchObject({ state: 'aborted' });
  });
});

describe('before it has begun', () => {
  it('makes room for a rescue while it waits for its scope, and ends', async () => {
    const drill = await operations.start({
      runbook: 'lab-undo',
      input: { node: `${zone}/n1`, lines: ['act heal'] },
      mode: 'drill',
      by: 'grace',
    });
    await lab().run(drill.run).world.begins('act heal');
    const { run } = await operations.start({ runbook: 'lab-waits', input: { zone, lines: [] }, by: 'grace' });
    const deploy = lab().run(run);
    await deploy.reaches('waiting for lock');
    const wide = await operations.start({ runbook: 'lab-zone', input: { zone }, by: 'grace' });
    expect(outline(await deploy.ends())).toMatchObject({
      state: 'interrupted',
      sentence: `interrupted by ${wide.run}: lab-zone on zone/${zone} goes first; nothing was touched`,
    });
    lab().run(drill.run).world.release('act heal');
    expect(outline(await lab().run(wide.run).ends())).toMatchObject({ state: 'succeeded' });
  });

  it('makes room for a rescue while it waits for approval, and ends', async () => {
    const deploy = await lab().startInUi(
      'lab-waits',
      { input: { zone, lines: [] } },
      {
        acquireScope: ({ asked: claim }) => operations.acquire(claim as Parameters<Operations['acquire']>[0]),
      },
    );
    await deploy.reaches('waiting for approval');
    const first = await rescue();
    expect(outline(await deploy.ends())).toMatchObject({ state: 'interrupted' });
    expect(await healed(first)).toMatchObject({ state: 'succeeded' });
  });
});
