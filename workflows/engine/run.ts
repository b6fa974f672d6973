import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { contains } from '../../core/scope';
import type { Yield } from '../../core/coordination';
import type {
  Briefing,
  Clock,
  Deed,
  DecisionKind,
  DecisionRequest,
  Finding,
  Intent,
  Mode,
  Outcome,
  RunReport,
  StepRecord,
} from '../../core/run';
import type { Act, Part, Way } from './acts';
import { People, type Answered } from './attention';
import type { Answer, Ledger } from './ledger';
import type { Operator } from './operator';
import { summarize } from './interceptors';
import { Nearby, type Near } from './near';
import { Nested, changes, type Beneath, type NestedDeed } from './nested';
import { Aborted, Ended, GivenUp, StepFailed, Yielded, causeOf } from './outcome';
import { WayBack, type Undo } from './way-back';

export type { Undo } from './way-back';

export type { Act, Part, Way } from './acts';

/** The coordinator, as a run speaks to it of its scope. */
export interface Coordinator {
  /** Lets a rescue have the scope, and returns once it is this run's again. */
  lend(to: Yield): Promise<void>;
  /** Which of its nodes the run has out of service now. */
  keepInHand(nodes: readonly string[]): Promise<void>;
  /** Does what another run does within this one's scope. */
  beneath<T>(what: Beneath, work: () => Promise<T>): Promise<T>;
}

/**
 * A run, as its procedure sees it. Each verb is one step: it waits while an operator has paused the run, records what
 * was decided and why, and when its work fails for good it does what the runbook says.
 *
 * What holds between any two steps: every act done so far is in the report, and its undo is on the stack.
 */
