import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities';

const { keepBooks } = proxyActivities<Activities>({
  startToCloseTimeout: '70m',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
});

/** Keeps the journal's books of an environment, for ever; where its worker dies another one goes on. No run waits for it. */
export async function bookkeeper(): Promise<void> {
  while (!workflowInfo().continueAsNewSuggested) await keepBooks({ forMs: 3_600_000 });
  await continueAsNew<typeof bookkeeper>();
}
