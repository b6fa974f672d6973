import { DRILL, NODE, answers, fails, hangs, useLab, type LabRun } from './lab';
import type { Script } from './lab/script';

const lab = useLab();
const drill = (script: Script = {}, mode = 'execute'): Promise<LabRun> =>
  lab().startInUi('component-drill', { input: { node: NODE }, mode, by: 'ada' }, script);
const finding = (value: unknown) => answers({ sentence: 'seen', value });
const deed = (after: unknown) => answers({ changed: true, sentence: 'done', after });
/** What the drill has seen, with the node away from the fault on. */
const broken = {
  ...DRILL.ledger,
  buckets: DRILL.ledger.buckets.map((one) => (one.at < DRILL.fault.at ? one : { ...one, serving: 1 })),
};

it('passes by what was seen, and its clock is that of the observer', async () => {
  const run = await drill();
  expect(await run.ends()).toMatchObject({
    state: 'succeeded',
    actual: { rtoMs: 3_000, sessionsLost: 0 },
    clock: { faultAt: '2030-01-02T03:04:10.000Z', provenAt: '2030-01-02T03:04:13.000Z' },
  });
  expect(run.world.calls.filter((call) => call !== 'acquireScope' && call !== 'briefing')).toEqual([
    'assess',
    'observe',
    'steady',
    'break',
    'rescue',
    'steady',
    'end',
  ]);
});

it('fails where the run that came says it has healed what is broken still', async () => {
  const run = await drill({ end: deed({ ledger: broken, fault: DRILL.fault }) });
  expect(await run.ends()).toMatchObject({
    state: 'failed',
    sentence: 'it was not healed, although node-failover-1 says that it is recovered: it serves again',
  });
});

it('says nothing where clients are badly served, and breaks nothing', async () => {
  const run = await drill({ steady: finding({ ok: 10, failed: 3 }) });
  expect(await run.ends()).toMatchObject({
    state: 'inconclusive',
    sentence: expect.stringContaining('there was no steady state'),
  });
  expect(run.world.calls).not.toContain('break');
  expect(run.world.calls).toContain('end');
});

it('makes room for a real incident, with its fault made good', async () => {
  const run = await drill({
    rescue: finding({ claim: null, other: 'incident INC-1 on zone/x/b goes first' }),
  });
  expect(await run.ends()).toMatchObject({
    state: 'interrupted',
    sentence: 'incident INC-1 on zone/x/b goes first; what the drill had broken is made good',
  });
  expect(run.world.calls.at(-1)).toBe('end');
});

it('is refused while something else is going on, and touches nothing', async () => {
  const run = await drill({ assess: fails('no drill now: incident INC-1 is open', 'GUARD_REFUSED') });
  expect(await run.ends()).toMatchObject({
    state: 'refused',
    sentence: expect.stringContaining('INC-1 is open'),
  });
  expect(run.world.calls).not.toContain('observe');
});

it('is refused where something has come up before it breaks anything, and takes its clients away', async () => {
  const run = await drill({ break: fails('no drill now: incident INC-2 is open', 'GUARD_REFUSED') });
  expect(await run.ends()).toMatchObject({ state: 'refused' });
  expect(run.world.calls.at(-1)).toBe('end');
});

it('that is aborted takes clients and fault away', async () => {
  const run = await drill({ rescue: hangs() });
  await run.world.begins('rescue');
  await run.decide('abort');
  expect(await run.ends()).toMatchObject({ state: 'aborted' });
  expect(run.world.calls.at(-1)).toBe('end');
});

it('that is planned says what it would do', async () => {
  const run = await drill({}, 'plan');
  expect(await run.ends()).toMatchObject({ state: 'planned', plan: { mutating: 2 } });
});
