import { Operations } from '../../operations';
import { timeline } from '../../core/report';
import { until } from '../harness/until';
import { answers, fails, hangs, outline, useLab, type LabRun, type Line } from './lab';
import { development } from './lab/servers';
import catalogue from './lab/catalogue';

/** Runs as steps of runs, on a server that lists and follows as a real one does. */
const lab = useLab(development);
let operations: Operations;
let zones = 0;
let zone: string;

beforeAll(() => {
  operations = new Operations(lab().env.client, 'lab', catalogue);
});

beforeEach(() => {
  zones += 1;
  zone = `region/z${zones}`;
  lab().otherwise = {};
});

const beneath = (lines: Line[] = ['act drain'], node = `${zone}/n1`): Line => ({ nest: { node, lines } });

async function begin(lines: Line[], mode?: 'plan'): Promise<LabRun> {
  const ask = { runbook: 'lab-zone', input: { zone, lines }, by: 'grace', ...(mode ? { mode } : {}) };
  const { run } = await operations.start(ask);
  return lab().run(run);
}

/** The run that is the first step of this one, once it has begun. */
async function first(parent: LabRun): Promise<LabRun> {
  const run = await until('the step has its run', async () => (await parent.report()).steps[0]?.run);
  return lab().run(run);
}

it('is carried out under the lock of the run whose step it is, and is in its report', async () => {
  const parent = await begin([beneath(), 'act zone']);
  const report = await parent.ends();
  expect(outline(report)).toMatchObject({
    state: 'succeeded',
    steps: ['run lab-undo: done', 'act zone: done'],
  });
  const [{ nested, run }] = report.steps as [(typeof report.steps)[0]];
  expect(nested).toMatchObject({ run, under: parent.id, by: parent.id, state: 'succeeded' });
  expect(nested!.steps).toMatchObject([{ title: 'act drain', state: 'done' }]);
  expect(timeline(report)).toContain('\n   1. ✓');
  expect((await operations.coordination()).locks).toEqual({});
});

it('locks what is outside of the scope of its run, as any run does', async () => {
  lab().otherwise = { 'act drain': hangs() };
  const parent = await begin([beneath(['act drain'], 'elsewhere/a/n1')]);
  const child = await first(parent);
  expect((await operations.coordination()).locks['node/elsewhere/a/n1']?.run).toBe(child.id);
  child.world.release('act drain');
  await parent.ends();
});

it('answers for what fails in its scope where the run whose step it is is planned work, and that one for nothing else', async () => {
  lab().otherwise = { 'act drain': hangs(), 'act zone': hangs() };
  const lines = [beneath(['act drain']), 'act zone'];
  const { run } = await operations.start({ runbook: 'lab-fleet', input: { zone, lines }, by: 'grace' });
  const parent = lab().run(run);
  const child = await first(parent);
  await child.world.begins('act drain');
  const fault = () =>
    operations.openIncident({
      runbook: 'lab-undo',
      input: { node: `${zone}/n1`, lines: [] },
      scope: `node/${zone}/n1`,
      trigger: 'monitor',
      alert: { source: 'test', fingerprint: zone, summary: 'n1 is down', faultAt: new Date().toISOString() },
    });
  expect(await fault()).toMatchObject({ run, joined: true });
  child.world.release('act drain');
  await parent.world.begins('act zone');
  const rescue = await fault();
  expect(rescue).toMatchObject({ joined: false });
  expect(await parent.ends()).toMatchObject({ state: 'interrupted' });
  expect(await lab().run(rescue.run).ends()).toMatchObject({ state: 'succeeded' });
});

it('waits for one that has its scope', async () => {
  lab().otherwise = { 'act drain': hangs() };
  const { run: other } = await operations.start({
    runbook: 'lab-ask',
    input: { node: 'elsewhere/a/n3', lines: ['act drain'] },
    by: 'monitor',
  });
  const parent = await begin([beneath(['act more'], 'elsewhere/a/n3')]);
  const waits = await until('it waits', async () => (await parent.report()).steps[0]?.sentence);
  expect(waits).toMatch(new RegExp(`^waits: .* held by ${other}`));
  lab().run(other).world.release('act drain');
  expect(await parent.ends()).toMatchObject({
    state: 'succeeded',
    steps: [{ nested: { state: 'succeeded' } }],
  });
});

it('joins a run that does the same already, and leaves it alone when it is aborted itself', async () => {
  lab().otherwise = { 'act drain': hangs() };
  const { run: other } = await operations.start({
    runbook: 'lab-undo',
    input: { node: 'elsewhere/a/n2', lines: ['act drain'] },
    by: 'monitor',
  });
  const parent = await begin([beneath(['act drain'], 'elsewhere/a/n2')]);
  const child = await first(parent);
  expect(child.id).toBe(other);
  await parent.decide('pause');
  await parent.decide('abort');
  expect(await parent.reaches('aborted')).toBeDefined();
  expect(await child.report()).toMatchObject({ state: 'running', decisions: [] });
  child.world.release('act drain');
  expect(await child.ends()).toMatchObject({ state: 'succeeded' });
});

