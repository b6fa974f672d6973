import { attend, type AttendOptions } from '../attend';
import { finalPicture } from '../follow';
import { runsTable } from '../render/tables';
import { withSession } from '../session';
import { lookOf, print } from '../terminal';

/** Lists the newest runs. */
export async function runs(options: { limit: number; runbook?: string; json?: boolean }): Promise<number> {
  const found = await withSession(({ operations }) => operations.list(options));
  print(
    process.stdout,
    options.json ? [JSON.stringify(found, null, 2)] : runsTable(found, lookOf(process.stdout)),
  );
  return 0;
}

/** Shows a run as it stands. The exit status says that it could be shown, not how it ended. */
export async function show(run: string, { json }: { json?: boolean }): Promise<number> {
  return withSession(async ({ operations, link }) => {
    const report = await operations.show(run);
    print(
      process.stdout,
      json ? [JSON.stringify(report, null, 2)] : finalPicture(report, process.stdout, link(run)),
    );
    return 0;
  });
}

/** Watches a run until it is over; the exit status is its outcome. */
export async function watch(run: string, options: AttendOptions): Promise<number> {
  return withSession(async (session) => {
    await session.operations.show(run);
    return attend(session, run, { ...options, follow: true });
  });
}
