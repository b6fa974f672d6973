import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import {
  isOver,
  type Decision,
  type DecisionKind,
  type DecisionRequest,
  type Forced,
  type RunReport,
} from '../../core/run';
import type { Lever, Yield } from '../../core/coordination';
import type { Runbook } from '../../core/runbook';
import { decisions } from '../messages';

/** What each decision does, as the Temporal UI shows it beside the update's name. */
const DESCRIPTION: Record<DecisionKind, string> = {
  approve: 'Agree that the run may act.',
  reject: 'Refuse the run; nothing is touched.',
  pause: 'Stop before the next step; the step under way is finished.',
  resume: 'Go on after a pause.',
  abort: 'Interrupt the run and undo what it did; with "keep": true it stays as it is.',
  force: 'Give up what is done gracefully for the forced way; where the runbook has one.',
  skip: 'Needs attention: go on without the step that failed.',
  retry: 'Needs attention: try the step that failed again.',
  acknowledge: 'Needs attention: I am on it, call nobody else.',
};

/** What a run that needs attention waits for. */
export interface Question {
  canSkip: boolean;
  /** It was aborted past its point of no return: nothing is undone, whatever the answer. */
  onlyKeep?: boolean;
}

export type Answer = Decision & { kind: 'retry' | 'skip' };

/**
 * The operator's side of a run. It records decisions and answers what follows; the engine looks at it at every step
 * boundary and while it waits. Refusals are synchronous (update validators), so a refused decision leaves no trace.
 */
export class Operator {
  paused = false;
  abortion: Decision | undefined;
  rejection: Decision | undefined;
  readonly approvals: Decision[] = [];
  acknowledged = false;
  /** Set by the engine while a failed step waits for an answer. */
  question: Question | undefined;
  answer: Answer | undefined;
  forced: Forced | undefined;
  /** Set while the safety lever stops automation, for a run that is automatic. */
  lever: Lever | undefined;
  /** The run that this one has to make room for. */
  winner: Yield | undefined;

  constructor(
    private readonly report: RunReport,
    private readonly declared: Pick<Runbook, 'forced' | 'whenRescued'>,
    /** Called after each decision, e.g. to interrupt the step under way. */
    private readonly onDecision: (decision: Decision) => void,
  ) {
    for (const kind of Object.keys(decisions) as DecisionKind[]) {
      setHandler(decisions[kind], (request) => this.decide(kind, request), {
        validator: (request) => this.validate(kind, request),
        description: `${DESCRIPTION[kind]} Send {"by": "your name", "reason": "why"}`,
      });
    }
  }

  /** Whether the run lends its scope to a winner, and goes on afterwards. */
  private get lends(): boolean {
    return this.declared.whenRescued === 'waits';
  }

  /** Whether nothing new may be begun for now. */
  get holding(): boolean {
    return this.paused || this.lever !== undefined || this.borrower !== undefined;
  }

  /** Whether the run is to end before its next step. */
  get ending(): boolean {
    return this.abortion !== undefined || (this.winner !== undefined && !this.lends);
  }

  /** The rescue that is to have the scope before the next step. */
  get borrower(): Yield | undefined {
    return this.lends ? this.winner : undefined;
  }

  /** The person who had a say in the run, if one had. */
  get seenBy(): string | undefined {
    const { decisions: made } = this.report;
    return made.findLast(({ kind }) => kind !== 'pause' && kind !== 'resume')?.by;
  }

  /** The graceful way is given up from now on. */
  force({ by, reason }: Forced): void {
    this.forced = { by, reason };
    this.report.forced = { by, reason, allows: this.declared.forced! };
  }

