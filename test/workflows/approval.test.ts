import { alertsAttached } from '../../workflows/messages';
import { hangs, outline, useLab, type Asked } from './lab';

const lab = useLab();

/** A run that grace asked for in the Temporal UI, which two others have to approve within 30 minutes. */
async function waiting(script: Asked['script'] = {}) {
  const run = await lab().start({
    runbook: 'lab-approval',
    lines: ['act drain'],
    script,
    warrant: { trigger: 'unknown' },
  });
  await run.reaches('waiting for approval');
  return run;
}

describe('a run that needs approval', () => {
  it('acts once two people have agreed', async () => {
    const run = await waiting({ 'act drain': hangs() });
    expect(await run.report()).toMatchObject({
      sentence: expect.stringMatching(/^waits until \d\d:\d\d UTC for the approval of 2 people$/),
      approvalsMissing: 2,
      steps: [],
    });
    expect(await run.decide('approve', { by: 'ada' })).toBe('approved by ada');
    expect(await run.report()).toMatchObject({ state: 'waiting for approval', approvalsMissing: 1 });
    await run.decide('approve', { by: 'bob' });
    await run.world.begins('act drain');
    run.world.release('act drain');
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state: 'succeeded',
      sentence: 'every line was played',
      steps: ['act drain: done'],
      decisions: ['approve by ada', 'approve by bob'],
    });
    expect(report).not.toHaveProperty('approvalsMissing');
  });

  it.each([
    { who: 'somebody twice', by: ['ada', 'ada'], why: 'ada has approved already' },
    { who: 'somebody twice, spelt with a space', by: ['ada', ' ada '], why: 'ada has approved already' },
    {
      who: 'who asked for it',
      by: ['grace'],
      why: 'grace asked for the run; somebody else has to approve it',
    },
  ])('takes no approval by $who', async ({ by, why }) => {
    const run = await waiting();
    for (const name of by.slice(0, -1)) await run.decide('approve', { by: name });
    await expect(run.decide('approve', { by: by.at(-1)! })).rejects.toMatchObject({
      cause: { type: 'DECISION_REFUSED', message: `approve refused: ${why}` },
    });
    expect(await run.report()).toMatchObject({ state: 'waiting for approval' });
    await run.decide('reject', { by: 'carol' });
    await run.ends();
  });

  it.each([
    {
      how: 'rejected',
      decide: ['reject'] as const,
      state: 'refused',
      sentence: 'rejected by ada: test',
    },
    {
      how: 'rejected by somebody who had approved',
      decide: ['approve', 'reject'] as const,
      state: 'refused',
      sentence: 'rejected by ada: test',
    },
    {
      how: 'aborted',
      decide: ['abort'] as const,
      state: 'aborted',
      sentence: 'aborted by ada (test); nothing was touched',
    },
  ])('touches nothing when it is $how', async ({ decide, state, sentence }) => {
    const run = await waiting();
    for (const kind of decide) await run.decide(kind);
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state,
      sentence,
      steps: [],
      decisions: decide.map((kind) => `${kind} by ada`),
    });
    expect(report).not.toHaveProperty('approvalsMissing');
    expect(run.world.calls).toEqual([]);
  });

  it('is refused when nobody approved in time, or not enough', async () => {
    const run = await waiting();
    await run.decide('approve');
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state: 'refused',
      sentence: 'only ada approved within 30m',
      steps: [],
      decisions: ['approve by ada'],
    });
    const waited = Date.parse(report.endedAt!) - Date.parse(report.startedAt);
    expect(waited).toBeGreaterThanOrEqual(30 * 60_000);
    expect(waited).toBeLessThan(31 * 60_000);
  });

  it('is refused when nobody approved within its time', async () => {
    const run = await waiting();
    expect(await run.ends()).toMatchObject({ state: 'refused', sentence: 'nobody approved within 30m' });
  });

  it('says no longer what it waits for when it is cancelled in Temporal', async () => {
    const run = await waiting();
    await run.cancel();
    const report = await run.ends();
    expect(outline(report)).toMatchObject({ state: 'aborted', decisions: ['abort by somebody in Temporal'] });
    expect(report).not.toHaveProperty('approvalsMissing');
  });

  it('waits before its first step when it was paused meanwhile', async () => {
    const run = await waiting();
    await run.decide('pause');
    await run.decide('approve', { by: 'ada' });
    await run.decide('approve', { by: 'bob' });
    await run.reaches('paused');
    expect(run.world.calls).toEqual([]);
    await run.decide('resume');
    expect(await run.ends()).toMatchObject({ state: 'succeeded' });
  });

  it.each([{ mode: 'plan' as const }, { warrant: { trigger: 'manual' as const } }])(
    'needs none with %j',
    async (asked) => {
      const run = await lab().start({
        runbook: 'lab-approval',
        lines: ['act drain'],
        warrant: { trigger: 'unknown' },
        ...asked,
      });
      expect(outline(await run.ends())).toMatchObject({
        state: 'mode' in asked ? 'planned' : 'succeeded',
        decisions: [],
      });
    },
  );

  it('goes on where a fault asks for the same that needs no approval, and not for any other alert', async () => {
    const run = await waiting();
    const alert = (fingerprint: string) => ({
      source: 'monitor',
      fingerprint,
      summary: `${fingerprint} is down`,
      faultAt: '2026-11-21T12:00:00.000Z',
    });
    await run.handle.signal(alertsAttached, [alert('another runbook')]);
    await run.handle.signal(alertsAttached, [alert('this one, but it needs approval')], 'unknown');
    expect(await run.report()).toMatchObject({ state: 'waiting for approval' });
    await run.handle.signal(alertsAttached, [alert('a-n1')], 'monitor');
    expect(await run.ends()).toMatchObject({ state: 'succeeded', decisions: [] });
  });
});
