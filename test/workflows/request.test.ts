import { answers, fails, outline, useLab, NODE, SCOPE } from './lab';

const lab = useLab();

const asked = { input: { node: NODE, lines: ['act drain'] } };

describe('a run started past every door', () => {
  it('is checked, told what it has to know, and takes its lock before it acts', async () => {
    const run = await lab().startInUi('lab-undo', { ...asked, by: 'grace', reason: 'a hunch' });
    const report = await run.ends();
    expect(outline(report)).toMatchObject({ state: 'succeeded', steps: ['act drain: done'] });
    expect(report).toMatchObject({
      by: 'grace',
      reason: 'a hunch',
      trigger: 'unknown',
      objective: { rtoMs: 5_000 },
    });
    expect(run.world.calls).toEqual(['briefing', 'acquireScope', 'act drain']);
  });

  it('is by somebody in the Temporal UI where it names nobody', async () => {
    const run = await lab().startInUi('lab-undo', asked);
    expect(await run.ends()).toMatchObject({
      by: 'somebody in the Temporal UI',
      mode: 'execute',
      scope: SCOPE,
    });
  });

  it.each([
    { what: 'no input', request: undefined, field: 'input' },
    { what: 'an empty object', request: {}, field: 'input' },
    { what: 'a text', request: 'restart n1', field: '' },
    { what: 'a list', request: [asked], field: '' },
    { what: 'no node', request: { input: { lines: [] } }, field: 'input.node' },
    { what: 'a node that is no text', request: { input: { node: 1, lines: [] } }, field: 'input.node' },
    { what: 'an unknown input', request: { input: { ...asked.input, force: true } }, field: 'input.force' },
    { what: 'an unknown mode', request: { ...asked, mode: 'dry' }, field: 'mode' },
    { what: 'an unknown field', request: { ...asked, warrant: {} }, field: 'warrant' },
  ])('fails at once with $what, and the sentence names the field', async ({ request, field }) => {
    const run = await lab().startInUi('lab-undo', request);
    await expect(run.ends()).rejects.toMatchObject({
      cause: {
        type: 'BAD_INPUT',
        nonRetryable: true,
        message: expect.stringMatching(new RegExp(`^lab-undo: .*${field}`)),
      },
    });
    expect(run.world.calls).toEqual(['briefing']);
    expect(await run.report()).toMatchObject({ state: 'failed', steps: [] });
  });

  it('fails at once with a scope that names nothing of the environment', async () => {
    const run = await lab().startInUi('lab-undo', asked, {
      briefing: fails(`there is no node "${NODE}"`, 'UNKNOWN_TARGET'),
    });
    await expect(run.ends()).rejects.toMatchObject({
      cause: { type: 'UNKNOWN_TARGET', nonRetryable: true, message: `there is no node "${NODE}"` },
    });
    expect(run.world.calls).toEqual(['briefing']);
  });

  it('is refused where another run holds its scope, and touches nothing', async () => {
    const run = await lab().startInUi('lab-undo', asked, {
      acquireScope: answers({ refused: `${SCOPE} is held by node-failover-7 since 12:05` }),
    });
    expect(outline(await run.ends())).toEqual({
      state: 'refused',
      sentence: `${SCOPE} is held by node-failover-7 since 12:05`,
      steps: [],
      decisions: [],
    });
    expect(run.world.calls).toEqual(['briefing', 'acquireScope']);
  });

  it('cannot vouch for itself: only a memo can, which no form fills in', async () => {
    const run = await lab().startInUi('lab-approval', { ...asked, by: 'grace' });
    await run.reaches('waiting for approval');
    await expect(run.decide('approve', { by: 'grace' })).rejects.toMatchObject({
      cause: { message: 'approve refused: grace asked for the run; somebody else has to approve it' },
    });
    await run.decide('reject', { by: 'ada' });
    await run.ends();
  });
});
