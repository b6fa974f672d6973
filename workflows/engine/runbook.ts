import {
  ApplicationFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  isCancellation,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { compare, planOf } from '../../core/plan';
import { millis } from '../../core/time';
import type { Holding, Yield } from '../../core/coordination';
import type {
  AlertRef,
  DecisionKind,
  Outcome,
  RunReport,
  RunRequest,
  StepRecord,
  Trigger,
  Warrant,
} from '../../core/run';
import { findRunbook, scopeOf, type Runbook } from '../../core/runbook';
import { contains } from '../../core/scope';
import { precedenceOf } from '../../core/coordination';
import { initialAttributes } from '../attributes';
import { catalogue } from '../catalogue';
import { alertsAttached, leverMoved, report as reportQuery, scopeGranted, yieldTo } from '../messages';
import { call, quick } from '../proxies';
import { summarize } from './interceptors';
import { Ledger, now } from './ledger';
import { Operator } from './operator';
import type { Beneath } from './nested';
import { Aborted, Ended, StepFailed, Yielded, causeOf } from './outcome';
import { Run } from './run';

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
    const engine = new Engine(declared, ledger, raw, warrant);
    return engine.carryOut((run) => procedure(run, request.input as Input));
  };
}

/** What is said to a run is said to those that are steps of it too; an abort waits for their ends. */
const PASSED_ON: readonly DecisionKind[] = ['pause', 'resume', 'force'];

/** Between two questions to a coordinator that did not answer. */
const ASK_AGAIN = '1s';

/** The kinds of steps that change the world. */
const ACTS: readonly StepRecord['kind'][] = ['act', 'run'];

/** One execution of a runbook: what stands around its steps. */
class Engine {
  private readonly operator: Operator;
  private run: Run | undefined;
  /** Whether the coordinator knows of this run, or may. */
  private underLock = false;
  private reminding: Promise<void> | undefined;
  /** Who stands behind the run by now, where that is another one than at first. */
  private behind: Trigger | undefined;
  /** Undefined until it had something. */
  private inHand: string[] | undefined;
  /** Set once the coordinator says that a scope it had promised is this run's. */
  private hasScope = false;
  /** An alert that would have started this runbook by itself, without approval. */
  private calledFor: AlertRef | undefined;

  constructor(
    private readonly declared: Runbook,
    private readonly ledger: Ledger,
    /** As it came, unchecked until the briefing. */
    private readonly request: RunRequest | undefined,
    /** Its `granted` is there where the coordinator has checked the request and claimed the scope for it. */
    private readonly warrant: Warrant | undefined,
  ) {
    const { report } = ledger;
    this.operator = new Operator(report, declared, ({ kind, by, reason }) => {
      if (kind === 'abort') this.run?.interrupt();
      if (kind === 'force') this.run?.force();
      if (PASSED_ON.includes(kind)) this.run?.pass(kind, { by, reason });
      ledger.show();
    });
    if (warrant?.forced && declared.forced !== undefined) this.operator.force(warrant.forced);
    setHandler(reportQuery, () => report, {
      description: 'The run so far: state, timeline, evidence, decisions.',
    });
    setHandler(alertsAttached, (alerts, trigger) => {
      report.alerts.push(...alerts);
      if (trigger && !declared.approvals[trigger]) this.calledFor = alerts[0];
      ledger.show();
    });
    setHandler(scopeGranted, () => void (this.hasScope = true));
    setHandler(yieldTo, (winner) => {
      this.operator.winner ??= winner;
      this.run?.stepAside();
    });
    setHandler(leverMoved, (lever) => {
      this.operator.lever = lever ?? undefined;
      if (lever) this.run?.interruptLook();
    });
  }

