import { alertsAttached } from '../../workflows/messages';
import { answers, fails, hangs, outline, useLab, works } from './lab';

const lab = useLab();

describe('a step', () => {
  it('is recorded with its sentence, its evidence and its times, in the order of the procedure', async () => {
    const run = await lab().start({
      lines: ['look pool', 'act drain', { quickly: 'act restart' }, 'verify health', 'watch service'],
    });
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state: 'succeeded',
      sentence: 'every line was played',
      steps: [
        'look pool: done',
        'act drain: done',
        'act restart: done',
        'verify health: done',
        'watch service: done',
      ],
      decisions: [],
    });
    const change = { sentence: 'restart was changed', before: 'old', after: 'new' };
    expect(report.steps).toMatchObject([
      { id: 1, kind: 'look', attempts: 1, sentence: 'pool is fine', after: 'pool as seen' },
      { id: 2, kind: 'act', attempts: 1, sentence: 'drain was changed', before: 'old', after: 'new' },
      { id: 3, kind: 'act', attempts: 1, ...change },
      { id: 4, kind: 'look', attempts: 1, sentence: 'health is fine', after: 'health as seen' },
      { id: 5, kind: 'watch', attempts: 1, sentence: 'service is fine', after: 'service as seen' },
    ]);
    for (const { startedAt, endedAt } of report.steps)
      expect(isTime(startedAt) && isTime(endedAt)).toBe(true);
    expect(isTime(report.endedAt)).toBe(true);
  });

  it('that found the world already so is unchanged, and says when it acted if it did', async () => {
    const at = '2026-11-21T12:05:33.412Z';
    const run = await lab().start({
      lines: ['act drain', 'act restart'],
      script: {
        'act drain': answers({ changed: false, sentence: 'it is drained already' }),
        'act restart': answers({ changed: true, sentence: 'it was restarted', at }),
      },
    });
    const { steps } = await run.ends();
    expect(steps).toMatchObject([
      { state: 'unchanged', sentence: 'it is drained already' },
      { state: 'done', actedAt: at },
    ]);
    expect(steps[0]).not.toHaveProperty('actedAt');
  });

  it('outlives a passing failure of its system, which is tried again with the same key', async () => {
    const run = await lab().start({
      lines: ['look pool', 'act drain'],
      script: { 'act drain': [fails('no answer', 'LB_UNREACHABLE'), fails('?', 'LB_UNREACHABLE'), works] },
    });
    const report = await run.ends();
    expect(outline(report)).toMatchObject({
      state: 'succeeded',
      steps: ['look pool: done', 'act drain: done'],
    });
    expect(run.world.calls).toEqual(['look pool', 'act drain', 'act drain', 'act drain']);
    expect(run.world.keys).toEqual({ 'act drain': [`${run.id}/2`, `${run.id}/2`, `${run.id}/2`] });
  });
});

describe('a run', () => {
  it.each(['recovered', 'succeeded'] as const)('ends at once where its procedure says %s', async (end) => {
    const run = await lab().start({ lines: ['act drain', { end, saying: 'it serves' }, 'act restart'] });
    expect(outline(await run.ends())).toMatchObject({
      state: end,
      sentence: 'it serves',
      steps: ['act drain: done'],
    });
  });

  it('measures its RTO from the first fault to the first proof, and adds up the sessions lost', async () => {
    const run = await lab().start({
      lines: [
        { mark: 'faultAt', at: '2026-11-21T12:00:00.000Z' },
        { mark: 'isolatedAt', at: '2026-11-21T12:00:01.000Z' },
        { lose: 2 },
        { mark: 'provenAt', at: '2026-11-21T12:00:03.500Z' },
        { mark: 'faultAt', at: '2026-11-21T11:00:00.000Z' },
        { mark: 'isolatedAt', at: '2026-11-21T13:00:00.000Z' },
        { mark: 'provenAt', at: '2026-11-21T13:00:00.000Z' },
        { lose: 1 },
      ],
    });
    expect(await run.ends()).toMatchObject({
      clock: {
        faultAt: '2026-11-21T12:00:00.000Z',
        isolatedAt: '2026-11-21T12:00:01.000Z',
        provenAt: '2026-11-21T12:00:03.500Z',
      },
      objective: { rtoMs: 5_000 },
      actual: { rtoMs: 3_500, sessionsLost: 3 },
    });
  });

  it('takes fault and alerts from its incident, and attaches those that arrive while it works', async () => {
    const alert = (fingerprint: string) => ({
      source: 'test',
      fingerprint,
      summary: 'down',
      faultAt: '2026-11-21T12:00:00.000Z',
    });
    const run = await lab().start({
      lines: ['act drain', { mark: 'faultAt', at: '2026-11-21T12:30:00.000Z' }],
      script: { 'act drain': hangs() },
      warrant: {
        by: 'monitor',
        trigger: 'monitor',
        incident: { id: 'INC-1', faultAt: '2026-11-21T12:00:00.000Z', alerts: [alert('a')] },
      },
    });
    await run.world.begins('act drain');
    await run.handle.signal(alertsAttached, [alert('b')]);
    run.world.release('act drain');
    expect(await run.ends()).toMatchObject({
      incident: 'INC-1',
      by: 'monitor',
      trigger: 'monitor',
      clock: { faultAt: '2026-11-21T12:00:00.000Z' },
      alerts: [alert('a'), alert('b')],
    });
  });

  it('fails, and says so, where its procedure has a defect', async () => {
    const run = await lab().start({ lines: ['act drain', 'dance wildly' as never] });
    await expect(run.ends()).rejects.toMatchObject({
      cause: { type: 'INTERNAL', nonRetryable: true, message: expect.stringContaining('is not a function') },
    });
    expect(await run.report()).toMatchObject({
      state: 'failed',
      steps: [{ title: 'act drain', state: 'done' }],
    });
  });
});

/** Whether it is a time as reports write it. */
function isTime(text: string | undefined): boolean {
  return text !== undefined && new Date(text).toISOString() === text;
}