  /** Why the run does not take this decision now, or null. */
  whyNot(kind: DecisionKind, { by, keep }: DecisionRequest): string | null {
    const { state } = this.report;
    if (isOver(state)) return `the run is over (${state})`;
    if (state === 'rolling back') return 'the run is being undone, which nothing interrupts';
    switch (kind) {
      case 'approve':
      case 'reject':
        if (state !== 'waiting for approval') return `the run waits for no approval, it is ${state}`;
        return kind === 'approve' ? this.whyNotApprove(by) : null;
      case 'pause':
        return this.paused ? 'the run is paused already' : null;
      case 'resume':
        if (!this.paused && this.lever)
          return `the safety lever holds it: ${this.lever.by} engaged it (${this.lever.reason})`;
        return this.paused ? null : `the run is not paused, it is ${state}`;
      case 'abort':
        return this.abortion ? 'the run is being aborted already' : this.whyNotAbort(by, keep ?? false);
      case 'force':
        return this.whyNotForce();
      case 'retry':
      case 'skip':
        if (!this.question) return `no step waits for an answer, the run is ${state}`;
        if (this.answer) return `${this.answer.by} has answered already: ${this.answer.kind}`;
        return kind === 'skip' && !this.question.canSkip
          ? 'the rest of the run needs what this step finds; retry or abort'
          : null;
      case 'acknowledge':
        return this.question ? null : `nobody is being called, the run is ${state}`;
    }
  }

  /** Past its point of no return a run that is a step of another is finished: that one asks. */
  private whyNotAbort(by: string, keep: boolean): string | null {
    if (keep) return null;
    const { noReturn, under } = this.report;
    if (this.question?.onlyKeep)
      return 'past its point of no return it undoes nothing: send it with "keep": true, or retry to go on';
    return noReturn && by === under ? `there is no going back: ${noReturn.join('; ')}` : null;
  }

  private whyNotForce(): string | null {
    const { runbook, mode } = this.report;
    if (this.declared.forced === undefined)
      return `${runbook} cannot be forced: it does nothing gracefully that could be given up`;
    if (mode === 'plan') return 'a plan does nothing that could be forced';
    return this.forced ? `${this.forced.by} has forced it already: ${this.forced.reason}` : null;
  }

  private whyNotApprove(by: string): string | null {
    if (by === this.report.by.trim()) return `${by} asked for the run; somebody else has to approve it`;
    return this.approvals.some((approval) => approval.by === by) ? `${by} has approved already` : null;
  }

  private validate(kind: DecisionKind, request: DecisionRequest): void {
    for (const field of ['by', 'reason'] as const) {
      const value: unknown = (request as DecisionRequest | undefined)?.[field];
      if (typeof value === 'string' && value.trim()) continue;
      throw ApplicationFailure.nonRetryable(
        `${kind}: ${field}: must say ${field === 'by' ? 'who decides' : 'why'}, e.g. {"by": "ada", "reason": "seen on the dashboard"}`,
        'BAD_INPUT',
      );
    }
    const reason = this.whyNot(kind, { ...request, by: request.by.trim() });
    if (reason) throw ApplicationFailure.nonRetryable(`${kind} refused: ${reason}`, 'DECISION_REFUSED');
  }

  private decide(kind: DecisionKind, request: DecisionRequest): string {
    const decision: Decision = { ...request, by: request.by.trim(), kind, at: new Date().toISOString() };
    this.report.decisions.push(decision);
    this.apply(decision);
    this.onDecision(decision);
    return consequence(decision);
  }

  private apply(decision: Decision): void {
    switch (decision.kind) {
      case 'approve':
        this.approvals.push(decision);
        return;
      case 'reject':
        this.rejection = decision;
        return;
      case 'pause':
        this.paused = true;
        return;
      case 'resume':
        this.paused = false;
        return;
      case 'abort':
        this.abortion = decision;
        return;
      case 'force':
        this.force(decision);
        return;
      case 'acknowledge':
        this.acknowledged = true;
        return;
      case 'retry':
      case 'skip':
        this.answer = { ...decision, kind: decision.kind };
    }
  }
}

function consequence({ kind, by, keep }: Decision): string {
  const follows: Record<DecisionKind, string> = {
    approve: `approved by ${by}`,
    reject: `rejected by ${by}: the run ends without touching anything`,
    pause: 'the run stops before its next step',
    resume: 'the run goes on',
    abort: keep ? 'the run stops and leaves what it did as it is' : 'the run stops and undoes what it did',
    force: 'the run gives up what it does gracefully, and goes on by its forced way',
    skip: 'the run goes on without the failed step',
    retry: 'the failed step is tried again',
    acknowledge: `${by} is on it: nobody else is called`,
  };
  return follows[kind];
}
