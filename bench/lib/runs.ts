import { isOver, type RunReport } from '../../core/run';
import { catalogue, connect, Operations } from '../../operations';
import type { Sandbox } from '../../sandbox';
import { until } from './until';

/** What may be done with runs of this sandbox; the connection is gone afterwards. */
export async function withOperations<T>(
  { temporalAddress }: Sandbox,
  work: (operations: Operations) => Promise<T>,
): Promise<T> {
  const client = await connect(temporalAddress);
  try {
    return await work(new Operations(client, 'sandbox', catalogue));
  } finally {
    await client.connection.close();
  }
}

/**
 * The report of the newest run on a scope that was started since then, once it is over.
 * @throws Error with the run's own words where it asks a person
 */
export async function runSince(
  sandbox: Sandbox,
  wanted: string,
  since: Date,
  withinMs?: number,
): Promise<RunReport> {
  return withOperations(sandbox, (operations) =>
    until(
      `a run on ${wanted} is over`,
      async () => {
        const newest = (await operations.list({ limit: 30 })).find(({ scope }) => scope === wanted);
        if (!newest || Date.parse(newest.startedAt) < since.getTime()) return null;
        const report = await operations.show(newest.run);
        if (report.state === 'needs attention')
          throw new Error(`${newest.run} asks a person: ${report.sentence}`);
        return isOver(report.state) && report;
      },
      withinMs,
    ),
  );
}
