import type { Client } from '@temporalio/client';
import { optionalTsToDate, msToTs } from '@temporalio/common/lib/time';
import type { Seen } from '../core/missed';
import { dueOf } from '../core/tick';
import { describe, scheduleId } from './schedules';

/**
 * When a schedule's runs were due, and which of them were begun, since the last look; undefined where there is no such schedule.
 * Nothing was due before it was made or last changed: its times were others then.
 * @param since ISO; left out at the first look
 * @param now ms
 */
export async function observe(
  client: Client,
  environment: string,
  name: string,
  { since = '', now }: { since: string | undefined; now: number },
): Promise<(Seen & { since: string }) | undefined> {
  const found = await describe(client, environment, name);
  if (!found) return undefined;
  const { createdAt, lastUpdatedAt } = found.info;
  const from = [since, createdAt.toISOString(), lastUpdatedAt?.toISOString() ?? ''].sort().at(-1)!;
  const id = scheduleId(environment, name);
  const [due, begun] = await Promise.all([dueBetween(client, id, from, now), begunSince(client, id, from)]);
  const { paused, note } = found.state;
  return { name, due, begun, since: from, ...(paused ? { paused: note ?? '' } : {}) };
}

/** When the schedule was due, paused or not, by the server's own reckoning; of very many, the first thousand. */
async function dueBetween(client: Client, id: string, from: string, now: number): Promise<string[]> {
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId: id,
    startTime: msToTs(Date.parse(from)),
    endTime: msToTs(now),
  });
  return startTime.flatMap((time) => optionalTsToDate(time)?.toISOString() ?? []).sort();
}

/** Those that were begun, or at work, since then. */
async function begunSince(client: Client, id: string, from: string): Promise<Seen['begun']> {
  const since = `StartTime >= "${from}" OR CloseTime >= "${from}" OR ExecutionStatus = "Running"`;
  const query = `TemporalScheduledById = "${id}" AND (${since})`;
  const begun: Seen['begun'][number][] = [];
  for await (const { workflowId, startTime, closeTime } of client.workflow.list({ query })) {
    const until = closeTime ? { until: closeTime.toISOString() } : {};
    begun.push({ due: dueOf(workflowId), from: startTime.toISOString(), ...until });
  }
  return begun;
}
