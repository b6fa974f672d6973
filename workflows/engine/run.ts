import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type {
  Briefing,
  Clock,
  Deed,
  DecisionKind,
  DecisionRequest,
  Finding,
  Intent,
  Mode,
  RunReport,
  StepRecord,
} from '../../core/run';
import { callPeople } from './escalation';
import type { Answer, Ledger } from './ledger';
import type { Operator } from './operator';
import { summarize } from './interceptors';
import { Nested, type Beneath, type NestedDeed } from './nested';
import { Aborted, Ended, StepFailed, Yielded, causeOf } from './outcome';

/** A step that changes the world. `act` and `undo` look first and do nothing where the world is already so. */
export interface Act<Evidence> {
  title: string;
  act: (how: Intent) => Promise<Deed<Evidence>>;
  /** Registered before the act is begun, so a half-done act is undone too. */
  undo?: Undo;
}

export interface Undo {
  title: string;
  act: (how: Intent) => Promise<Deed>;
}

/** One of several ways to the same end. */
export interface Way<T> {
  name: string;
  go: () => Promise<T>;
}

/**
 * A run, as its procedure sees it. Each verb is one step: it waits while an operator has paused the run, records what
 * was decided and why, and when its work fails for good it does what the runbook says.
 *
 * What holds between any two steps: every act done so far is in the report, and its undo is on the stack.
 */
