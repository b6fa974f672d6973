import { timeline } from '../../core/report';
import { fails, hangs, outline, useLab, type Asked } from './lab';

const lab = useLab();

/** A run that is forced in the middle, and what it comes to. */
interface Case extends Pick<Asked, 'lines' | 'script'> {
  name: string;
  /** The call that is under way when it is forced. */
  during: string;
  /** It is no part of what is given up: it goes on to its end. */
  goesOn?: true;
  steps: string[];
  calls: string[];
}

const soft: Asked['lines'] = [
  'look pool',
  { gracefully: ['act drain', 'watch drained', 'act move'], forced: ['act cut'] },
  'act lead',
];

const cases: Case[] = [
  {
    name: 'interrupts the graceful act that is under way, begins no other one, and goes its forced way',
    lines: soft,
    script: { 'act drain': hangs() },
    during: 'act drain',
    steps: ['look pool: done', 'act drain: skipped', 'act cut: done', 'act lead: done'],
    calls: ['look pool', 'act drain', 'act cut', 'act lead'],
  },
  {
    name: 'gives up waiting, and keeps what was done before',
    lines: soft,
    script: { 'look drained': hangs() },
    during: 'look drained',
    steps: [
      'look pool: done',
      'act drain: done',
      'watch drained: skipped',
      'act cut: done',
      'act lead: done',
    ],
    calls: ['look pool', 'act drain', 'look drained', 'act cut', 'act lead'],
  },
  {
    name: 'never begins the graceful part where it was forced before',
    lines: soft,
    script: { 'look pool': hangs() },
    during: 'look pool',
    goesOn: true,
    steps: ['look pool: done', 'act cut: done', 'act lead: done'],
    calls: ['look pool', 'act cut', 'act lead'],
  },
  {
    name: 'leaves an act alone that is no part of what is given up',
    lines: soft,
    script: { 'act lead': hangs() },
    during: 'act lead',
    goesOn: true,
    steps: ['look pool: done', 'act drain: done', 'watch drained: done', 'act move: done', 'act lead: done'],
    calls: ['look pool', 'act drain', 'look drained', 'act move', 'act lead'],
  },
  {
    name: 'gives up every way of a choice',
    lines: [{ gracefully: [{ choose: { slow: ['act slow'], other: ['act other'] } }], forced: ['act cut'] }],
    script: { 'act slow': hangs() },
    during: 'act slow',
    steps: ['choose: skipped', 'act slow: skipped', 'act cut: done'],
    calls: ['act slow', 'act cut'],
  },
];

describe('a run that is forced', () => {
  it.each(cases)('$name', async ({ lines, script, during, goesOn, steps, calls }) => {
    const run = await lab().start({ runbook: 'lab-forced', lines, ...(script && { script }) });
    await run.world.begins(during);
    expect(await run.decide('force', { by: 'bob', reason: 'the storm is early' })).toBe(
      'the run gives up what it does gracefully, and goes on by its forced way',
    );
    if (goesOn) run.world.release(during);
    const report = await run.ends();
    expect(outline(report)).toEqual({
      state: 'succeeded',
      sentence: 'every line was played',
      steps,
      decisions: ['force by bob'],
    });
    expect(run.world.calls).toEqual(calls);
  });

  it('says who has forced it, why, and what that allows', async () => {
    const run = await lab().start({
      runbook: 'lab-forced',
      lines: soft,
      script: { 'act drain': hangs() },
    });
    await run.world.begins('act drain');
    await run.decide('force', { by: 'bob', reason: 'the storm is early' });
    const report = await run.ends();
    expect(report.steps[1]!.sentence).toBe('given up: forced by bob (the storm is early)');
    expect(timeline(report)).toContain(
      '**Forced** by bob: the storm is early. Allowed is: what is done gracefully is given up for the forced way.',
    );
  });

  it('needs no answer any more to what failed of the graceful part', async () => {
    const run = await lab().start({
      runbook: 'lab-forced',
      lines: soft,
      script: { 'act drain': fails('it does not drain') },
    });
    await run.hasCalled();
    await run.decide('force');
    expect(outline(await run.ends())).toMatchObject({
      state: 'succeeded',
      steps: ['look pool: done', 'act drain: failed', 'Call ada: done', 'act cut: done', 'act lead: done'],
    });
  });

  it('stays paused where it is, and goes its forced way once it is resumed', async () => {
    const run = await lab().start({ runbook: 'lab-forced', lines: soft, script: { 'act drain': hangs() } });
    await run.world.begins('act drain');
    await run.decide('pause');
    await run.decide('force');
    await run.reaches('paused');
    expect(run.world.calls).not.toContain('act cut');
    await run.decide('resume');
    expect(outline(await run.ends())).toMatchObject({ state: 'succeeded' });
    expect(run.world.calls).toEqual(['look pool', 'act drain', 'act cut', 'act lead']);
  });

  it('undoes both ways where it is aborted afterwards', async () => {
    const run = await lab().start({
      runbook: 'lab-forced',
      lines: soft,
      script: { 'act drain': hangs(), 'act lead': hangs() },
    });
    await run.world.begins('act drain');
    await run.decide('force');
    await run.world.begins('act lead');
    await run.decide('abort');
    const { steps } = await run.ends();
    const undone = steps.filter(({ kind }) => kind === 'undo').map(({ title }) => title);
    expect(undone).toEqual(['undo lead', 'undo cut', 'undo drain']);
  });

  it('is so from its beginning as a step of one that was forced', async () => {
    const run = await lab().start({
      runbook: 'lab-forced',
      lines: soft,
      warrant: { under: 'evacuation', forced: { by: 'bob', reason: 'the storm is early' } },
    });
    const report = await run.ends();
    expect(report).toMatchObject({ forced: { by: 'bob' }, decisions: [] });
    expect(run.world.calls).toEqual(['look pool', 'act cut', 'act lead']);
  });

  it.each([
    { runbook: 'lab-undo', mode: 'execute', why: 'lab-undo cannot be forced' },
    { runbook: 'lab-forced', mode: 'plan', why: 'a plan does nothing' },
  ] as const)('is refused: $why', async ({ runbook, mode, why }) => {
    const run = await lab().start({ runbook, mode, lines: ['look pool'], script: { 'look pool': hangs() } });
    await run.world.begins('look pool');
    await expect(run.decide('force')).rejects.toMatchObject({
      cause: { type: 'DECISION_REFUSED', message: expect.stringContaining(why) },
    });
    run.world.release('look pool');
    expect((await run.ends()).forced).toBeUndefined();
  });

  it('is forced once', async () => {
    const run = await lab().start({
      runbook: 'lab-forced',
      lines: soft,
      script: { 'look pool': hangs() },
    });
    await run.world.begins('look pool');
    await run.decide('force', { by: 'bob', reason: 'the storm is early' });
    await expect(run.decide('force')).rejects.toMatchObject({
      cause: { message: 'force refused: bob has forced it already: the storm is early' },
    });
    run.world.release('look pool');
    await run.ends();
  });
});
