import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { DecisionKind, DecisionRequest, RunReport, RunRequest, RunState } from '../../../core/run';
import { sendDecision } from '../../../operations/decide';
import { report } from '../../../workflows/messages';
import { until } from '../../harness/until';
import type { World } from './script';

type RunWorkflow = (request: RunRequest) => Promise<RunReport>;

/** A run in the lab, and what a test asks of it. */
export class LabRun {
  constructor(
    readonly handle: WorkflowHandle<RunWorkflow>,
    readonly world: World,
    private readonly env: TestWorkflowEnvironment,
  ) {}

  get id(): string {
    return this.handle.workflowId;
  }

  /** The report so far. */
  async report(): Promise<RunReport> {
    return this.handle.query(report);
  }

  /** The report once the run is in this state. */
  async reaches(state: RunState): Promise<RunReport> {
    return until(`${this.id} is ${state}`, async () => {
      const now = await this.report();
      return now.state === state && now;
    });
  }

  /**
   * The report once people have been called this often. The calls have ended: the test server cannot take that one is
   * cancelled by an answer while its own end is on the way.
   */
  async hasCalled(times = 1): Promise<RunReport> {
    return until(`${this.id} has called people ${times} times`, async () => {
      const now = await this.report();
      const calls = now.steps.filter(({ kind, state }) => kind === 'escalate' && state !== 'running');
      return calls.length >= times && now;
    });
  }

  /** Ada decides, because of a test, unless `request` says otherwise. @returns what follows, as the run says it. */
  async decide(kind: DecisionKind, request: Partial<DecisionRequest> = {}): Promise<string> {
    return this.send(kind, { by: 'ada', reason: 'test', ...request });
  }

  /** A decision just as given, fit or not. */
  async send(kind: DecisionKind, request: DecisionRequest): Promise<string> {
    return sendDecision(this.handle, kind, request);
  }

  /** Cancels the workflow as the Temporal UI does. */
  async cancel(): Promise<void> {
    await this.rests();
    await this.handle.cancel();
  }

  /** Terminates the workflow as the Temporal UI does. */
  async terminate(): Promise<void> {
    await this.rests();
    await this.handle.terminate('a hunch');
  }

  /** Lets this much time pass, in a moment. Not while a call is under way: it would have to last as long. */
  async sleeps(duration: `${number}m`): Promise<void> {
    await this.rests();
    await this.env.sleep(duration);
  }

  /** The final report. Time flies meanwhile: timers of the run fire as soon as nothing else happens. */
  async ends(): Promise<RunReport> {
    return this.handle.result();
  }

  /** Waits until no workflow task is under way: amid one the test server loses a cancellation, and skips no time. */
  private async rests(): Promise<void> {
    await until(`${this.id} rests`, async () => {
      const { events } = await this.handle.fetchHistory();
      const last = events?.at(-1);
      return !last?.workflowTaskScheduledEventAttributes && !last?.workflowTaskStartedEventAttributes;
    });
  }
}

/** What most tests look at in a report; a step as `title: state`, a decision as `kind by whom`. */
export function outline({ state, sentence, steps, decisions: made }: RunReport) {
  return {
    state,
    sentence,
    steps: steps.map((step) => `${step.title}: ${step.state}`),
    decisions: made.map(({ kind, by }) => `${kind} by ${by}`),
  };
}