it('is paused, resumed and aborted with the run whose step it is', async () => {
  lab().otherwise = { 'act drain': hangs() };
  const parent = await begin([beneath(['act drain', 'act more'])]);
  const child = await first(parent);
  await child.world.begins('act drain');
  await parent.decide('pause');
  await until('it was told', async () => (await child.report()).decisions.length > 0);
  child.world.release('act drain');
  await child.reaches('paused');
  await parent.decide('resume');
  await until('it went on', async () => (await child.report()).state !== 'paused');
  await child.ends();
  await parent.ends();

  const second = await begin([beneath(['act drain', 'act more'])]);
  const aborted = await first(second);
  await aborted.world.begins('act drain');
  await second.decide('abort');
  expect(await second.ends()).toMatchObject({ state: 'aborted' });
  expect(await aborted.ends()).toMatchObject({ state: 'aborted', decisions: [{ by: second.id }] });
  expect(aborted.world.calls).toContain('undo drain');
});

it('asks a person where it did not end well, and is carried out anew on retry', async () => {
  lab().otherwise = { 'act drain': fails('no way') };
  const parent = await begin([beneath()]);
  const { sentence } = await parent.reaches('needs attention');
  expect(sentence).toMatch(/run lab-undo: lab-zone-.*\.1-lab-undo is rolled back: undone, because no way/);
  lab().otherwise = {};
  await parent.decide('retry');
  expect(await parent.ends()).toMatchObject({
    state: 'succeeded',
    steps: [
      { attempts: 2, run: `${parent.id}.1b-lab-undo`, nested: { state: 'succeeded' } },
      { kind: 'escalate' },
    ],
  });
});

it('is planned with the run whose step it is, its changes among those of that one', async () => {
  lab().otherwise = { 'act drain': answers({ changed: true, sentence: 'would drain it' }) };
  const { plan } = await (await begin([beneath(['look pool', 'act drain']), 'act zone'], 'plan')).ends();
  expect(plan).toEqual({ mutating: 2, readOnly: 1, changes: ['would drain it', 'zone would be changed'] });
});

it('is forced with the run whose step it is where it can be, and with what was told before it was begun', async () => {
  lab().otherwise = { 'act drain': hangs() };
  const soft: Line = { gracefully: ['act drain'], forced: ['act cut'] };
  const step = (node: string): Line => ({
    nest: { node: `${zone}/${node}`, lines: [soft] },
    by: 'lab-forced',
  });
  const parent = await begin([step('n1'), beneath(['act move']), step('n2')]);
  const child = await first(parent);
  await child.world.begins('act drain');
  await parent.decide('force', { by: 'bob', reason: 'the storm is early' });
  const { state, steps, forced } = await parent.ends();
  expect({ state, by: forced?.by }).toEqual({ state: 'succeeded', by: 'bob' });
  expect(steps.map(({ nested }) => [nested?.forced?.by, nested?.steps.map(({ title }) => title)])).toEqual([
    ['bob', ['act drain', 'act cut']],
    [undefined, ['act move']],
    ['bob', ['act cut']],
  ]);
});

it('is led back from by another one, once it has ended well', async () => {
  const node = `${zone}/n1`;
  const back: Line = {
    nest: { node, lines: ['act drain'] },
    undo: { node, lines: ['act admit'] },
  };
  lab().otherwise = { 'act lead': hangs() };
  const parent = await begin([back, beneath(['look pool'], `${zone}/n2`), 'act lead']);
  await parent.world.begins('act lead');
  await parent.decide('abort');
  const { state, steps } = await parent.ends();
  expect(state).toBe('aborted');
  expect(steps.filter(({ kind }) => kind === 'undo')).toMatchObject([
    { title: 'undo lead', state: 'done' },
    {
      title: 'undo lab-undo',
      state: 'done',
      run: `${parent.id}.5-lab-undo`,
      nested: { steps: [{ title: 'act admit' }] },
    },
  ]);
});

it('is finished past its point of no return, and the run whose step it is asks instead', async () => {
  lab().otherwise = { 'act lead': hangs() };
  const noReturn = 'd2 takes writes that d1 does not have';
  const parent = await begin([beneath([{ act: 'promote', noReturn }, 'act lead']), 'act zone']);
  const child = await first(parent);
  await child.world.begins('act lead');
  await parent.decide('abort');
  child.world.release('act lead');
  expect(await child.ends()).toMatchObject({ state: 'succeeded', decisions: [] });
  expect((await parent.reaches('needs attention')).sentence).toContain(`there is no going back: ${noReturn}`);
  await parent.decide('abort', { keep: true });
  expect(await parent.ends()).toMatchObject({ state: 'aborted', noReturn: [noReturn] });
});

it('is compared with the plan that it was started with, and only with one of its own', async () => {
  const lines: Line[] = [beneath(['act drain', 'act move']), 'act zone'];
  const plan = await begin(lines, 'plan');
  await plan.ends();
  const input = { zone, lines };
  const start = (over: object) =>
    operations.start({ runbook: 'lab-zone', input, by: 'grace', plan: plan.id, ...over });
  await expect(start({ input: { zone, lines: ['act zone'] } })).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining(`plan: ${plan.id} is of lab-zone with`),
  });
  lab().otherwise = { 'act drain': hangs() };
  const run = lab().run((await start({})).run);
  await (await first(run)).world.begins('act drain');
  await run.decide('abort');
  expect((await run.ends()).compared).toEqual({
    plan: plan.id,
    agreed: 0,
    unplanned: [],
    notDone: [
      { step: 'run lab-undo › act drain', sentence: 'drain would be changed' },
      { step: 'run lab-undo › act move', sentence: 'move would be changed' },
      { step: 'act zone', sentence: 'zone would be changed' },
    ],
  });
  await expect(start({ plan: run.id })).rejects.toMatchObject({
    message: expect.stringContaining(`plan: ${run.id} is aborted`),
  });
});
