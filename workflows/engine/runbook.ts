import {
  ApplicationFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { millis } from '../../core/time';
import type { AlertRef, Briefing, Outcome, RunReport, RunRequest, Warrant } from '../../core/run';
import { findRunbook, scopeOf, type Runbook } from '../../core/runbook';
import catalogueJson from '../../runbooks/catalogue.json';
import { initialAttributes } from '../attributes';
import { alertAttached, holds, released, report as reportQuery } from '../messages';
import { quick } from '../proxies';
import { Ledger, now } from './ledger';
import { Operator } from './operator';
import { Aborted, Ended, StepFailed, causeOf } from './outcome';
import { Run } from './run';

const catalogue = catalogueJson as unknown as readonly Runbook[];

/** A procedure: the steps of a runbook, in order. It ends by returning a sentence, or by one of the run's endings. */
export type Procedure<Input> = (run: Run, input: Input) => Promise<string>;

/**
 * Makes a workflow of a procedure. Around every procedure the engine puts, in this order and never another:
 * check the request → learn objective and policies → take the scope's lock → wait for approval → the steps →
 * undo where it failed or was aborted → report → give the lock back. What ends a run in an orderly way completes the workflow
 * with its report; only a request that is no request, or a defect, fails it.
 */
export function runbook<Input>(
  id: string,
  procedure: Procedure<Input>,
): (request: RunRequest) => Promise<RunReport> {
  const declared = findRunbook(catalogue, id);
  return async (raw) => {
    const request = { ...raw, input: { ...raw?.input } };
    const warrant = workflowInfo().memo?.['warrant'] as Warrant | undefined;
    const ledger = new Ledger(id, scopeOf(declared, request.input), request, warrant);
    const engine = new Engine(declared, ledger, raw, warrant?.granted);
    return engine.carryOut((run) => procedure(run, request.input as Input));
  };
}

/** One execution of a runbook: what stands around its steps. */
class Engine {
  private readonly operator: Operator;
  private run: Run | undefined;
  private coordinator: string | undefined;
  /** An alert that would have started this runbook by itself, without approval. */
  private calledFor: AlertRef | undefined;

  constructor(
    private readonly declared: Runbook,
    private readonly ledger: Ledger,
    /** As it came, unchecked until the briefing. */
    private readonly request: RunRequest | undefined,
    /** There where the coordinator has checked the request and holds the lock for it. */
    private readonly granted: Briefing | undefined,
  ) {
    const { report } = ledger;
    this.operator = new Operator(report, ({ kind }) => {
      if (kind === 'abort') this.run?.interrupt();
      ledger.show();
    });
    setHandler(reportQuery, () => report, {
      description: 'The run so far: state, timeline, evidence, decisions.',
    });
    setHandler(alertAttached, (alert, trigger) => {
      report.alerts.push(alert);
      if (trigger && !declared.approvals[trigger]) this.calledFor = alert;
      ledger.show();
    });
  }

  async carryOut(steps: (run: Run) => Promise<string>): Promise<RunReport> {
    const { ledger } = this;
    try {
      await this.prepare();
      const sentence = await steps(this.run!);
      if (this.operator.abortion) throw new Aborted('aborted during the last step');
      this.end(ledger.report.mode === 'plan' ? 'planned' : 'succeeded', sentence);
    } catch (error) {
      await this.conclude(error);
    }
    await CancellationScope.nonCancellable(() => this.leave());
    return ledger.report;
  }

  /** Everything before the first step. */
  private async prepare(): Promise<void> {
    const { report } = this.ledger;
    const { run, runbook: id, scope, mode, trigger } = report;
    // A start form copies the attributes of the run it was filled from: they say nothing of this one.
    if (trigger === 'unknown') upsertSearchAttributes(initialAttributes({ ...report, runbook: id }).getAll());
    const briefing = this.granted ?? (await quick.briefing({ runbook: id, request: this.request }));
    report.objective = { rtoMs: briefing.rtoMs };
    this.run = new Run(this.ledger, this.operator, briefing, this.declared.onFailure);
    if (mode === 'plan') return;
    this.coordinator = briefing.coordinator;
    if (this.granted) this.remind();
    else {
      const grant = await quick.acquireScope({ run, runbook: id, scope, mode, trigger });
      if (!grant.granted)
        throw new Ended('refused', `${scope} is held by ${grant.holder.run} since ${grant.holder.since}`);
    }
    await this.approval();
  }

  /** Tells the coordinator what it has promised: it may have died between starting this run and recording that it did. */
  private remind(): void {
    const { run, runbook: id, scope, trigger, startedAt } = this.ledger.report;
    void getExternalWorkflowHandle(this.coordinator!)
      .signal(holds, { run, runbook: id, scope, trigger, since: startedAt })
      .catch(() => undefined);
  }

  /**
   * Waits until enough people have agreed; who asked for the run does not count. A fault that starts this runbook without
   * asking anybody ends the waiting too: a run that waits must not hold up the one it keeps from starting.
   */
  private async approval(): Promise<void> {
    const { ledger, operator } = this;
    const { report } = ledger;
    const wanted = this.declared.approvals[report.trigger];
    if (!wanted) return;
    const enough = () => operator.approvals.length >= wanted.quorum;
    report.approvalsMissing = wanted.quorum;
    const until = new Date(Date.now() + millis(wanted.timeout)).toISOString().slice(11, 16);
    const people = wanted.quorum === 1 ? 'one person' : `${wanted.quorum} people`;
    ledger.enter('waiting for approval', `waits until ${until} UTC for the approval of ${people}`);
    const decided = () => {
      report.approvalsMissing = wanted.quorum - operator.approvals.length;
      return Boolean(enough() || operator.rejection || operator.abortion || this.calledFor);
    };
    await condition(decided, millis(wanted.timeout)).finally(() => delete report.approvalsMissing);
    if (operator.rejection)
      throw new Ended('refused', `rejected by ${operator.rejection.by}: ${operator.rejection.reason}`);
    if (operator.abortion) throw new Aborted('aborted while waiting for approval');
    if (this.calledFor && !enough()) {
      const { source, summary } = this.calledFor;
      return ledger.enter(
        'running',
        `goes on without approval, because ${source} asks for the same: ${summary}`,
      );
    }
    const agreed = operator.approvals.map(({ by }) => by);
    if (!enough()) {
      const who = agreed.length === 0 ? 'nobody' : `only ${agreed.join(', ')}`;
      throw new Ended('refused', `${who} approved within ${wanted.timeout}`);
    }
    ledger.enter('running', `approved by ${agreed.join(', ')}`);
  }

  /** Turns whatever the steps threw into an outcome, undoing where that is due. An abort that was accepted comes first. */
  private async conclude(error: unknown): Promise<void> {
    const { operator } = this;
    if (isCancellation(error) && !operator.abortion) {
      operator.abortion = {
        kind: 'abort',
        by: 'somebody in Temporal',
        reason: 'cancellation requested',
        at: now(),
      };
      this.ledger.report.decisions.push(operator.abortion);
    }
    if (operator.abortion)
      return this.abort(operator.abortion.by, operator.abortion.reason, operator.abortion.keep ?? false);
    if (error instanceof Ended) {
      if (error.outcome === 'refused') return this.undo(error.message, 'refused');
      return this.end(this.ledger.report.mode === 'plan' ? 'planned' : error.outcome, error.message);
    }
    if (error instanceof StepFailed) {
      if (!this.touched) return this.end('failed', `nothing was touched, because ${error.message}`);
      return this.undo(`undone, because ${error.message}`);
    }
    const { sentence, code } = causeOf(error);
    this.end('failed', sentence);
    await CancellationScope.nonCancellable(() => this.leave());
    throw ApplicationFailure.nonRetryable(sentence, code ?? 'INTERNAL');
  }

  private async abort(by: string, reason: string, keep: boolean): Promise<void> {
    if (!this.touched) return this.end('aborted', `aborted by ${by} (${reason}); nothing was touched`);
    if (keep) return this.end('aborted', `aborted by ${by} (${reason}); what was done is left as it is`);
    await this.undo(`aborted by ${by} (${reason}) and undone`, 'aborted');
  }

  /** Whether any act was begun. */
  private get touched(): boolean {
    const { mode, steps } = this.ledger.report;
    return mode !== 'plan' && steps.some(({ kind }) => kind === 'act');
  }

  private async undo(sentence: string, outcome: Outcome = 'rolled back'): Promise<void> {
    if (this.run!.changed) this.ledger.enter('rolling back', sentence);
    const whole = await this.run!.rollBack();
    if (whole) this.end(outcome, sentence);
    else this.end('escalated', `${sentence}, but not everything could be undone; see the timeline`);
  }

  private end(outcome: Outcome, sentence: string): void {
    const { report } = this.ledger;
    report.endedAt = now();
    if (report.mode === 'plan') {
      const changing = report.steps.filter(({ state }) => state === 'would change');
      report.plan = {
        mutating: changing.length,
        readOnly: report.steps.length - changing.length,
        changes: changing.map((step) => step.sentence ?? step.title),
      };
    }
    this.ledger.enter(
      outcome,
      outcome === 'planned'
        ? `nothing was touched; ${report.plan?.mutating} steps would change something`
        : sentence,
    );
  }

  /** Gives the scope back; the coordinator finds out by itself where this does not reach it. */
  private async leave(): Promise<void> {
    const { run, scope, state } = this.ledger.report;
    if (this.coordinator) {
      const coordinator = getExternalWorkflowHandle(this.coordinator);
      await coordinator.signal(released, { run, scope, state }).catch(() => undefined);
    }
    await condition(allHandlersFinished);
  }
}
