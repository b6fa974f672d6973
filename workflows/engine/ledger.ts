import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { timeline } from '../../core/report';
import type { Clock, RunReport, RunRequest, RunState, StepRecord, StepState, Warrant } from '../../core/run';
import { attributes } from '../attributes';

/** What a step's work answered, as far as the ledger keeps it. */
export interface Answer {
  sentence: string;
  before?: unknown;
  after?: unknown;
  at?: string;
  nested?: RunReport;
}

/** Keeps the run's report and shows every change of it: in Temporal's current details and search attributes. */
export class Ledger {
  readonly report: RunReport;

  constructor(runbook: string, scope: string, request: RunRequest, warrant: Warrant | undefined) {
    const { input, mode = 'execute', reason } = request;
    const {
      by = request.by ?? 'somebody in the Temporal UI',
      trigger = 'unknown',
      incident,
      under,
    } = warrant ?? {};
    this.report = {
      run: workflowInfo().workflowId,
      runbook,
      scope,
      mode,
      state: 'running',
      sentence: 'starting',
      input,
      by,
      trigger,
      ...(reason === undefined ? {} : { reason }),
      ...(incident ? { incident: incident.id } : {}),
      ...(under === undefined ? {} : { under }),
      startedAt: workflowInfo().startTime.toISOString(),
      clock: incident ? { faultAt: incident.faultAt } : {},
      objective: { rtoMs: 0 },
      actual: {},
      steps: [],
      decisions: [],
      alerts: incident?.alerts ?? [],
    };
  }

  /** Moves the run to another state. `sentence`: what it does or waits for now. */
  enter(state: RunState, sentence: string): void {
    const changed = this.report.state !== state;
    Object.assign(this.report, { state, sentence });
    if (changed) upsertSearchAttributes([{ key: attributes.runState, value: state }]);
    this.show();
  }

  open(title: string, kind: StepRecord['kind']): StepRecord {
    const step: StepRecord = {
      id: this.report.steps.length + 1,
      title,
      kind,
      state: 'running',
      startedAt: now(),
      attempts: 1,
    };
    this.report.steps.push(step);
    if (kind !== 'escalate') this.report.sentence = title; // while people are called, the question stays
    this.show();
    return step;
  }

  /** The step is tried again. */
  reopen(step: StepRecord): void {
    step.attempts += 1;
    step.state = 'running';
    delete step.endedAt;
    this.show();
  }

  close(step: StepRecord, state: StepState, { sentence, before, after, at, nested }: Answer): void {
    Object.assign(step, { state, sentence, endedAt: now() });
    if (before !== undefined) step.before = before;
    if (after !== undefined) step.after = after;
    if (at !== undefined) step.actedAt = at;
    if (nested !== undefined) step.nested = nested;
    this.show();
  }

  /** Sets a milestone of the RTO clock once; later calls do not move it. */
  mark(milestone: keyof Clock, at: string): void {
    const { clock, actual } = this.report;
    clock[milestone] ??= at;
    if (clock.faultAt && clock.provenAt)
      actual.rtoMs = Date.parse(clock.provenAt) - Date.parse(clock.faultAt);
  }

  /** Shows the report as it is in the Temporal UI. */
  show(): void {
    setCurrentDetails(timeline(this.report));
  }
}

/** The workflow's own clock: the same on replay. */
export function now(): string {
  return new Date().toISOString();
}
