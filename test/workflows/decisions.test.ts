import type { DecisionKind, DecisionRequest } from '../../core/run';
import { hangs, useLab, type LabRun } from './lab';

const lab = useLab();

/** The events of the run's history that tell of decisions. */
async function traces(run: LabRun): Promise<number> {
  const { events = [] } = await run.handle.fetchHistory();
  return (events ?? []).filter(
    (event) =>
      event.workflowExecutionUpdateAcceptedEventAttributes ??
      event.workflowExecutionUpdateCompletedEventAttributes,
  ).length;
}

describe('a decision', () => {
  let run: LabRun;
  beforeAll(async () => {
    run = await lab().start({ lines: ['act drain'], script: { 'act drain': hangs() } });
    await run.world.begins('act drain');
  });
  afterAll(async () => {
    run.world.release('act drain');
    await run.ends();
  });

  const needsBy = 'pause: by: must say who decides, e.g. {"by": "ada", "reason": "seen on the dashboard"}';
  const needsReason = 'pause: reason: must say why, e.g. {"by": "ada", "reason": "seen on the dashboard"}';

  it.each<{ request: unknown; message: string }>([
    { request: { by: 'ada' }, message: needsReason },
    { request: { by: 'ada', reason: '' }, message: needsReason },
    { request: { by: 'ada', reason: '   ' }, message: needsReason },
    { request: { by: 'ada', reason: 7 }, message: needsReason },
    { request: { reason: 'because' }, message: needsBy },
    { request: { by: null, reason: 'because' }, message: needsBy },
    { request: 'pause, please', message: needsBy },
    { request: undefined, message: needsBy },
  ])('without who and why is no decision: $request', async ({ request, message }) => {
    await expect(run.send('pause', request as DecisionRequest)).rejects.toMatchObject({
      cause: { type: 'BAD_INPUT', nonRetryable: true, message },
    });
  });

  it.each<{ kind: DecisionKind; message: string }>([
    { kind: 'approve', message: 'approve refused: the run waits for no approval, it is running' },
    { kind: 'reject', message: 'reject refused: the run waits for no approval, it is running' },
    { kind: 'resume', message: 'resume refused: the run is not paused, it is running' },
    {
      kind: 'force',
      message: 'force refused: lab-undo cannot be forced: it does nothing gracefully that could be given up',
    },
    { kind: 'retry', message: 'retry refused: no step waits for an answer, the run is running' },
    { kind: 'skip', message: 'skip refused: no step waits for an answer, the run is running' },
    { kind: 'acknowledge', message: 'acknowledge refused: nobody is being called, the run is running' },
  ])('that answers nothing is refused: $kind of a running run', async ({ kind, message }) => {
    await expect(run.decide(kind)).rejects.toMatchObject({
      cause: { type: 'DECISION_REFUSED', nonRetryable: true, message },
    });
  });

  it('that was refused leaves no trace in history or report', async () => {
    await expect(run.decide('resume')).rejects.toMatchObject({ cause: { type: 'DECISION_REFUSED' } });
    expect(await traces(run)).toBe(0);
    expect(await run.report()).toMatchObject({ state: 'running', decisions: [] });
  });

  it('is recorded with who, why and when', async () => {
    await run.decide('pause', { by: 'ada', reason: 'seen on the dashboard' });
    await run.decide('resume', { by: 'bob', reason: 'false alarm' });
    expect(await traces(run)).toBeGreaterThan(0);
    const { decisions } = await run.report();
    expect(decisions).toEqual([
      { kind: 'pause', by: 'ada', reason: 'seen on the dashboard', at: expect.stringMatching(/^\d{4}-.*Z$/) },
      { kind: 'resume', by: 'bob', reason: 'false alarm', at: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
  });

  it('comes too late for a run that is over', async () => {
    const over = await lab().start({ lines: [] });
    await over.ends();
    await expect(over.decide('abort')).rejects.toMatchObject({ name: 'WorkflowNotFoundError' });
  });
});