export class Run {
  private readonly undos: Undo[] = [];
  /** Above 0 while another way remains: a failed step gives way instead of asking a person. */
  private tentative = 0;
  private current: { scope: CancellationScope; kind: StepRecord['kind'] } | undefined;
  private readonly nested: Nested;
  private again: { title: string; observe: () => Promise<Finding> } | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly operator: Operator,
    readonly briefing: Briefing,
    private readonly onFailure: 'ask' | 'undo',
  ) {
    this.nested = new Nested(ledger);
  }

  get mode(): Mode {
    return this.ledger.report.mode;
  }

  /** When anybody first saw the fault, as far as the run was told; ISO time. */
  get firstSeenAt(): string {
    const { alerts, startedAt } = this.ledger.report;
    return alerts.map(({ faultAt }) => faultAt).sort()[0] ?? startedAt;
  }

  /** Reads the world. The value is what the rest of the procedure builds on, so it cannot be skipped. */
  async look<T>(title: string, observe: () => Promise<Finding<T>>): Promise<T> {
    const { value } = await this.perform(title, 'look', observe, evidence);
    return value;
  }

  /** Changes the world; its undo is registered first. A guard's refusal ends the run as refused. */
  async act<Evidence>({ title, act, undo }: Act<Evidence>): Promise<Deed<Evidence>> {
    let tries = 0;
    const begin = (how: Intent) => {
      tries += 1;
      if (tries === 1 && undo && this.mode !== 'plan') this.undos.push(undo);
      return act(how);
    };
    const skipped = (sentence: string): Deed<Evidence> => ({ changed: false, sentence });
    try {
      return await this.perform(title, 'act', begin, (deed) => deed, skipped);
    } catch (error) {
      const refused = error instanceof Ended && error.outcome === 'refused';
      // An act refused at its first try has done nothing; an earlier try may have done half of it.
      if (refused && tries === 1 && undo && this.undos.at(-1) === undo) this.undos.pop();
      throw error;
    }
  }

  /**
   * Carries another runbook out as one step and waits for its end; what it lost counts as this run's loss too.
   * @returns its report; undefined where a person has skipped the step
   */
  async nest(what: Beneath): Promise<RunReport | undefined> {
    const { nested } = await this.perform<NestedDeed>(
      what.title,
      'run',
      (how, step) => this.nested.carryOut(step, how, what),
      (deed) => deed,
      (sentence) => ({ changed: false, sentence }),
    );
    const { sessionsLost, rowsLost } = nested?.actual ?? {};
    if (sessionsLost !== undefined) this.lost('sessions', sessionsLost);
    if (rowsLost !== undefined) this.lost('rows', rowsLost);
    return nested;
  }

  /** Passes a decision on to the runs that are steps of this one and under way. */
  pass(kind: DecisionKind, decision: DecisionRequest): void {
    this.nested.pass(kind, decision);
  }

  /** Sees what the acts before it brought about. A plan brings nothing about: there it is only listed, without a value. */
  async verify<T>(title: string, observe: () => Promise<Finding<T>>): Promise<T | undefined> {
    return this.seeEffect(title, 'look', observe);
  }

  /** Verifies the service as its clients have it; the run is `watching` meanwhile. */
  async watch<T>(title: string, observe: () => Promise<Finding<T>>): Promise<T | undefined> {
    if (this.mode !== 'plan') this.ledger.enter('watching', title);
    return this.seeEffect(title, 'watch', observe);
  }

  /** Takes the first way that works. When none does, a person is asked (or what was done is undone). */
  async firstThatWorks<T>(title: string, ways: readonly Way<T>[]): Promise<T> {
    const { value } = await this.perform(title, 'choose', async () => {
      const failures: string[] = [];
      for (const { name, go } of ways) {
        this.tentative += 1;
        try {
          return { sentence: `${name} worked`, value: await go() };
        } catch (error) {
          if (!(error instanceof StepFailed)) throw error;
          failures.push(`${name}: ${error.message}`);
        } finally {
          this.tentative -= 1;
        }
      }
      throw new StepFailed(`no way worked; ${failures.join('; ')}`);
    });
    return value;
  }

  /** What is looked at again when the run goes on after it was held, before its next step: the world has moved on. */
  afterPause(title: string, observe: () => Promise<Finding>): void {
    this.again = { title, observe };
  }

  /** Asks a person before anything is done; goes on once somebody answers with retry. */
  async doubt(title: string, why: string): Promise<void> {
    const step = this.ledger.open(title, 'look');
    this.ledger.close(step, 'failed', { sentence: why });
    const { by, reason } = await this.ask(step, why, false);
    this.ledger.reopen(step);
    this.ledger.close(step, 'done', { sentence: `${by} says to go on: ${reason}` });
  }

  /** Sets a milestone of the RTO clock, once. `at`: ISO time. */
  mark(milestone: keyof Clock, at: string | undefined): void {
    if (at !== undefined) this.ledger.mark(milestone, at);
  }

  /** Adds to the count of sessions, or of rows of the database, that were lost. */
  lost(what: 'sessions' | 'rows', count: number): void {
    const { actual } = this.ledger.report;
    actual[`${what}Lost`] = (actual[`${what}Lost`] ?? 0) + count;
  }

  /** Ends the run as recovered: service is proven. */
  recovered(sentence: string): never {
    throw new Ended('recovered', sentence);
  }

  /** Ends the run as succeeded, where there was nothing to recover. */
  succeeded(sentence: string): never {
    throw new Ended('succeeded', sentence);
  }

  /** Whether anything was begun that has an undo. */
  get changed(): boolean {
    return this.undos.length > 0;
  }

  /** Interrupts the step under way, if any. */
  interrupt(): void {
    this.current?.scope.cancel();
  }

  /** Interrupts the step under way where it only looks: an act is finished, a look can be had again. */
  interruptLook(): void {
    if (this.current && looks(this.current.kind)) this.current.scope.cancel();
  }

  /**
   * Undoes what was done, newest first. Nothing interrupts it and no failure stops it: each is reported.
   * @returns whether everything could be undone.
   */
  async rollBack(): Promise<boolean> {
    return CancellationScope.nonCancellable(async () => {
      let whole = true;
      for (let undo = this.undos.pop(); undo; undo = this.undos.pop()) {
        const step = this.ledger.open(undo.title, 'undo');
        summarize(undo.title);
        try {
          const deed = await undo.act(this.intent(step));
          this.ledger.close(step, deed.changed ? 'done' : 'unchanged', deed);
        } catch (error) {
          whole = false;
          this.ledger.close(step, 'failed', causeOf(error));
        }
      }
      return whole;
    });
  }

  private async seeEffect<T>(title: string, kind: 'look' | 'watch', observe: () => Promise<Finding<T>>) {
    const unseen = (sentence: string): Finding<T | undefined> => ({ sentence, value: undefined });
    const look = this.mode === 'plan' ? async () => unseen('would be verified') : observe;
    const { value } = await this.perform<Finding<T | undefined>>(title, kind, look, evidence, unseen);
    return value;
  }

  /** One step: boundary, work, record; on failure another way, a person, or the end. */
  private async perform<R extends { sentence: string }>(
    title: string,
    kind: StepRecord['kind'],
    work: (how: Intent, step: StepRecord) => Promise<R>,
    keep: (result: R) => Answer = (result) => result,
    skipped?: (sentence: string) => R,
  ): Promise<R> {
    if (this.operator.holding || this.operator.ending) await this.boundary();
    const step = this.ledger.open(title, kind);
    for (;;) {
      try {
        summarize(title);
        const result = await this.interruptible(kind, () => work(this.intent(step), step));
        this.ledger.close(step, this.stateAfter(kind, result), keep(result));
        return result;
      } catch (error) {
        if (isCancellation(error) && this.operator.holding && !this.operator.ending) {
          this.ledger.close(step, 'skipped', { sentence: 'interrupted: the run is held' });
          await this.boundary();
          this.ledger.reopen(step);
          continue;
        }
        const decision = await this.failed(step, error, skipped !== undefined);
        if (decision.kind === 'retry') {
          this.ledger.reopen(step);
          continue;
        }
        const sentence = `skipped by ${decision.by}: ${decision.reason}`;
        this.ledger.close(step, 'skipped', { sentence });
        return skipped!(sentence);
      }
    }
  }

  /** Between two steps: stops while held, ends when aborted or asked to make room. */
  private async boundary(): Promise<void> {
    const { operator, ledger } = this;
    if (operator.holding && !operator.ending) {
      const { state, sentence } = ledger.report;
      const { lever } = operator;
      const held = lever
        ? `held by the safety lever, which ${lever.by} has engaged (${lever.reason}),`
        : 'paused';
      ledger.enter('paused', `${held} before the next step, after: ${sentence}`);
      await condition(() => !operator.holding || operator.ending);
      ledger.enter(state, sentence);
    }
    this.endWhereDue('between two steps');
    const { again } = this;
    this.again = undefined; // not before the look itself
    if (again) await this.look(again.title, again.observe).finally(() => (this.again = again));
  }

  private endWhereDue(when: string): void {
    const { abortion, winner } = this.operator;
    if (abortion) throw new Aborted(`aborted ${when}`);
    if (winner) throw new Yielded(`made room for ${winner.to} ${when}`);
  }

  /** Records why a step failed and decides what follows: a decision of the operator, or an end that is thrown. */
  private async failed(
    step: StepRecord,
    error: unknown,
    canSkip: boolean,
  ): Promise<{ kind: 'retry' | 'skip'; by: string; reason: string }> {
    const ends = error instanceof Aborted || error instanceof Yielded || isCancellation(error);
    if (ends && this.operator.ending) {
      const why = this.operator.abortion ? 'is aborted' : 'makes room for another one';
      this.ledger.close(step, 'failed', { sentence: `interrupted: the run ${why}` });
      this.endWhereDue('in the middle of a step');
    }
    const { sentence, code } = causeOf(error);
    if (error instanceof Ended && error.outcome !== 'refused') {
      this.ledger.close(step, 'done', { sentence });
      throw error;
    }
    if (error instanceof Ended || code === 'GUARD_REFUSED') {
      this.ledger.close(step, 'refused', { sentence });
      throw new Ended('refused', sentence);
    }
    this.ledger.close(step, 'failed', { sentence });
    if (isCancellation(error)) throw error;
    const asks = this.tentative === 0 && this.onFailure === 'ask' && this.mode !== 'plan';
    if (!asks) throw new StepFailed(sentence);
    return this.ask(step, sentence, canSkip);
  }

  /** Holds the run in `needs attention` and calls people until one of them answers. */
  private async ask(
    step: StepRecord,
    why: string,
    canSkip: boolean,
  ): Promise<{ kind: 'retry' | 'skip'; by: string; reason: string }> {
    const { operator, ledger } = this;
    const { state, sentence } = ledger.report;
    operator.question = { canSkip };
    operator.acknowledged = false;
    ledger.enter(
      'needs attention',
      `${step.title}: ${why}. Answer with retry, ${canSkip ? 'skip, ' : ''}or abort`,
    );
    const calling = new CancellationScope();
    const called = calling.run(() => callPeople(ledger, operator, this.briefing.escalation));
    try {
      await condition(() => operator.answer !== undefined || operator.ending);
    } finally {
      calling.cancel();
      await called;
      operator.question = undefined;
    }
    const { answer } = operator;
    operator.answer = undefined;
    this.endWhereDue('while a step needed attention');
    ledger.enter(state, sentence);
    return answer!;
  }

  private async interruptible<R>(kind: StepRecord['kind'], work: () => Promise<R>): Promise<R> {
    const outer = this.current;
    const scope = new CancellationScope();
    this.current = { scope, kind };
    try {
      // A look that is interrupted is not waited for: it changes nothing, and notices only with its next heartbeat.
      return await scope.run(looks(kind) ? () => Promise.race([work(), scope.cancelRequested]) : work);
    } finally {
      this.current = outer;
    }
  }

  private stateAfter(kind: StepRecord['kind'], result: { sentence: string; changed?: boolean }) {
    if (kind !== 'act' && kind !== 'run') return 'done';
    if (!result.changed) return 'unchanged';
    return this.mode === 'plan' ? 'would change' : 'done';
  }

  private intent(step: StepRecord): Intent {
    return { mode: this.mode, key: `${this.ledger.report.run}/${step.id}` };
  }
}

function looks(kind: StepRecord['kind']): boolean {
  return kind === 'look' || kind === 'watch';
}

function evidence({ sentence, value }: Finding): { sentence: string; after: unknown } {
  return { sentence, after: value };
}
