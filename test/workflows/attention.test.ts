import { answers, fails, hangs, insists, outline, useLab, works, type Asked } from './lab';

const lab = useLab();

/** A run whose second act has failed for good, and which has called the first person. */
async function asking(script: Asked['script'] = {}) {
  const run = await lab().start({
    runbook: 'lab-ask',
    lines: ['act drain', 'act move', 'act restart'],
    script: { 'act move': [fails('no such session'), works], ...script },
  });
  if ('call ada' in script) await run.world.begins('call ada');
  else await run.hasCalled();
  return run;
}

/** Without the people who were called. */
const work = (steps: string[]) => steps.filter((step) => !step.startsWith('Call'));

describe('a step that failed for good', () => {
  it('holds the run, which says what it asks', async () => {
    const run = await asking();
    expect(await run.report()).toMatchObject({
      state: 'needs attention',
      sentence: 'act move: no such session. Answer with retry, skip, or abort',
    });
    await run.decide('abort');
    await run.ends();
  });

  it('is tried again on retry, as often as it takes, under the same key', async () => {
    const run = await asking({ 'act move': [fails('no such session'), fails('still none'), works] });
    expect(await run.decide('retry')).toBe('the failed step is tried again');
    await run.hasCalled(2);
    expect(await run.report()).toMatchObject({
      state: 'needs attention',
      sentence: 'act move: still none. Answer with retry, skip, or abort',
    });
    await run.decide('retry', { by: 'bob' });
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state: 'succeeded',
      sentence: 'every line was played',
      steps: ['act drain: done', 'act move: done', 'Call ada: done', 'Call ada: done', 'act restart: done'],
      decisions: ['retry by ada', 'retry by bob'],
    });
    expect(report.steps[1]).toMatchObject({ attempts: 3, sentence: 'move was changed' });
    expect(new Set(run.world.keys['act move'])).toEqual(new Set([`${run.id}/2`]));
  });

  it('is left out on skip, and undone all the same should the run be undone later', async () => {
    const run = await asking({ 'act restart': hangs() });
    expect(await run.decide('skip', { reason: 'moved by hand' })).toBe(
      'the run goes on without the failed step',
    );
    await run.world.begins('act restart');
    await run.decide('abort');
    const report = await run.ends();
    expect(work(outline(report).steps)).toEqual([
      'act drain: done',
      'act move: skipped',
      'act restart: failed',
      'undo restart: done',
      'undo move: done',
      'undo drain: done',
    ]);
    expect(report.steps[1]).toMatchObject({ sentence: 'skipped by ada: moved by hand' });
  });

  it('cannot be skipped where the rest needs what it finds', async () => {
    const run = await lab().start({
      runbook: 'lab-ask',
      lines: ['look pool'],
      script: { 'look pool': [fails('no answer'), works] },
    });
    await run.hasCalled();
    expect(await run.report()).toMatchObject({
      sentence: 'look pool: no answer. Answer with retry, or abort',
    });
    await expect(run.decide('skip')).rejects.toMatchObject({
      cause: { message: 'skip refused: the rest of the run needs what this step finds; retry or abort' },
    });
    await run.decide('retry');
    expect(outline(await run.ends())).toMatchObject({
      state: 'succeeded',
      steps: ['look pool: done', 'Call ada: done'],
      decisions: ['retry by ada'],
    });
  });

  it('may be skipped where it is a proof, and the run is watching again', async () => {
    const run = await lab().start({
      runbook: 'lab-ask',
      lines: ['watch service', 'verify health'],
      script: { 'look service': fails('nobody answers'), 'look health': hangs() },
    });
    await run.hasCalled();
    await run.decide('skip', { reason: 'seen with my own eyes' });
    await run.world.begins('look health');
    expect(await run.report()).toMatchObject({ state: 'watching' });
    run.world.release('look health');
    const report = await run.ends();
    expect(work(outline(report).steps)).toEqual(['watch service: skipped', 'verify health: done']);
  });

  it.each([
    { keep: false, undone: ['undo move: done', 'undo drain: done'] },
    { keep: true, undone: [] },
  ])('may be answered with abort (keep: $keep)', async ({ keep, undone }) => {
    const run = await asking();
    await run.decide('abort', { keep });
    const report = await run.ends();
    expect(outline(report)).toMatchObject({ state: 'aborted', decisions: ['abort by ada'] });
    expect(work(outline(report).steps)).toEqual(['act drain: done', 'act move: failed', ...undone]);
  });

  it('is undone too where a guard refuses it when it is tried again: the first try may have done half', async () => {
    const run = await asking({ 'act move': [fails('no such session'), fails('last node', 'GUARD_REFUSED')] });
    await run.decide('retry');
    const report = await run.ends();
    expect(outline(report)).toMatchObject({ state: 'refused', sentence: 'last node' });
    expect(work(outline(report).steps)).toEqual([
      'act drain: done',
      'act move: refused',
      'undo move: done',
      'undo drain: done',
    ]);
  });

  it('takes one answer: a second is refused, even while a message is still on its way', async () => {
    const run = await asking({ 'call ada': insists() });
    await run.decide('retry');
    await expect(run.decide('skip', { by: 'bob' })).rejects.toMatchObject({
      cause: { type: 'DECISION_REFUSED', message: 'skip refused: ada has answered already: retry' },
    });
    run.world.release('call ada');
    const report = await run.ends();
    expect(outline(report).decisions).toEqual(['retry by ada']);
    expect(work(outline(report).steps)).toEqual(['act drain: done', 'act move: done', 'act restart: done']);
  });

  it('is not tried again where an abort follows the answer', async () => {
    const run = await asking({ 'call ada': insists() });
    await run.decide('retry');
    await run.decide('abort', { by: 'bob' });
    run.world.release('call ada');
    expect(outline(await run.ends())).toMatchObject({
      state: 'aborted',
      decisions: ['retry by ada', 'abort by bob'],
    });
    expect(run.world.calls.filter((call) => call === 'act move')).toHaveLength(1);
  });

  it('records what its last try found', async () => {
    const run = await asking({
      'act move': [fails('no such session'), answers({ changed: false, sentence: 'moved already' })],
    });
    await run.decide('retry');
    expect((await run.ends()).steps[1]).toMatchObject({ state: 'unchanged', sentence: 'moved already' });
  });
});
