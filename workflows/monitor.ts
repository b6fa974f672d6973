import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities';
import { regionQueue } from './messages';

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

/**
 * Probes the ways from a region to all others, for ever. Only its own workers can: where there are none nobody looks, and the probing
 * goes on as soon as one is there again.
 */
export async function wayMonitor({ region }: { region: string }): Promise<void> {
  const { watchWays } = proxyActivities<Activities>({
    taskQueue: regionQueue(region),
    startToCloseTimeout: '70m',
    heartbeatTimeout: '2s',
    retry: { initialInterval: '100ms', backoffCoefficient: 1.5, maximumInterval: '2s' },
  });
  while (!workflowInfo().continueAsNewSuggested) await watchWays({ forMs: 3_600_000 });
  await continueAsNew<typeof wayMonitor>({ region });
}