  async carryOut(steps: (run: Run) => Promise<string>): Promise<RunReport> {
    const { ledger } = this;
    try {
      await this.prepare();
      const sentence = await steps(this.run!);
      if (this.operator.abortion && !this.tooLate) throw new Aborted('aborted during the last step');
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
    if (trigger === 'unknown' || this.warrant?.begun)
      upsertSearchAttributes(initialAttributes({ ...report, runbook: id }).getAll());
    const granted = this.warrant?.granted;
    const briefing = granted ?? (await quick.briefing({ runbook: id, request: this.request }));
    const { rtoMs, rpoMs } = briefing;
    report.objective = { rtoMs, ...(rpoMs === undefined ? {} : { rpoMs }) };
    if (briefing.forecast) report.forecast = briefing.forecast;
    const begun = this.warrant?.begun ?? false;
    this.run = new Run(this.ledger, this.operator, briefing, this.declared.onFailure, begun, {
      lend: (to) => CancellationScope.nonCancellable(() => this.lend(to)),
      keepInHand: (nodes) => this.keepInHand(nodes.map((node) => `node/${node}`)),
      beneath: (what, work) => this.beneath(what, work),
    });
    if (mode === 'plan') return;
    this.underLock = true;
    if (granted) await this.turn(this.warrant?.waitsFor);
    else {
      const grant = await quick.acquireScope({
        run,
        runbook: id,
        scope,
        mode,
        trigger,
        ...(report.reason === undefined ? {} : { reason: report.reason }),
      });
      if ('refused' in grant) throw new Ended('refused', grant.refused);
      await this.turn('waitsFor' in grant ? grant.waitsFor : undefined);
    }
    if (granted) this.remind(trigger);
    await this.approval();
    if (this.warrant?.doubt) await this.run.doubt('Ask before acting again', this.warrant.doubt);
  }

  /** Whether a run that has not begun is to end: that has nothing to go on with, so that it does not wait for a rescue either. */
  private get callsOff(): boolean {
    return this.operator.abortion !== undefined || this.operator.winner !== undefined;
  }

  /** Waits until those in the way have made room; `runs`: who they are, where there are any. */
  private async turn(runs: readonly string[] | undefined): Promise<void> {
    if (!runs) return;
    const { ledger, operator } = this;
    ledger.enter('waiting for lock', `waits until ${runs.join(' and ')} made room`);
    await condition(() => this.hasScope || this.callsOff);
    if (operator.abortion) throw new Aborted('aborted while waiting for its scope');
    if (operator.winner) throw new Yielded('made room while waiting for its scope');
    ledger.enter('running', `${ledger.report.scope} is its own`);
  }

  /** Lets a rescue have the scope, and waits until it is this run's again. The coordinator is asked until it answers. */
  private async lend({ to, runbook: id, scope }: Yield): Promise<void> {
    const { ledger, operator } = this;
    const { state, sentence, scope: own } = ledger.report;
    ledger.enter(
      'waiting for lock',
      `${own} is lent to ${to}: ${id} on ${scope} goes first; after it this goes on`,
    );
    this.hasScope = false;
    summarize('Lend the scope');
    while (!(await this.lent())) await sleep(ASK_AGAIN);
    await condition(() => this.hasScope);
    operator.winner = undefined;
    ledger.enter(state, sentence);
  }

  private lent(): Promise<boolean> {
    return call.lendScope(this.holding).then(
      () => true,
      () => false,
    );
  }

  /** Tells the coordinator what the run has taken out of service itself. Where it cannot be told, a rescue may come that finds nothing to do. */
  private async keepInHand(scopes: string[]): Promise<void> {
    this.inHand = scopes;
    summarize('Tell what it has in hand');
    const tell = () => call.recordHolding(this.holding).catch(() => undefined);
    await CancellationScope.nonCancellable(tell);
  }

  /**
   * A run beneath this one has no lock where this one's is around it. Planned work answers for what fails in its very scope; here that is
   * the scope of what is done beneath it, a database that is handed over for instance.
   */
  private async beneath<T>({ runbook: id, input }: Beneath, work: () => Promise<T>): Promise<T> {
    const { scope: own, mode } = this.ledger.report;
    const scope = scopeOf(findRunbook(catalogue, id), input);
    const within = mode !== 'plan' && scope !== own && contains(own, scope);
    if (!within || this.holding.precedence !== 'planned') return work();
    await this.keepInHand([scope]);
    try {
      return await work();
    } finally {
      await this.keepInHand([]);
    }
  }

  /** What the coordinator has to know of this run. */
  private get holding(): Holding {
    const { run, runbook: id, scope, mode, startedAt, trigger: own } = this.ledger.report;
    const trigger = this.behind ?? own;
    const { kind, whenRescued } = this.declared;
    const waits = whenRescued === 'waits' && { waits: true };
    return {
      run,
      runbook: id,
      scope,
      trigger,
      precedence: precedenceOf(kind, mode, trigger),
      since: startedAt,
      ...waits,
      ...(this.inHand && { inHand: this.inHand }),
    };
  }

  /**
   * Tells the coordinator what it has promised: it may have died between starting this run and recording that it did.
   * `trigger`: who stands behind the run by now.
   */
  private remind(trigger: Trigger): void {
    summarize('Record its lock');
    this.behind = trigger;
    this.reminding = call.recordHolding(this.holding).catch(() => undefined);
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
      return Boolean(enough() || operator.rejection || this.callsOff || this.calledFor);
    };
    await condition(decided, millis(wanted.timeout)).finally(() => delete report.approvalsMissing);
    if (operator.rejection)
      throw new Ended('refused', `rejected by ${operator.rejection.by}: ${operator.rejection.reason}`);
    if (operator.abortion) throw new Aborted('aborted while waiting for approval');
    if (operator.winner) throw new Yielded('made room while waiting for approval');
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
    this.remind(report.trigger === 'unknown' ? 'manual' : report.trigger);
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
    const done = error instanceof Ended && error.outcome !== 'refused';
    if (operator.abortion && !(done && this.tooLate))
      return this.abort(operator.abortion.by, operator.abortion.reason, operator.abortion.keep ?? false);
    if (operator.winner && error instanceof Yielded) return this.giveWay(operator.winner);
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
    const noReturn = this.run?.noReturn;
    if (noReturn !== undefined)
      return this.end(
        'escalated',
        `aborted by ${by} (${reason}) where there is no going back (${noReturn}); what was done is left as it is`,
      );
    await this.undo(`aborted by ${by} (${reason}) and undone`, 'aborted');
  }

