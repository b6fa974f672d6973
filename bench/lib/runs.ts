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
  withinMs = 60_000,
): Promise<RunReport> {
  return withOperations(sandbox, async (operations) => {
    const run = await until(
      `a run on ${wanted} is started`,
      async () => {
        const newest = (await operations.list({ limit: 30 })).find(({ scope }) => scope === wanted);
        return newest && Date.parse(newest.startedAt) >= since.getTime() && newest.run;
      },
      withinMs,
    );
    for await (const report of operations.follow(run, { signal: AbortSignal.timeout(withinMs) })) {
      if (report.state === 'needs attention') throw new Error(`${run} asks a person: ${report.sentence}`);
      if (isOver(report.state)) return report;
    }
    throw new Error(`${run} is not over ${withinMs} ms after it was started`);
  });
}
