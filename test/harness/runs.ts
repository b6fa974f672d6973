import type { RunReport, RunState } from '../../core/run';
import { workflowType } from '../../core/runbook';
import { TASK_QUEUE } from '../../operations';
import type { TestFleet } from './fleet';
import { until } from './until';

/** How long a run may take on a busy machine, ms. */
const LIMIT_MS = 100_000;
const by = 'ada';

/** Carries runs out for a test file. Every one is a person's. */
export interface TestRuns {
  /** Starts a run of its own: one that has just ended is joined until it has given the scope back. */
  start(runbook: string, input: Record<string, unknown>, mode?: 'plan' | 'execute'): Promise<string>;
  /** Starts a run that a person forces before its first step: as in the Temporal UI, where it waits for somebody. */
  startForced(runbook: string, input: Record<string, unknown>): Promise<string>;
  /** The report of a run that has ended; the test fails with its words where it ended otherwise. */
  carryOut(runbook: string, input: Record<string, unknown>, end: RunState, mode?: 'plan'): Promise<RunReport>;
  /** Aborts the run once this step is under way. @returns its report */
  abortIn(run: string, title: string): Promise<RunReport>;
}

/** @param fleet asked for inside tests, when it is up */
export function testRuns(fleet: () => TestFleet): TestRuns {
  const start: TestRuns['start'] = (runbook, input, mode = 'execute') =>
    until(`a run of ${runbook} is started`, async () => {
      const { run, joined } = await fleet().operations.start({ runbook, input, mode, by });
      return !joined && run;
    });
  return {
    start,
    async startForced(runbook, input) {
      const { client, operations, reaches } = fleet();
      const run = `${runbook}-forced-${Date.now()}`;
      await client.workflow.start(workflowType(runbook), {
        workflowId: run,
        taskQueue: TASK_QUEUE,
        args: [{ input }],
      });
      await reaches(run, 'waiting for approval');
      for (const decision of ['force', 'approve'] as const)
        await operations.decide(run, decision, { by, reason: 'the storm is early' });
      return run;
    },
    async carryOut(runbook, input, end, mode) {
      const report = await fleet().operations.wait(await start(runbook, input, mode), LIMIT_MS);
      if (report.state !== end) throw new Error(`${runbook} is ${report.state}: ${report.sentence}`);
      return report;
    },
    async abortIn(run, title) {
      const state = async () => stepOf(await fleet().operations.show(run), title)?.state;
      await until(`${run} is at "${title}"`, async () => (await state()) === 'running', LIMIT_MS);
      await fleet().operations.decide(run, 'abort', { by, reason: 'test' });
      return fleet().reaches(run, 'aborted');
    },
  };
}

/** The first step of this title. */
export function stepOf(report: RunReport, title: string) {
  return report.steps.find((one) => one.title === title);
}

/** What was undone, in that order, as `Stop it: done`. */
export function undone(report: RunReport): string[] {
  return report.steps.filter(({ kind }) => kind === 'undo').map(({ title, state }) => `${title}: ${state}`);
}
