import { fails, hangs, insists, outline, useLab, type Asked } from './lab';

const lab = useLab();

const noReturn = 'd2 takes writes that d1 does not have';
const lines: Asked['lines'] = ['act drain', { act: 'promote', noReturn }, 'act lead', 'act prove'];
const said =
  'aborted by bob (enough), but there is no going back: d2 takes writes that d1 does not have. What was done stays, ';
const enough = { by: 'bob', reason: 'enough' };

/** A run that was aborted while this call was under way, and waits for what is to become of it. */
async function halted(during: string, asked: Partial<Asked> = {}) {
  const run = await lab().start({ lines, script: { [during]: [hangs(), () => undone] }, ...asked });
  await run.world.begins(during);
  await run.decide('abort', enough);
  await run.hasCalled();
  return run;
}

const undone = { changed: true, sentence: 'done' };

describe('an abort', () => {
  it.each([
    { during: 'act drain', undoes: ['undo drain'] },
    { during: 'act other', undoes: ['undo other', 'undo drain'] },
  ])('before the point of no return is undone as ever, during $during', async ({ during, undoes }) => {
    const run = await lab().start({
      lines: ['act drain', 'act other', { act: 'promote', noReturn }],
      script: { [during]: hangs() },
    });
    await run.world.begins(during);
    await run.decide('abort', enough);
    const report = await run.ends();
    expect(report).toMatchObject({ state: 'aborted', sentence: 'aborted by bob (enough) and undone' });
    expect(report.noReturn).toBeUndefined();
    expect(report.steps.filter(({ kind }) => kind === 'undo').map(({ title }) => title)).toEqual(undoes);
  });

  it.each([
    { during: 'act promote', left: 'not done then: undo drain' },
    { during: 'act lead', left: 'not done then: undo lead, undo drain' },
  ])('past it, during $during, undoes nothing and asks', async ({ during, left }) => {
    const run = await halted(during);
    const report = await run.report();
    expect(report).toMatchObject({ state: 'needs attention', noReturn: [noReturn] });
    expect(report.sentence).toContain(`${said}${left}`);
    await expect(run.decide('abort')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('send it with "keep": true, or retry to go on') },
    });
    await expect(run.decide('skip')).rejects.toMatchObject({ cause: { type: 'DECISION_REFUSED' } });
    await run.decide('abort', { ...enough, keep: true });
    expect(await run.ends()).toMatchObject({
      state: 'aborted',
      sentence: 'aborted by bob (enough); what was done is left as it is',
    });
    expect(run.world.calls.filter((call) => call.startsWith('undo'))).toEqual([]);
  });

  it('past it is taken back by a retry, and the run goes on with the step it was in', async () => {
    const run = await halted('act lead');
    await run.decide('retry', { by: 'ada', reason: 'nearly there' });
    expect(outline(await run.ends())).toMatchObject({
      state: 'succeeded',
      steps: ['act drain: done', 'act promote: done', 'act lead: done', 'Call ada: done', 'act prove: done'],
      decisions: ['abort by bob', 'retry by ada'],
    });
  });

  it('past it while a failed step needs attention asks that first', async () => {
    const run = await lab().start({
      runbook: 'lab-ask',
      lines,
      script: { 'act lead': [fails('no such region'), () => undone] },
    });
    await run.hasCalled();
    await run.decide('abort', enough);
    expect((await run.hasCalled(2)).sentence).toContain(said);
    await run.decide('retry');
    expect(await run.ends()).toMatchObject({ state: 'succeeded' });
  });

  it('that comes when all is done is too late', async () => {
    const run = await lab().start({
      lines: ['act drain', { act: 'promote', noReturn }, { end: 'recovered', saying: 'd2 serves' }],
      script: { 'act promote': insists() },
    });
    await run.world.begins('act promote');
    await run.decide('abort', enough);
    run.world.release('act promote');
    expect(await run.ends()).toMatchObject({ state: 'recovered' });
  });

  it('by cancelling the workflow ends it where it is, because nobody can be asked', async () => {
    const run = await lab().start({ lines, script: { 'act lead': hangs() } });
    await run.world.begins('act lead');
    await run.cancel();
    expect(await run.ends()).toMatchObject({
      state: 'escalated',
      sentence: `aborted by somebody in Temporal (cancellation requested) where there is no going back (${noReturn}); what was done is left as it is`,
    });
    expect(run.world.calls).not.toContain('undo drain');
  });
});

describe('past the point of no return', () => {
  it.each([
    { what: 'fails', does: fails('no such region') },
    { what: 'is refused', does: fails('nobody serves there', 'GUARD_REFUSED') },
  ])('a step that $what is asked about instead of undone', async ({ does }) => {
    const run = await lab().start({
      runbook: 'lab-undo',
      lines,
      script: { 'act lead': [does, () => undone] },
    });
    await run.hasCalled();
    expect(await run.report()).toMatchObject({ state: 'needs attention' });
    await run.decide('retry');
    expect(await run.ends()).toMatchObject({ state: 'succeeded' });
  });

  it('is not where the act was refused itself', async () => {
    const run = await lab().start({
      runbook: 'lab-undo',
      lines,
      script: { 'act promote': fails('it is not fenced', 'GUARD_REFUSED') },
    });
    const report = await run.ends();
    expect(outline(report)).toMatchObject({
      state: 'refused',
      steps: ['act drain: done', 'act promote: refused', 'undo drain: done'],
    });
    expect(report.noReturn).toBeUndefined();
  });

  it('is not where the act was planned only', async () => {
    expect((await (await lab().start({ lines, mode: 'plan' })).ends()).noReturn).toBeUndefined();
  });
});
