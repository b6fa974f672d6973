import {
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  condition,
  isCancellation,
} from '@temporalio/workflow';
import type { Activities } from '../../activities';
import {
  OUTCOMES,
  isOver,
  type DecisionKind,
  type DecisionRequest,
  type Intent,
  type RunReport,
  type RunState,
  type StepRecord,
} from '../../core/run';
import { call, long } from '../proxies';
import type { Ledger } from './ledger';
import type { Operator } from './operator';
import { causeOf } from './outcome';

/** Another runbook, carried out as a step of a run. */
export interface Beneath {
  title: string;
  runbook: string;
  input: Record<string, unknown>;
  /** Yet another one that leads back from what it changed, once it has ended well. */
  undo?: Beneath;
}

/** What is asked of the door. */
type StartAsk = Parameters<Activities['startNested']>[0];

/** What the step came to: the deed of the other run, and its report. */
export interface NestedDeed {
  changed: boolean;
  sentence: string;
  /** Undefined where a person has skipped the step. */
  nested?: RunReport;
}

/** It ended for another one's sake, not because of what it was to do. */
const MADE_ROOM: readonly RunState[] = ['absorbed', 'interrupted'];
/** So long it waits for somebody who has its scope, ms, and looks again so often. */
const PATIENCE_MS = 120_000;
const AGAIN_MS = 1_000;
/** So often it is asked for before that is a failure. */
const TRIES = 3;

/**
 * The runs that are steps of a run. Each is a run like any other: it has its own page, takes decisions of its own, and where one that
 * does the same is at work already, such as one that the monitor has started, that one is joined. Where this run's lock is around
 * its scope it needs none of its own.
 */
export class Nested {
  private readonly open = new Set<string>();
  private passing: Promise<unknown> = Promise.resolve();

  /** @param noReturn told why there is no going back from what such a run did */
  constructor(
    private readonly ledger: Ledger,
    private readonly operator: Operator,
    private readonly noReturn: (reason: string) => void,
  ) {}

  /** Starts or joins the run and waits for its end. @throws STEP_FAILED where that is not a good one */
  async carryOut(step: StepRecord, { mode }: Intent, { runbook, input }: Beneath): Promise<NestedDeed> {
    const { run: under, trigger } = this.ledger.report;
    for (let attempt = 1; ; attempt += 1) {
      const run = await this.start(step, {
        runbook,
        input,
        mode,
        by: under,
        reason: step.title,
        trigger: trigger === 'unknown' ? 'manual' : trigger,
        under: {
          run: under,
          as: nameOf(under, runbook, step, attempt),
          ...(this.operator.forced && { forced: this.operator.forced }),
        },
      });
      const nested = await this.follow(run);
      const { state, sentence, noReturn } = nested;
      noReturn?.forEach(this.noReturn);
      if (MADE_ROOM.includes(state) && attempt < TRIES) continue;
      if (!isOver(state) || OUTCOMES[state] !== 0)
        throw ApplicationFailure.nonRetryable(`${run} is ${state}: ${sentence}`, 'STEP_FAILED');
      return { changed: changes(nested), sentence: `${run}: ${sentence}`, nested };
    }
  }

  /** Passes a decision on to those that are under way. */
  pass(kind: DecisionKind, decision: DecisionRequest): void {
    const { run: under } = this.ledger.report;
    const told = [...this.open].map((run) => long.tellNested({ run, under, kind, decision }));
    this.passing = Promise.allSettled([this.passing, ...told]);
  }

  /** Starts it once nobody is in its way any more. @throws LOCK_HELD where somebody still is after {@link PATIENCE_MS} */
  private async start(step: StepRecord, ask: StartAsk): Promise<string> {
    for (const until = Date.now() + PATIENCE_MS; ; await this.wait()) {
      try {
        step.run = (await call.startNested(ask)).run;
        delete step.sentence;
        this.ledger.show();
        return step.run;
      } catch (error) {
        const { sentence, code } = causeOf(error);
        if (code !== 'LOCK_HELD' || Date.now() > until) throw error;
        step.sentence = `waits: ${sentence}`;
        this.ledger.show();
      }
    }
  }

  /**
   * Waits before it asks again. Nothing is begun meanwhile, so that it is interrupted as a look is: who has the scope may be the one that
   * this run is to make room for, and would wait for it in turn.
   */
  private async wait(): Promise<void> {
    const { operator } = this;
    const interrupted = await condition(() => operator.ending || operator.holding, AGAIN_MS);
    if (interrupted) throw new CancelledFailure('interrupted while it waited for its scope');
  }

  /** An abort of this run is one of that run too, and is waited for. */
  private async follow(run: string): Promise<RunReport> {
    const { run: under } = this.ledger.report;
    this.open.add(run);
    try {
      return await long.followNested({ run });
    } catch (error) {
      if (!isCancellation(error)) throw error;
      await CancellationScope.nonCancellable(async () => {
        const decision = { by: under, reason: 'the run whose step it is was aborted' };
        const ended = await long.tellNested({ run, under, kind: 'abort', decision, wait: true });
        ended?.noReturn?.forEach(this.noReturn);
      });
      throw error;
    } finally {
      this.open.delete(run);
      await this.passing;
    }
  }
}

/** `region-failover-us-east-1-1122-080910-123.4-database-failover`, the fourth step; `.4b-…` where it is carried out again. */
function nameOf(under: string, runbook: string, { id, attempts }: StepRecord, attempt: number): string {
  const again = attempts + attempt - 2;
  return `${under}.${id}${again === 0 ? '' : String.fromCharCode(97 + (again % 26))}-${runbook}`;
}

/** Whether a run has changed anything, or would. */
export function changes({ plan, steps }: RunReport): boolean {
  if (plan) return plan.mutating > 0;
  return steps.some(({ kind, state }) => (kind === 'act' || kind === 'run') && state === 'done');
}
