import type { Client } from '@temporalio/client';
import { regionQueue } from '../workflows/messages';

type Asked = Parameters<Client['workflowService']['describeTaskQueue']>[0];
/** Temporal's number for the queues of activities; its name is in a package of Temporal's that nothing else here needs. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const ACTIVITIES = 2 as NonNullable<Asked['taskQueueType']>;
/** A worker asks for work at least once a minute, ms. */
const POLLED_MS = 70_000;
/** So often it is found out anew, ms. */
const AGAIN_MS = 5_000;

/**
 * In which regions a worker polls, as far as Temporal knows: one that was killed a moment ago is still among them. It is found out in
 * the background, because those who ask must not wait for it; nobody is known before the first answer.
 */
export function attendance({ workflowService, options }: Client, regions: readonly string[]): () => string[] {
  let known: string[] = [];

  const isAttended = async (region: string): Promise<boolean> => {
    const { pollers } = await workflowService.describeTaskQueue({
      namespace: options.namespace,
      taskQueue: { name: regionQueue(region) },
      taskQueueType: ACTIVITIES,
    });
    const since = Date.now() / 1_000 - POLLED_MS / 1_000;
    return (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) > since);
  };
  const refresh = async (): Promise<void> => {
    const attended = await Promise.all(regions.map(isAttended));
    known = regions.filter((_, i) => attended[i]);
  };
  // Who cannot be asked about now is asked about again; until then what was known before counts.
  const ask = () => void refresh().catch(() => undefined);
  ask();
  setInterval(ask, AGAIN_MS).unref();
  return () => known;
}
