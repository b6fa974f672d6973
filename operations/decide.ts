import { randomUUID } from 'node:crypto';
import { ServiceError, isGrpcServiceError, type WorkflowHandle } from '@temporalio/client';
import type { DecisionKind, DecisionRequest } from '../core/run';
import { decisions } from '../workflows/messages';

/** The gRPC status of what was lost: FAILED_PRECONDITION. */
const LOST: readonly number[] = [9];
/** So often a decision is sent. */
const TRIES = 5;

/**
 * Sends a decision to a run, once more where it was lost: Temporal drops an update that comes in with something else while the run is on its
 * way to its end ("unexpected workflow task failure"). It has one id, so that it is taken once.
 * @returns what follows, in the run's words
 */
export async function sendDecision(
  handle: Pick<WorkflowHandle, 'executeUpdate'>,
  kind: DecisionKind,
  request: DecisionRequest,
): Promise<string> {
  const options = { args: [request] as [DecisionRequest], updateId: randomUUID() };
  for (let left = TRIES; ; left -= 1) {
    try {
      return await handle.executeUpdate(decisions[kind], options);
    } catch (error) {
      if (left === 1 || !isLost(error)) throw error;
    }
  }
}

function isLost(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : undefined;
  return isGrpcServiceError(cause) && LOST.includes(cause.code);
}
