import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { Activities } from '../activities';

/** Short looks and single commands, a few milliseconds each: carried out within the workflow task. */
export const quick = proxyLocalActivities<Activities>({
  startToCloseTimeout: '3s',
  scheduleToCloseTimeout: '20s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '50ms', backoffCoefficient: 2, maximumInterval: '2s', maximumAttempts: 6 },
});

/** Work of seconds that heartbeats: a worker that dies in it is noticed within 2 s and another goes on. */
export const WORK = {
  startToCloseTimeout: '60s',
  heartbeatTimeout: '2s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '2s', maximumAttempts: 5 },
} satisfies ActivityOptions;

/** The same for work on many nodes and for long waits: only its heartbeat bounds it. */
export const LONG = { ...WORK, startToCloseTimeout: '1d' } satisfies ActivityOptions;

/** By a worker of any region. What touches one region is better done near it: see engine/near.ts. */
export const work = proxyActivities<Activities>(WORK);
export const long = proxyActivities<Activities>(LONG);

/** Messages, to people and to the coordinator: tried for a minute. */
export const call = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 6 },
});
