import { proxyActivities } from '@temporalio/workflow';
import type { FloorActivities } from './floor';

const { arrive } = proxyActivities<FloorActivities>({ startToCloseTimeout: '10s' });

/** The least that Temporal can do: a workflow that starts one activity. */
export async function bare(): Promise<void> {
  await arrive();
}
