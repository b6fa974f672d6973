import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities';

const { watchRegion } = proxyActivities<Activities>({
  startToCloseTimeout: '70m',
  heartbeatTimeout: '2s',
  retry: { initialInterval: '100ms', backoffCoefficient: 1.5, maximumInterval: '2s' },
});

/**
 * The monitor of one region, for ever. The watching is one long activity: when its worker dies, another takes it up
 * within its heartbeat time-out, with the node states where they were.
 */
export async function monitor({ region }: { region: string }): Promise<void> {
  while (!workflowInfo().continueAsNewSuggested) await watchRegion({ region, forMs: 3_600_000 });
  await continueAsNew<typeof monitor>({ region });
}
