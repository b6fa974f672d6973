import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import type { Way } from '../core/ways';

/** Heard of longer ago than this, ms, nobody looks from there any more. */
const SILENT_MS = 10_000;

/** The one that probes the ways out of a region. */
export const waysId = (environment: string, region: string) => `ways-${environment}-${region}`;

/** The ways out of a region as its workers saw them last: what they tell with their heartbeats. None where nobody probes. */
export async function waysFrom(client: Client, environment: string, region: string): Promise<Way[]> {
  try {
    const { raw } = await client.workflow.getHandle(waysId(environment, region)).describe();
    const [probing] = raw.pendingActivities ?? [];
    const beatAt = Number(probing?.lastHeartbeatTime?.seconds ?? 0) * 1_000;
    if (Date.now() - beatAt > SILENT_MS) return [];
    const { loadedDataConverter } = client.options;
    const [known] = await decodeArrayFromPayloads(loadedDataConverter, probing?.heartbeatDetails?.payloads);
    return (known as { ways?: Way[] } | undefined)?.ways ?? [];
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}
