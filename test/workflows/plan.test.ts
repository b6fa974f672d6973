import { BRIEFING, answers, fails, outline, useLab, type Asked, type Line } from './lab';

const lab = useLab();

const lines: Line[] = ['look pool', 'act drain', 'act restart', 'verify health', 'watch service'];

async function plan(asked: Partial<Asked> = {}) {
  const run = await lab().start({ lines, mode: 'plan', ...asked });
  return { run, report: await run.ends() };
}

describe('a plan', () => {
  it('looks, predicts what would change, and proves nothing', async () => {
    const { run, report } = await plan();
    expect(outline(report)).toEqual({
      state: 'planned',
      sentence: 'nothing was touched; 2 steps would change something',
      steps: [
        'look pool: done',
        'act drain: would change',
        'act restart: would change',
        'verify health: done',
        'watch service: done',
      ],
      decisions: [],
    });
    expect(report.plan).toEqual({
      mutating: 2,
      readOnly: 3,
      changes: ['drain would be changed', 'restart would be changed'],
    });
    expect(report.steps.slice(3)).toMatchObject([
      { sentence: 'would be verified' },
      { sentence: 'would be verified' },
    ]);
    expect(run.world.calls).toEqual(['look pool', 'act drain', 'act restart']);
  });

  it('has what it would come to, as it was known when it was asked for', async () => {
    const forecast = { runs: 3, rtoMs: 7_000, loss: 'no acknowledged row', rpoMs: 0 };
    const { report } = await plan({ warrant: { granted: { ...BRIEFING, forecast } } });
    expect(report.forecast).toEqual(forecast);
  });

  it('counts no act that would find the world already so', async () => {
    const { report } = await plan({
      script: { 'act drain': answers({ changed: false, sentence: 'it is drained already' }) },
    });
    expect(outline(report).steps).toContain('act drain: unchanged');
    expect(report.plan).toEqual({ mutating: 1, readOnly: 4, changes: ['restart would be changed'] });
  });

  it('takes the first way', async () => {
    const { run, report } = await plan({
      lines: [{ choose: { restart: ['act restart', 'verify health'], spare: ['act spare'] } }],
    });
    expect(report.plan).toMatchObject({ mutating: 1, changes: ['restart would be changed'] });
    expect(run.world.calls).toEqual(['act restart']);
  });

  it('is planned too where the run would have nothing to do, or would recover', async () => {
    const { report } = await plan({ lines: ['look pool', { end: 'succeeded', saying: 'nothing is wrong' }] });
    expect(outline(report)).toMatchObject({
      state: 'planned',
      sentence: 'nothing was touched; 0 steps would change something',
    });
  });

  it('is refused where a guard would refuse; there is nothing to undo', async () => {
    const { run, report } = await plan({
      script: { 'act restart': fails('it is the last healthy node', 'GUARD_REFUSED') },
    });
    expect(outline(report)).toEqual({
      state: 'refused',
      sentence: 'it is the last healthy node',
      steps: ['look pool: done', 'act drain: would change', 'act restart: refused'],
      decisions: [],
    });
    expect(run.world.calls).toEqual(['look pool', 'act drain', 'act restart']);
  });

  it.each(['lab-ask', 'lab-undo'] as const)(
    'of %s that cannot look has failed, and asks nobody',
    async (runbook) => {
      const { run, report } = await plan({ runbook, script: { 'act restart': fails('no such process') } });
      expect(outline(report)).toEqual({
        state: 'failed',
        sentence: 'nothing was touched, because no such process',
        steps: ['look pool: done', 'act drain: would change', 'act restart: failed'],
        decisions: [],
      });
      expect(run.world.calls).toEqual(['look pool', 'act drain', 'act restart']);
    },
  );

  it('takes no lock and needs no approval, whoever asked for it', async () => {
    const run = await lab().startInUi('lab-approval', {
      input: { node: 'us-east-1/a/n1', lines: ['act drain'] },
      mode: 'plan',
    });
    expect(await run.ends()).toMatchObject({ state: 'planned' });
    expect(run.world.calls).toEqual(['briefing', 'act drain']);
  });
});
