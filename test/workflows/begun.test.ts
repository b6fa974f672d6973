import { workflowType } from '../../core/runbook';
import { TASK_QUEUE, yieldTo } from '../../workflows/messages';
import { outline, useLab } from './lab';
import { BRIEFING } from './lab/activities';

const lab = useLab();
let runs = 0;

/** A run that is asked to make room before it has done anything. */
async function outrun(begun: boolean) {
  const run = `outrun-${(runs += 1)}`;
  await lab().env.client.workflow.signalWithStart(workflowType('lab-undo'), {
    workflowId: run,
    taskQueue: TASK_QUEUE,
    args: [{ input: { node: 'us-east-1/a/n1', lines: ['act drain', 'act ramp'] } }],
    memo: { warrant: { by: 'grace', trigger: 'alert', granted: BRIEFING, ...(begun ? { begun } : {}) } },
    signal: yieldTo,
    signalArgs: [{ to: 'wide', runbook: 'lab-zone', scope: 'zone/us-east-1/a' }],
  });
  return outline(await lab().run(run).ends());
}

test('a run that has to make room does nothing more, and nothing at all where nothing was begun', async () => {
  expect(await outrun(false)).toMatchObject({ state: 'absorbed', steps: [] });
});

test('an act that was begun with the run is its first step whatever has come meanwhile', async () => {
  expect(await outrun(true)).toMatchObject({ state: 'absorbed', steps: ['act drain: done'] });
});
