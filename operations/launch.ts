import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type WorkflowStartOptions,
} from '@temporalio/client';
import type { RunRequest, Warrant } from '../core/run';
import { workflowType } from '../core/runbook';
import { initialAttributes } from '../workflows/attributes';
import { TASK_QUEUE } from '../workflows/messages';

/** A run about to be started: its identity and the one object its workflow takes. */
export interface Launch {
  run: string;
  runbook: string;
  scope: string;
  request: RunRequest;
  warrant: Warrant;
  /** Digest of the request under an idempotency key, kept as memo. */
  digest?: string;
  /** The client shares its NativeConnection with a worker of this process, which begins the run at once. */
  eager?: boolean;
}

/**
 * Starts a run's workflow; does nothing where a run of this id exists already, open or closed.
 * @returns whether it was started
 */
export async function launch(
  client: Client,
  { run, runbook, scope, request, warrant, digest, eager = false }: Launch,
): Promise<boolean> {
  const mode = request.mode ?? 'execute';
  const incident = warrant.incident?.id;
  const options: WorkflowStartOptions = {
    workflowId: run,
    taskQueue: TASK_QUEUE,
    args: [request],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    requestEagerStart: eager,
    // A worker that dies amid a workflow task holds its runs back for this long.
    workflowTaskTimeout: '3s',
    staticSummary: `${runbook} on ${scope} (${mode})`.slice(0, 200),
    // One that is begun at once brings them itself: its start is a tenth quicker without.
    ...(warrant.begun
      ? {}
      : {
          typedSearchAttributes: initialAttributes({
            runbook,
            scope,
            mode,
            state: 'running',
            ...(incident ? { incident } : {}),
          }),
        }),
    memo: { warrant, ...(digest ? { digest } : {}) },
  };
  try {
    await client.workflow.start(workflowType(runbook), options);
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return false;
  }
}
