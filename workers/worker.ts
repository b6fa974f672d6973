import {
  Worker,
  type NativeConnection,
  type WorkerOptions,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { createActivities } from '../activities';
import type { Deps } from '../activities/deps';
import { TASK_QUEUE, regionQueue } from '../workflows/messages';
import { activityInterceptors } from './interceptors';

/** A worker for what has to be done from this very region, such as looking at another one. */
export async function createRegionWorker(
  deps: Deps,
  connection: NativeConnection,
  namespace: string,
  region: string,
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: regionQueue(region),
    ...activitiesOf(deps),
  });
}

/** A worker for workflows and activities, with the settings tried for fast take-over when another one dies. */
export async function createWorker(
  deps: Deps,
  connection: NativeConnection,
  namespace: string,
  workflowBundle: WorkflowBundleOption,
  overrides: Partial<WorkerOptions> = {},
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle,
    ...activitiesOf(deps),
    // A dead worker's runs wait this long for it before any other may take them; the default of 10 s is too long here.
    stickyQueueScheduleToStartTimeout: '1s',
    ...overrides,
  });
}

/** What every worker carries out, and how it gives that up. */
function activitiesOf(deps: Deps) {
  return {
    activities: createActivities(deps),
    interceptors: { activity: [activityInterceptors] },
    shutdownGraceTime: 0,
    maxHeartbeatThrottleInterval: '500ms',
  } satisfies Partial<WorkerOptions>;
}
