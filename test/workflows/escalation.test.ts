import { fails, hangs, insists, outline, useLab, works, type Asked } from './lab';

const lab = useLab();

/** A run that calls people: ada at once, bob ten minutes later, ada again five minutes after that. */
async function calling(script: Asked['script'] = {}) {
  const run = await lab().start({
    runbook: 'lab-ask',
    lines: ['act drain', 'act move'],
    script: { 'act drain': [fails('no such server'), works], ...script },
  });
  if (script['call ada'] === undefined) await run.hasCalled();
  return run;
}

/** Who was called so far. */
const called = (calls: readonly string[]) => calls.filter((call) => call.startsWith('call '));

describe('the escalation ladder', () => {
  it('calls the next rung when its time has passed, and begins again from the top', async () => {
    const run = await calling();
    await run.sleeps('9m');
    expect(called(run.world.calls)).toEqual(['call ada']);
    await run.sleeps('2m');
    await run.hasCalled(2);
    await run.sleeps('3m');
    expect(called(run.world.calls)).toEqual(['call ada', 'call bob']);
    await run.sleeps('2m');
    await run.hasCalled(3);
    await run.decide('retry');
    expect(outline(await run.ends())).toMatchObject({
      state: 'succeeded',
      steps: ['act drain: done', 'Call ada: done', 'Call bob: done', 'Call ada: done', 'act move: done'],
    });
  });

  it('stops when somebody acknowledges; the run goes on waiting', async () => {
    const run = await calling();
    expect(await run.decide('acknowledge', { by: 'bob' })).toBe('bob is on it: nobody else is called');
    await run.sleeps('30m');
    expect(called(run.world.calls)).toEqual(['call ada']);
    expect(await run.report()).toMatchObject({
      state: 'needs attention',
      sentence: 'act drain: no such server. Answer with retry, skip, or abort',
    });
    await run.decide('retry', { by: 'bob' });
    expect(outline(await run.ends())).toMatchObject({
      state: 'succeeded',
      decisions: ['acknowledge by bob', 'retry by bob'],
    });
  });

  it('begins anew when the step fails again after somebody was on it', async () => {
    const run = await calling({ 'act drain': [fails('no such server'), fails('still none'), works] });
    await run.decide('acknowledge');
    await run.decide('retry');
    await run.hasCalled(2);
    await run.sleeps('11m');
    await run.hasCalled(3);
    await run.decide('retry');
    await run.ends();
    expect(called(run.world.calls)).toEqual(['call ada', 'call ada', 'call bob']);
  });

  it('is not climbed further once the question is answered', async () => {
    const run = await calling();
    await run.decide('pause');
    await run.decide('retry');
    await run.reaches('paused');
    await run.sleeps('30m');
    await run.decide('resume');
    await run.ends();
    expect(called(run.world.calls)).toEqual(['call ada']);
  });

  it('records a message that could not be delivered, and calls the next all the same', async () => {
    const run = await calling({ 'call ada': fails('notice to ada: HTTP 503') });
    await run.hasCalled();
    await run.sleeps('11m');
    await run.hasCalled(2);
    await run.decide('retry');
    const { steps } = await run.ends();
    expect(steps.filter(({ kind }) => kind === 'escalate')).toMatchObject([
      {
        title: 'Call ada',
        state: 'failed',
        sentence: 'ada could not be called: notice to ada: HTTP 503',
      },
      { title: 'Call bob', state: 'done', sentence: 'bob was called' },
    ]);
  });

  it.each([
    { message: 'is still on its way', does: insists(), state: 'done', sentence: 'ada was called' },
    {
      message: 'can be stopped',
      does: hangs(),
      state: 'skipped',
      sentence: 'ada was not called: the question is answered',
    },
  ])('takes an answer while a message $message', async ({ does, state, sentence }) => {
    const run = await calling({ 'call ada': does });
    await run.world.begins('call ada');
    await run.decide('retry');
    if (state === 'done') run.world.release('call ada');
    const report = await run.ends();
    expect(outline(report)).toMatchObject({ state: 'succeeded', decisions: ['retry by ada'] });
    expect(report.steps).toMatchObject([
      { title: 'act drain', state: 'done', attempts: 2 },
      { title: 'Call ada', state, sentence },
      { title: 'act move', state: 'done' },
    ]);
  });

  it('sends the timeline and the question', async () => {
    const run = await calling();
    await run.decide('retry');
    await run.ends();
    expect(run.world.notices[0]).toMatchObject({
      key: `${run.id}/2/0`,
      notice: {
        to: 'ada',
        webhook: 'http://127.0.0.1:1/ada',
        run: run.id,
        subject: 'lab-ask on node/us-east-1/a/n1 needs attention',
        body: expect.stringContaining('act drain: no such server. Answer with retry, skip, or abort'),
      },
    });
  });
});
