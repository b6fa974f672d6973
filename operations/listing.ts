import type { Client } from '@temporalio/client';
import type { Warrant } from '../core/run';

/** A run as Temporal lists it. */
export interface ListedRun {
  run: string;
  /** ISO time; left out while it goes on. */
  endedAt?: string;
  /** The door that it was asked for at, where that is known. */
  door?: string;
}

/** Runs at once in an answer. */
const PAGE = 500;

/** Runs that ended from this ISO time on; left out: all that Temporal still has. A run may be listed a moment after its end. */
export function endedRuns(client: Client, from: string | undefined): AsyncGenerator<ListedRun> {
  return listed(client, from ? `CloseTime >= "${from}"` : `ExecutionStatus != "Running"`);
}

/** Runs that were started before this ISO time and go on, the newest first. */
export function runsAtWork(client: Client, before: string): AsyncGenerator<ListedRun> {
  return listed(client, `ExecutionStatus = "Running" AND StartTime < "${before}"`);
}

async function* listed(client: Client, which: string): AsyncGenerator<ListedRun> {
  const query = `Runbook IS NOT NULL AND ${which}`;
  for await (const { workflowId: run, closeTime, memo } of client.workflow.list({ query, pageSize: PAGE })) {
    const { door } = (memo?.['warrant'] ?? {}) as Partial<Warrant>;
    yield {
      run,
      ...(closeTime ? { endedAt: closeTime.toISOString() } : {}),
      ...(door === undefined ? {} : { door }),
    };
  }
}
