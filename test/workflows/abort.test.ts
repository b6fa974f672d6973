import { hangs, insists, fails, outline, useLab, type Asked, type Line } from './lab';

const lab = useLab();

/** A run whose second act is under way. */
async function midAct(
  script: Asked['script'] = { 'act move': hangs() },
  runbook: Asked['runbook'] = 'lab-ask',
) {
  const run = await lab().start({ runbook, lines: ['act drain', 'act move', 'act restart'], script });
  await run.world.begins('act move');
  return run;
}

const enough = { by: 'bob', reason: 'enough' };

describe('abort in the middle of a step', () => {
  it('interrupts the call, waits for it to end, and undoes it and what came before', async () => {
    const run = await midAct();
    expect(await run.decide('abort', enough)).toBe('the run stops and undoes what it did');
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state: 'aborted',
      sentence: 'aborted by bob (enough) and undone',
      steps: ['act drain: done', 'act move: failed', 'undo move: done', 'undo drain: done'],
      decisions: ['abort by bob'],
    });
    expect(report.steps[1]).toMatchObject({ sentence: 'interrupted: the run is aborted' });
    expect(run.world.trace.join(', ')).toBe(
      '> act drain, < act drain, > act move, ! act move, < act move, ' +
        '> undo move, < undo move, > undo drain, < undo drain',
    );
  });

  it('leaves everything as it is where that is asked for', async () => {
    const run = await midAct();
    expect(await run.decide('abort', { ...enough, keep: true })).toBe(
      'the run stops and leaves what it did as it is',
    );
    expect(outline(await run.ends())).toEqual({
      state: 'aborted',
      sentence: 'aborted by bob (enough); what was done is left as it is',
      steps: ['act drain: done', 'act move: failed'],
      decisions: ['abort by bob'],
    });
    expect(run.world.calls).toEqual(['act drain', 'act move']);
  });

  it('undoes nothing before a call that is deaf to cancellation has ended', async () => {
    const run = await midAct({ 'act move': insists() });
    await run.decide('abort', enough);
    expect(run.world.calls).not.toContain('undo move');
    run.world.release('act move');
    expect(outline(await run.ends())).toMatchObject({
      state: 'aborted',
      steps: ['act drain: done', 'act move: done', 'undo move: done', 'undo drain: done'],
    });
    const { trace } = run.world;
    expect(trace.indexOf('< act move')).toBeLessThan(trace.indexOf('> undo move'));
  });

  it.each<{ end: string; after: Line[] }>([
    { end: 'is over', after: [] },
    { end: 'has recovered', after: [{ end: 'recovered', saying: 'it serves' }] },
  ])('counts although the step succeeds all the same and the procedure $end', async ({ after }) => {
    const run = await lab().start({
      lines: ['act drain', ...after],
      script: { 'act drain': insists() },
    });
    await run.world.begins('act drain');
    await run.decide('abort', enough);
    run.world.release('act drain');
    expect(outline(await run.ends())).toEqual({
      state: 'aborted',
      sentence: 'aborted by bob (enough) and undone',
      steps: ['act drain: done', 'undo drain: done'],
      decisions: ['abort by bob'],
    });
  });

  it('is escalated where something could not be undone', async () => {
    const run = await midAct({ 'act move': hangs(), 'undo move': fails('no such session') });
    await run.decide('abort', enough);
    expect(outline(await run.ends())).toMatchObject({
      state: 'escalated',
      sentence: 'aborted by bob (enough) and undone, but not everything could be undone; see the timeline',
      steps: ['act drain: done', 'act move: failed', 'undo move: failed', 'undo drain: done'],
    });
  });

  it('interrupts a step inside a choice and tries no other way', async () => {
    const run = await lab().start({
      lines: [{ choose: { restart: ['act restart'], spare: ['act spare'] } }],
      script: { 'act restart': hangs() },
    });
    await run.world.begins('act restart');
    await run.decide('abort', enough);
    expect(outline(await run.ends())).toMatchObject({
      state: 'aborted',
      steps: ['choose: failed', 'act restart: failed', 'undo restart: done'],
    });
    expect(run.world.calls).toEqual(['act restart', 'undo restart']);
  });
});

describe('cancelling the workflow in Temporal', () => {
  it.each([
    { state: 'running', does: hangs() },
    { state: 'needs attention', does: fails('no such session') },
  ] as const)('is an abort by somebody unnamed, while it is $state', async ({ state: before, does }) => {
    const run = await midAct({ 'act move': does });
    await run.reaches(before);
    if (before === 'needs attention') await run.hasCalled();
    await run.cancel();
    const report = await run.ends();
    expect(outline(report)).toMatchObject({
      state: 'aborted',
      sentence: 'aborted by somebody in Temporal (cancellation requested) and undone',
      decisions: ['abort by somebody in Temporal'],
    });
    expect(
      report.steps.filter(({ kind }) => kind !== 'escalate').map(({ title, state }) => [title, state]),
    ).toEqual([
      ['act drain', 'done'],
      ['act move', 'failed'],
      ['undo move', 'done'],
      ['undo drain', 'done'],
    ]);
  });

  it('does not stop what is being undone', async () => {
    const run = await midAct({ 'act move': hangs(), 'undo move': hangs() });
    await run.decide('abort', enough);
    await run.world.begins('undo move');
    await run.cancel();
    run.world.release('undo move');
    expect(outline(await run.ends())).toMatchObject({
      state: 'aborted',
      steps: ['act drain: done', 'act move: failed', 'undo move: done', 'undo drain: done'],
      decisions: ['abort by bob'],
    });
  });
});

describe('while a run is being undone', () => {
  it.each([
    'pause',
    'resume',
    'abort',
    'force',
    'retry',
    'skip',
    'acknowledge',
    'approve',
    'reject',
  ] as const)('no %s is taken', async (kind) => {
    const run = await midAct({ 'act move': fails('no such session'), 'undo move': hangs() }, 'lab-undo');
    await run.world.begins('undo move');
    await expect(run.decide(kind)).rejects.toMatchObject({ cause: { type: 'DECISION_REFUSED' } });
    run.world.release('undo move');
    expect(outline(await run.ends())).toMatchObject({ state: 'rolled back', decisions: [] });
  });
});
