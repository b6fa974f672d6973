import { fails, hangs, outline, useLab, works, type LabRun, type Line } from './lab';

const lab = useLab();

/** Two ways to bring capacity back: a restart in place, and a spare. */
const lines: Line[] = [
  { choose: { restart: ['act restart', 'verify restarted'], spare: ['look spares', 'act spare'] } },
  'act ramp',
];

describe('of several ways', () => {
  it('the first is taken where it works', async () => {
    const run = await lab().start({ lines });
    const report = await run.ends();
    expect(outline(report).steps).toEqual([
      'choose: done',
      'act restart: done',
      'verify restarted: done',
      'act ramp: done',
    ]);
    expect(report.steps[0]).toMatchObject({ sentence: 'restart worked', kind: 'choose' });
  });

  it('the next is taken where one fails, without asking anybody', async () => {
    const run = await lab().start({
      runbook: 'lab-ask',
      lines,
      script: { 'look restarted': fails('it is sick', 'NODE_UNHEALTHY') },
    });
    const report = await run.ends();
    expect(outline(report)).toMatchObject({
      state: 'succeeded',
      steps: [
        'choose: done',
        'act restart: done',
        'verify restarted: failed',
        'look spares: done',
        'act spare: done',
        'act ramp: done',
      ],
    });
    expect(report.steps[0]).toMatchObject({ sentence: 'spare worked' });
  });

  const neither = { 'act restart': fails('no such process'), 'look spares': fails('none left', 'NO_SPARE') };
  const why = 'no way worked; restart: no such process; spare: none left';

  it('none works: what was done is undone, where the runbook says so', async () => {
    const run = await lab().start({ runbook: 'lab-undo', lines, script: neither });
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state: 'rolled back',
      sentence: `undone, because ${why}`,
      steps: ['choose: failed', 'act restart: failed', 'look spares: failed', 'undo restart: done'],
      decisions: [],
    });
    expect(report.steps[0]).toMatchObject({ sentence: why });
  });

  it('none works: a person is asked once, and on retry every way is tried again', async () => {
    const run = await lab().start({
      runbook: 'lab-ask',
      lines,
      script: { ...neither, 'look spares': [fails('none left', 'NO_SPARE'), works] },
    });
    expect(await run.hasCalled()).toMatchObject({ sentence: `choose: ${why}. Answer with retry, or abort` });
    await run.decide('retry');
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state: 'succeeded',
      sentence: 'every line was played',
      steps: [
        'choose: done',
        'act restart: failed',
        'look spares: failed',
        'Call ada: done',
        'act restart: failed',
        'look spares: done',
        'act spare: done',
        'act ramp: done',
      ],
      decisions: ['retry by ada'],
    });
    expect(report.steps[0]).toMatchObject({ attempts: 2, sentence: 'spare worked' });
  });

  it('a refusal by a guard ends the run: no other way is tried', async () => {
    const run = await lab().start({
      runbook: 'lab-ask',
      lines,
      script: { 'act restart': fails('it is the last one', 'GUARD_REFUSED') },
    });
    expect(outline(await run.ends())).toEqual({
      state: 'refused',
      sentence: 'it is the last one',
      steps: ['choose: refused', 'act restart: refused'],
      decisions: [],
    });
  });

  it('a step that ends the run ends it from within a way', async () => {
    const run = await lab().start({
      lines: [
        { choose: { restart: ['act restart', { end: 'recovered', saying: 'it serves' }] } },
        'act ramp',
      ],
    });
    expect(outline(await run.ends())).toMatchObject({
      state: 'recovered',
      sentence: 'it serves',
      steps: ['choose: done', 'act restart: done'],
    });
  });

  describe('between two', () => {
    let run: LabRun;
    beforeEach(async () => {
      run = await lab().start({ lines, script: { 'act restart': hangs(fails('no such process')) } });
      await run.world.begins('act restart');
      await run.decide('pause');
      run.world.release('act restart');
      const { steps } = outline(await run.reaches('paused'));
      expect(steps).toEqual(['choose: running', 'act restart: failed']);
    });

    it('the run can be paused', async () => {
      await run.decide('resume');
      expect(await run.ends()).toMatchObject({ state: 'succeeded' });
    });

    it('the run can be aborted', async () => {
      await run.decide('abort');
      expect(outline(await run.ends())).toMatchObject({
        state: 'aborted',
        steps: ['choose: failed', 'act restart: failed', 'undo restart: done'],
      });
    });
  });
});
