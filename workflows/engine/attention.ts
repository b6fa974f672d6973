import { CancellationScope, condition } from '@temporalio/workflow';
import type { EscalationLevel } from '../../core/config';
import type { Yield } from '../../core/coordination';
import type { Decision, StepRecord } from '../../core/run';
import { callPeople } from './escalation';
import type { Ledger } from './ledger';
import type { Operator, Question } from './operator';
import { Aborted, GivenUp, Yielded } from './outcome';
import type { WayBack } from './way-back';

/** What a person says to a step. */
export type Answered = Pick<Decision, 'by' | 'reason'> & { kind: 'retry' | 'skip' };

/** What may come between a question and its answer. */
interface Meanwhile {
  /** Whether the step is part of what is given up: no answer is waited for then. */
  givenUp: () => boolean;
  /** Lets a rescue have the scope, and returns once it is the run's again. */
  makeRoom: (to: Yield) => Promise<void>;
}

/** The people around a run: they are asked where it cannot go on by itself, and end it where they have said so. */
export class People {
  constructor(
    private readonly ledger: Ledger,
    private readonly operator: Operator,
    private readonly ladder: readonly EscalationLevel[],
    private readonly back: WayBack,
    private readonly run: Meanwhile,
  ) {}

  /**
   * Ends the run where it is to end.
   * @returns the decision to go on all the same, where an abort was taken back
   * @throws Aborted, Yielded
   */
  async endWhereDue(when: string): Promise<Answered | undefined> {
    const { operator } = this;
    const { abortion, winner } = operator;
    const asks = abortion && !abortion.keep && this.back.noReturn !== undefined;
    const goesOn = asks ? await this.halt(abortion) : undefined;
    if (operator.abortion) throw new Aborted(`aborted ${when}`);
    if (winner && !operator.borrower) throw new Yielded(`made room for ${winner.to} ${when}`);
    return goesOn;
  }

  /**
   * Asks what is to become of a step that failed.
   * @throws Aborted, Yielded; GivenUp where the question is moot, because what the step is part of is given up
   */
  async ask(step: StepRecord, why: string, canSkip: boolean): Promise<Answered> {
    const answers = `retry, ${canSkip ? 'skip, ' : ''}or abort`;
    const answer = await this.hold(`${step.title}: ${why}. Answer with ${answers}`, { canSkip });
    if (answer) return answer;
    const goesOn = await this.endWhereDue('while a step needed attention');
    if (goesOn) return goesOn;
    throw new GivenUp();
  }

  /** An abort past the point of no return: the run stops and asks, because to undo would lead back onto a dead side. */
  private async halt({ by, reason }: Decision): Promise<Answered | undefined> {
    const { back, operator } = this;
    operator.abortion = undefined;
    return this.hold(
      `aborted by ${by} (${reason}), but there is no going back: ${back.noReturn}. What was done stays, ${back.left}. ` +
        'Answer with abort and keep to end it here, or retry to go on',
      { canSkip: false, onlyKeep: true },
    );
  }

  /**
   * Holds the run in `needs attention` and calls people until one of them answers.
   * @returns the answer; undefined where the run is to end, or the question is moot
   */
  private async hold(say: string, question: Question): Promise<Answered | undefined> {
    const { ledger, operator } = this;
    const { state, sentence } = ledger.report;
    operator.question = question;
    operator.acknowledged = false;
    ledger.enter('needs attention', say);
    const calling = new CancellationScope();
    const called = calling.run(() => callPeople(ledger, operator, this.ladder));
    const moot = () => this.run.givenUp() && !question.onlyKeep;
    const answered = () => operator.answer !== undefined || operator.ending || moot();
    try {
      while (!answered()) {
        await condition(() => answered() || operator.borrower !== undefined);
        if (operator.borrower) await this.run.makeRoom(operator.borrower);
      }
    } finally {
      calling.cancel();
      await called;
      operator.question = undefined;
    }
    const { answer } = operator;
    operator.answer = undefined;
    if (operator.ending) return undefined;
    if (state === 'needs attention') ledger.enter('running', 'goes on all the same');
    else ledger.enter(state, sentence);
    return answer;
  }
}
