import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { Outcome } from '../../core/run';

/** Ends the run at once with this outcome. Thrown through a procedure; the engine turns it into the report. */
export class Ended extends Error {
  constructor(
    readonly outcome: Outcome,
    sentence: string,
  ) {
    super(sentence);
  }
}

/** A step failed for good and nobody is asked, because the procedure has another way or the runbook undoes. */
export class StepFailed extends Error {}

/** A person has forced the run: the graceful part of its procedure that is under way is given up. */
export class GivenUp extends Error {}

/** An operator aborted, or the workflow was cancelled in Temporal. */
export class Aborted extends Error {}

/** The run makes room for another one, as the coordinator asked. */
export class Yielded extends Error {}

/** What an activity meant, out of the wrapper that Temporal puts around its failure. */
export function causeOf(error: unknown): { sentence: string; code: string | undefined } {
  const cause = error instanceof ActivityFailure && error.cause ? error.cause : error;
  const code = cause instanceof ApplicationFailure ? (cause.type ?? undefined) : undefined;
  return { sentence: cause instanceof Error ? cause.message : String(cause), code };
}

export { isCancellation };
