import type { Fault } from '../../core/coordination';
import { Operations } from '../../operations';
import { until } from '../harness/until';
import { hangs, outline, useLab } from './lab';
import { development } from './lab/servers';
import catalogue from './lab/catalogue';

const lab = useLab(development);
let operations: Operations;
let node: string;
let nodes = 0;

beforeAll(() => {
  operations = new Operations(lab().env.client, 'lab', catalogue);
});

beforeEach(() => {
  nodes += 1;
  node = `us-east-1/b/n${nodes}`;
  lab().otherwise = { 'act drain': hangs(), 'look pool': hangs() };
});

const lines = ['act drain', 'look pool', 'act ramp'];
const fault = (): Fault => ({
  runbook: 'lab-undo',
  input: { node, lines },
  scope: `node/${node}`,
  trigger: 'monitor',
  alert: { source: 'test', fingerprint: node, summary: `${node} is down`, faultAt: new Date().toISOString() },
});
const engage = () => operations.moveLever({ engaged: true, by: 'ada', reason: 'the monitor is wrong' });
const release = () => operations.moveLever({ engaged: false, by: 'ada', reason: 'it is mended' });
const start = (reason?: string) =>
  operations.start({
    runbook: 'lab-undo',
    input: { node, lines },
    by: 'grace',
    ...(reason ? { reason } : {}),
  });

it('an automatic run stops before its next step and goes on when the lever is released', async () => {
  const run = lab().run((await operations.openIncident(fault())).run);
  await run.world.begins('act drain');
  expect(await engage()).toBe('automation is stopped; 1 automatic runs pause');
  run.world.release('act drain');
  expect(await run.reaches('paused')).toMatchObject({
    sentence:
      'held by the safety lever, which ada has engaged (the monitor is wrong), before the next step, after: act drain',
  });
  await expect(run.decide('resume')).rejects.toMatchObject({
    cause: { message: /the safety lever holds it/ },
  });
  expect(await release()).toBe('automation goes on: 1 runs, and 0 faults that came meanwhile');
  run.world.release('look pool');
  expect(outline(await run.ends())).toMatchObject({ state: 'succeeded' });
});

it('what has moved on meanwhile is looked at before the next step', async () => {
  const again = { afterPause: 'look zone' as const };
  const opened = await operations.openIncident({
    ...fault(),
    input: { node, lines: [again, 'act drain', 'act ramp'] },
  });
  const run = lab().run(opened.run);
  await run.world.begins('act drain');
  await engage();
  run.world.release('act drain');
  await run.reaches('paused');
  await release();
  expect(outline(await run.ends()).steps).toEqual(['act drain: done', 'look zone: done', 'act ramp: done']);
});

it('a look under way is interrupted, and had again', async () => {
  const run = lab().run((await operations.openIncident(fault())).run);
  run.world.release('act drain');
  await run.world.begins('look pool');
  await engage();
  await run.reaches('paused');
  await release();
  await run.world.begins('look pool', 2);
  run.world.release('look pool');
  const report = await run.ends();
  expect(report.steps[1]).toMatchObject({ title: 'look pool', state: 'done', attempts: 2 });
});

it('no automatic run is started; its fault is kept, and dealt with when the lever is released', async () => {
  await engage();
  for (const _ of [1, 2])
    await expect(operations.openIncident(fault())).rejects.toMatchObject({
      code: 'LEVER_ENGAGED',
      message: expect.stringMatching(
        /^ada has engaged the safety lever since .* \(the monitor is wrong\); the fault is kept/,
      ),
    });
  expect((await operations.coordination()).locks).not.toHaveProperty([`node/${node}`]);
  expect(await operations.explain()).toEqual([
    expect.stringMatching(/^the safety lever is engaged by ada since .*: the monitor is wrong$/),
    `node/${node} has a fault that is kept until the lever is released: ${node} is down`,
  ]);
  expect(await release()).toBe('automation goes on: 0 runs, and 1 faults that came meanwhile');
  const { run } = await until(
    'it has a run',
    async () => (await operations.coordination()).locks[`node/${node}`],
  );
  for (const call of ['act drain', 'look pool']) lab().run(run).world.release(call);
  expect(outline(await lab().run(run).ends())).toMatchObject({ state: 'succeeded' });
});

it('a person starts a run by giving a reason; what a person started goes on', async () => {
  const before = lab().run((await start()).run);
  await before.world.begins('act drain');
  await engage();
  for (const call of ['act drain', 'look pool']) before.world.release(call);
  expect(outline(await before.ends())).toMatchObject({ state: 'succeeded' });
  await until('the scope is free', async () => !(await operations.coordination()).locks[`node/${node}`]);
  await expect(start()).rejects.toMatchObject({ code: 'LEVER_ENGAGED', message: /by giving a reason$/ });
  const after = lab().run((await start('it burns')).run);
  for (const call of ['act drain', 'look pool']) after.world.release(call);
  expect(outline(await after.ends())).toMatchObject({ state: 'succeeded' });
  await release();
});

it('says when there is nothing to move, and who forgot to say why', async () => {
  expect(await release()).toBe('it is not engaged');
  await engage();
  expect(await engage()).toBe('ada has engaged the safety lever already (the monitor is wrong)');
  await release();
  await expect(operations.moveLever({ engaged: true, by: 'ada', reason: ' ' })).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining('lever: reason: must say why'),
  });
});