  /** A rescue leaves what it did to the wider one that takes it over; anything else is undone. */
  private async giveWay({ to, runbook: id, scope }: Yield): Promise<void> {
    const { report } = this.ledger;
    const goesOn = this.declared.kind === 'failover' && report.mode === 'execute' && scope !== report.scope;
    if (goesOn) return this.end('absorbed', `absorbed by ${to}: ${id} on ${scope} takes over from here`);
    const sentence = `interrupted by ${to}: ${id} on ${scope} goes first`;
    if (!this.touched) return this.end('interrupted', `${sentence}; nothing was touched`);
    const noReturn = this.run?.noReturn;
    if (noReturn !== undefined)
      return this.end('interrupted', `${sentence}; what was done is left as it is, because ${noReturn}`);
    await this.undo(`${sentence}; what was done is undone`, 'interrupted');
  }

  /** Whether the abort of a run whose steps are done has nothing left to stop: there is no going back from them. */
  private get tooLate(): boolean {
    return this.run?.noReturn !== undefined && !this.operator.abortion?.keep;
  }

  /** Whether any act was begun. */
  private get touched(): boolean {
    const { mode, steps } = this.ledger.report;
    return mode !== 'plan' && steps.some(({ kind }) => ACTS.includes(kind));
  }

  private get changed(): boolean {
    return this.ledger.report.steps.some(({ kind, state }) => ACTS.includes(kind) && state === 'done');
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
    const planned = this.warrant?.planned;
    if (report.mode === 'plan') report.plan = planOf(report.steps);
    else if (planned) report.compared = compare(planned, report.steps);
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
    const { seenBy } = this.operator;
    if (this.underLock) {
      summarize('Give the scope back');
      await this.reminding; // what is sent together may arrive in any order
      await quick
        .giveBack({ run, scope, state, changed: this.changed, ...(seenBy ? { seenBy } : {}) })
        .catch(() => undefined);
    }
    await condition(allHandlersFinished);
  }
}
