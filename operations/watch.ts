import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { TASK_QUEUE, monitorId } from '../workflows/messages';

/** Sees to it that each of these regions has its monitor; does nothing for those that have one. */
export async function keepWatch(
  client: Client,
  environment: string,
  regions: readonly string[],
): Promise<void> {
  await Promise.all(
    regions.map((region) =>
      client.workflow.start('monitor', {
        workflowId: monitorId(environment, region),
        taskQueue: TASK_QUEUE,
        args: [{ region }],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `Watches the nodes of ${region}`,
      }),
    ),
  );
}

/** Whether a region has its monitor. */
export async function isWatched(client: Client, environment: string, region: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(monitorId(environment, region)).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Ends the monitor of a region, if it has one. */
export async function endWatch(client: Client, environment: string, region: string): Promise<void> {
  try {
    await client.workflow
      .getHandle(monitorId(environment, region))
      .terminate('what runs in the region is to be stopped');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
