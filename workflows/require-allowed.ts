import { ApplicationFailure } from '@temporalio/workflow';
import type { Refusal } from '../core/run';

/** Within a step: ends the run as refused where a guard has something against it. */
export function requireAllowed(refusal: Refusal | null): void {
  if (refusal)
    throw ApplicationFailure.nonRetryable(`${refusal.guard}: ${refusal.sentence}`, 'GUARD_REFUSED');
}
