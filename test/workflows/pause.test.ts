import { fails, hangs, outline, useLab } from './lab';

const lab = useLab();

/** A run whose first of three acts is under way. */
async function midAct(lines = ['act drain', 'act move', 'act restart'] as const) {
  const run = await lab().start({ lines: [...lines], script: { 'act drain': hangs() } });
  await run.world.begins('act drain');
  return run;
}

describe('a paused run', () => {
  it('finishes the step under way, begins no other, and goes on when it is resumed', async () => {
    const run = await midAct();
    expect(await run.decide('pause')).toBe('the run stops before its next step');
    expect(await run.report()).toMatchObject({ state: 'running', sentence: 'act drain' });
    run.world.release('act drain');
    expect(outline(await run.reaches('paused'))).toEqual({
      state: 'paused',
      sentence: 'paused before the next step, after: act drain',
      steps: ['act drain: done'],
      decisions: ['pause by ada'],
    });
    expect(await run.decide('resume', { by: 'bob' })).toBe('the run goes on');
    expect(outline(await run.ends())).toEqual({
      state: 'succeeded',
      sentence: 'every line was played',
      steps: ['act drain: done', 'act move: done', 'act restart: done'],
      decisions: ['pause by ada', 'resume by bob'],
    });
    expect(run.world.calls).toEqual(['act drain', 'act move', 'act restart']);
  });

  it('stays paused however much time passes', async () => {
    const run = await midAct();
    await run.decide('pause');
    run.world.release('act drain');
    await run.reaches('paused');
    await run.sleeps('30m');
    expect(await run.report()).toMatchObject({ state: 'paused' });
    expect(run.world.calls).toEqual(['act drain']);
    await run.decide('abort');
    await run.ends();
  });

  it('can be paused again after it was resumed, but not twice at once', async () => {
    const run = await midAct();
    await run.decide('pause');
    await expect(run.decide('pause')).rejects.toMatchObject({
      cause: { type: 'DECISION_REFUSED', message: 'pause refused: the run is paused already' },
    });
    await run.decide('resume');
    await run.decide('pause');
    run.world.release('act drain');
    await run.reaches('paused');
    await run.decide('resume');
    expect(outline(await run.ends()).decisions).toEqual(['pause', 'resume', 'pause', 'resume'].map(byAda));
  });

  it('goes back to watching, where it was paused in it', async () => {
    const run = await lab().start({
      lines: ['watch service', 'verify health', 'act drain'],
      script: { 'look service': hangs(), 'look health': hangs() },
    });
    await run.world.begins('look service');
    await run.decide('pause');
    run.world.release('look service');
    await run.reaches('paused');
    await run.decide('resume');
    await run.world.begins('look health');
    expect(await run.report()).toMatchObject({ state: 'watching', sentence: 'verify health' });
    run.world.release('look health');
    expect(await run.ends()).toMatchObject({ state: 'succeeded' });
  });

  it.each([
    {
      keep: false,
      steps: ['act drain: done', 'undo drain: done'],
      sentence: 'aborted by bob (enough) and undone',
    },
    {
      keep: true,
      steps: ['act drain: done'],
      sentence: 'aborted by bob (enough); what was done is left as it is',
    },
  ])('can be aborted (keep: $keep)', async ({ keep, steps, sentence }) => {
    const run = await midAct();
    await run.decide('pause');
    run.world.release('act drain');
    await run.reaches('paused');
    await run.decide('abort', { by: 'bob', reason: 'enough', keep });
    expect(outline(await run.ends())).toEqual({
      state: 'aborted',
      sentence,
      steps,
      decisions: ['pause by ada', 'abort by bob'],
    });
  });

  it('is undone when its workflow is cancelled in Temporal', async () => {
    const run = await midAct();
    await run.decide('pause');
    run.world.release('act drain');
    await run.reaches('paused');
    await run.cancel();
    expect(outline(await run.ends())).toMatchObject({
      state: 'aborted',
      steps: ['act drain: done', 'undo drain: done'],
      decisions: ['pause by ada', 'abort by somebody in Temporal'],
    });
  });

  it('asks nobody to resume what was paused while a step failed: the answer counts, then the pause', async () => {
    const run = await lab().start({
      runbook: 'lab-ask',
      lines: ['act drain', 'act move'],
      script: { 'act drain': fails('no such server') },
    });
    await run.hasCalled();
    await run.decide('pause');
    await run.decide('skip');
    const paused = await run.reaches('paused');
    expect(paused.steps.find(({ title }) => title === 'act drain')).toMatchObject({ state: 'skipped' });
    expect(run.world.calls).not.toContain('act move');
    await run.decide('resume');
    expect(await run.ends()).toMatchObject({ state: 'succeeded' });
  });
});

const byAda = (kind: string) => `${kind} by ada`;