export class Run {
  private readonly back: WayBack;
  private readonly people: People;
  private readonly nearby: Nearby;
  /** Above 0 while what is done may be given up for the forced way. */
  private graceful = 0;
  /** Above 0 while another way remains: a failed step gives way instead of asking a person. */
  private tentative = 0;
  private current: { scope: CancellationScope; kind: StepRecord['kind'] } | undefined;
  private readonly nested: Nested;
  private readonly rescues: Yield[] = [];
  private readonly handled = new Set<string>();
  private again: { title: string; observe: () => Promise<Finding> } | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly operator: Operator,
    readonly briefing: Briefing,
    private readonly onFailure: 'ask' | 'undo',
    /** Whether the first step was begun with the run: nothing comes before it then. */
    private begun: boolean,
    private readonly coordinator: Coordinator,
  ) {
    this.back = new WayBack(ledger);
    this.nearby = new Nearby(briefing.attended ?? []);
    this.people = new People(ledger, operator, briefing.escalation, this.back, {
      givenUp: () => this.givenUp,
      makeRoom: (to) => this.makeRoom(to),
    });
    // What a run beneath this one cannot go back on, this one cannot either.
    this.nested = new Nested(ledger, operator, (noReturn) => this.back.note({ noReturn }));
  }

  /** Activities as a worker in the region of this place carries them out, see {@link Nearby}. @param place `us-east-1/a/n1` */
  near(place: string): Near {
    return this.nearby.of(place);
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
  async act<Evidence>({ title, act, ...trace }: Act<Evidence>): Promise<Deed<Evidence>> {
    let noted = false;
    const begin = async (how: Intent) => {
      const first = !noted && this.mode !== 'plan';
      if (first) this.back.note(trace);
      noted = true;
      try {
        return await act(how);
      } catch (error) {
        // An act refused at its first try has done nothing; an earlier try may have done half of it.
        if (first && isRefusal(error)) {
          this.back.forget(trace);
          noted = false;
        }
        throw error;
      }
    };
    const skipped = (sentence: string): Deed<Evidence> => ({ changed: false, sentence });
    return this.perform(title, 'act', begin, (deed) => deed, skipped);
  }

  /**
   * Carries another runbook out as one step and waits for its end; what it lost counts as this run's loss too.
   * @returns its report; undefined where a person has skipped the step
   */
  async nest(what: Beneath): Promise<RunReport | undefined> {
    const { nested } = await this.perform<NestedDeed>(
      what.title,
      'run',
      (how, step) => this.carryOut(step, how, what),
      (deed) => deed,
      (sentence) => ({ changed: false, sentence }),
    );
    if (what.undo && nested && changes(nested)) this.back.note({ undo: this.undoNested(what.undo) });
    const { sessionsLost, rowsLost } = nested?.actual ?? {};
    if (sessionsLost !== undefined) this.lost('sessions', sessionsLost);
    if (rowsLost !== undefined) this.lost('rows', rowsLost);
    return nested;
  }

  /** Whether a person has said that what is done gracefully is to be given up. */
  get forced(): boolean {
    return this.operator.forced !== undefined;
  }

  /**
   * A part of the procedure that gives way to a forced one: once a person forces the run, the step of it that is under way is
   * interrupted, no further one is begun, and what was done of it stays.
   * @returns what the part returns; undefined where it was given up
   */
  async gracefully<T extends {}>(part: () => Promise<T>): Promise<T | undefined> {
    this.graceful += 1;
    try {
      return this.givenUp ? undefined : await part();
    } catch (error) {
      if (error instanceof GivenUp) return undefined;
      throw error;
    } finally {
      this.graceful -= 1;
    }
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

  /**
   * The parts of an examination, each whether another one failed or not; those that need one that did are skipped, because they would
   * prove nothing. At the end what failed ends the run, all of it named; it is undone where acts of such a part were begun.
   */
  async examine(parts: readonly Part[]): Promise<void> {
    const [failures, skipped]: [string[], string[]] = [[], []];
    const missing = new Set<string>();
    let halfDone = false;
    for (const { title, needs = [], go } of parts) {
      const lacking = needs.filter((need) => missing.has(need));
      const acts = this.back.count;
      this.tentative += 1;
      try {
        if (lacking.length === 0) await go();
        else {
          const step = this.ledger.open(title, 'look');
          this.ledger.close(step, 'skipped', {
            sentence: `not done: it needs the ${lacking.join(' and the ')}`,
          });
          skipped.push(title);
          missing.add(title);
        }
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error;
        failures.push(error.message);
        missing.add(title);
        halfDone ||= this.back.count > acts;
      } finally {
        this.tentative -= 1;
      }
    }
    if (failures.length === 0) return;
    const sentence = [...failures, ...skipped.map((title) => `${title}: skipped`)].join('; ');
    // What was done by the parts that went well is as it should be.
    if (!halfDone && this.changed) throw new Ended('failed', sentence);
    throw new StepFailed(sentence);
  }

  /** What is looked at again when the run goes on after it was held, before its next step: the world has moved on. */
  afterPause(title: string, observe: () => Promise<Finding>): void {
    this.again = { title, observe };
  }

  /** The scopes with any of these nodes that were rescued while the run waited; one that was so twice is there twice. */
  rescuedOf(nodes: readonly string[]): string[] {
    return this.rescues
      .map(({ scope }) => scope)
      .filter((scope) => nodes.some((node) => contains(scope, `node/${node}`)));
  }

  /**
   * Takes these nodes out of service and brings them back, in `work`: what fails there meanwhile, or on the way back from it, is this
   * run's own doing and no reason for a rescue.
   */
  async inHand(nodes: readonly string[], work: () => Promise<void>): Promise<void> {
    if (this.mode === 'plan') return work();
    for (const node of nodes) this.handled.add(node);
    await this.coordinator.keepInHand(nodes);
    await work();
    await this.coordinator.keepInHand([]);
  }

  /** Asks a person before anything is done; goes on once somebody answers with retry. */
  async doubt(title: string, why: string): Promise<void> {
    const step = this.ledger.open(title, 'look');
    this.ledger.close(step, 'failed', { sentence: why });
    const { by, reason } = await this.people.ask(step, why, false);
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

  /** Notes of how long before the fault all that was committed is lost, milliseconds. */
  lostSince(ms: number): void {
    this.ledger.report.actual.rpoMs = ms;
  }

  /** Ends the run as recovered: service is proven. */
  recovered(sentence: string): never {
    throw new Ended('recovered', sentence);
  }

  /** Ends the run as succeeded, where there was nothing to recover. */
  succeeded(sentence: string): never {
    throw new Ended('succeeded', sentence);
  }

  /** Ends the run as an experiment ends, with everything as it is; see {@link Ended}. */
  verdict(outcome: Outcome, sentence: string): never {
    throw new Ended(outcome, sentence);
  }

  /** Whether anything was begun that has an undo. */
  get changed(): boolean {
    return this.back.count > 0;
  }

  /** Why there is no going back from what was done; undefined where there is. */
  get noReturn(): string | undefined {
    return this.back.noReturn;
  }

  /** Interrupts the step under way where it is part of what is given up. */
  force(): void {
    if (this.givenUp) this.interrupt();
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
   * Interrupts the step under way for a run that goes first. Of an act only waiting for what goes on by itself is; another run is finished,
   * unless it has not begun.
   */
  stepAside(): void {
    if (this.current?.kind === 'act') this.interrupt();
    else this.interruptLook();
  }

  /** Undoes what was done. @returns whether everything could be undone */
  async rollBack(): Promise<boolean> {
    if (this.handled.size > 0) await this.coordinator.keepInHand([...this.handled]);
    return this.back.go((step) => this.intent(step));
  }

  private get givenUp(): boolean {
    return this.graceful > 0 && this.forced;
  }

  private undoNested(what: Beneath): Undo {
    return { title: what.title, act: (how, step) => this.carryOut(step, how, what) };
  }

  private carryOut(step: StepRecord, how: Intent, what: Beneath): Promise<NestedDeed> {
    return this.coordinator.beneath(what, () => this.nested.carryOut(step, how, what));
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
    if (!this.begun && (this.operator.holding || this.operator.ending)) await this.boundary();
    if (this.givenUp) throw new GivenUp();
    this.begun = false;
    const step = this.ledger.open(title, kind);
    for (;;) {
      try {
        summarize(title);
        const result = await this.interruptible(kind, () => work(this.intent(step), step));
        this.ledger.close(step, this.stateAfter(kind, result), keep(result));
        return result;
      } catch (error) {
        if (this.givenUp && !this.operator.ending && (isCancellation(error) || error instanceof GivenUp)) {
          const { by, reason } = this.operator.forced!;
          this.ledger.close(step, 'skipped', { sentence: `given up: forced by ${by} (${reason})` });
          throw new GivenUp();
        }
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

  /** Between two steps: stops while held, lends its scope or ends when asked to make room, ends when aborted. */
  private async boundary(): Promise<void> {
    const { operator, ledger } = this;
    while (operator.holding && !operator.ending) {
      if (operator.borrower) {
        await this.makeRoom(operator.borrower);
        continue;
      }
      const { state, sentence } = ledger.report;
      const { lever } = operator;
      const why = lever
        ? `held by the safety lever, which ${lever.by} has engaged (${lever.reason}),`
        : 'paused';
      ledger.enter('paused', `${why} before the next step, after: ${sentence}`);
      const held = () => operator.paused || operator.lever !== undefined;
      await condition(() => !held() || operator.ending || operator.borrower !== undefined);
      ledger.enter(state, sentence);
    }
    await this.people.endWhereDue('between two steps');
    const { again } = this;
    this.again = undefined; // not before the look itself
    if (again) await this.look(again.title, again.observe).finally(() => (this.again = again));
  }

  /** A rescue goes first; whatever is decided meanwhile waits too, for without its scope the run may not even undo. */
  private async makeRoom(to: Yield): Promise<void> {
    const { ledger } = this;
    const step = ledger.open('Wait for a rescue', 'look');
    await this.coordinator.lend(to);
    this.rescues.push(to);
    ledger.close(step, 'done', { sentence: `${to.runbook} on ${to.scope} went first: ${to.to}` });
  }

  /** Records why a step failed and decides what follows: a decision of the operator, or an end that is thrown. */
  private async failed(step: StepRecord, error: unknown, canSkip: boolean): Promise<Answered> {
    const ends = error instanceof Aborted || error instanceof Yielded || isCancellation(error);
    if (ends && this.operator.ending) {
      const why = this.operator.abortion ? 'is aborted' : 'makes room for another one';
      this.ledger.close(step, 'failed', { sentence: `interrupted: the run ${why}` });
      const goesOn = await this.people.endWhereDue('in the middle of a step');
      if (goesOn) return goesOn;
    }
    const { sentence } = causeOf(error);
    if (error instanceof Ended && error.outcome !== 'refused') {
      this.ledger.close(step, 'done', { sentence });
      throw error;
    }
    const canAsk = this.tentative === 0 && this.mode !== 'plan';
    const mustAsk = canAsk && this.noReturn !== undefined;
    if (isRefusal(error)) {
      this.ledger.close(step, 'refused', { sentence });
      if (mustAsk) return this.people.ask(step, sentence, canSkip);
      throw new Ended('refused', sentence);
    }
    this.ledger.close(step, 'failed', { sentence });
    if (isCancellation(error)) throw error;
    if (mustAsk || (canAsk && this.onFailure === 'ask')) return this.people.ask(step, sentence, canSkip);
    throw new StepFailed(sentence);
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

function isRefusal(error: unknown): boolean {
  return error instanceof Ended ? error.outcome === 'refused' : causeOf(error).code === 'GUARD_REFUSED';
}

function looks(kind: StepRecord['kind']): boolean {
  return kind === 'look' || kind === 'watch';
}

function evidence({ sentence, value }: Finding): { sentence: string; after: unknown } {
  return { sentence, after: value };
}
