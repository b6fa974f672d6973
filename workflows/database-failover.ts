import type { Salvage } from '../core/database';
import { runbook } from './engine/runbook';
import { long, work } from './proxies';

/**
 * The database's primary has failed (REQUIREMENTS F5, T6).
 *
 * Fence before promote. A primary that only seems dead, because it hangs, has lost its agent or is cut off, can acknowledge
 * writes which its successor never sees; nobody could say afterwards which of the two is right. So the order is the invariant,
 * and what holds between any two steps is:
 * - nothing is touched while the primary takes its clients' writes, or a standby still hears of one that only we cannot reach;
 * - the old primary is killed only where somebody can take over: in synchronous mode only who had to have every acknowledged write;
 * - its lease is freed only upon the evidence that nothing of it is left: its supervisor has no process, its port refuses. The
 *   evidence travels with the act and is seen confirmed right before it; without it the run stops and asks;
 * - who takes over is the agents' own choice, by the lease: this run never makes a member the primary against them;
 * - service is proven by a write through the clients' address before the old primary is started again, and it starts as a standby;
 * - what only the old primary had is saved before it starts, for to follow it has to throw that away. In synchronous mode that is
 *   what nobody was told is committed; in asynchronous mode it is what the failover cost, to the row.
 *
 * Waiting for the lease to run out would be as safe and is what happens without Switchover: it costs the lease's time, 20 to 30 s at
 * the usual settings. The evidence is what makes freeing it at once as safe as waiting.
 *
 * Nothing is undone: before the lease is freed the old primary was dead anyway, and after it going back would be the very thing
 * that fencing is there to prevent. What cannot go on asks a person.
 */
export const databaseFailover = runbook('database-failover', async (run) => {
  const seen = await run.look('Confirm it from all sides', () => work.lookAtDatabase());
  const { primary, candidate } = seen;
  if (!seen.failed || primary === undefined || candidate === undefined)
    return run.succeeded(`${seen.said}: there is nothing to fail over`);
  run.mark('faultAt', run.firstSeenAt);
  const fencing = await run.act({
    title: `Fence ${primary}`,
    act: (how) => work.fenceDatabase({ primary, how }),
  });
  run.mark('isolatedAt', fencing.at);
  const fenced = (fencing.after ?? fencing.before)?.fenced ?? undefined;
  const taken = await run.act({
    title: `Let ${candidate} take over`,
    act: (how) => work.letTakeOver({ primary, candidate, fenced, how }),
  });
  const successor = (taken.after ?? taken.before)?.primary ?? candidate;
  const proof = await run.verify('Write through the address of its clients', () => work.proveDatabase());
  run.mark('provenAt', proof?.provenAt);

  const salvage = await run.act({
    title: `Save what only ${primary} has`,
    act: (how) => long.salvageDatabase({ member: primary, how }),
  });
  const onlyThere = salvage.after && rowsOf(salvage.after);
  // In synchronous mode nobody was told that they are committed.
  if (onlyThere !== undefined) run.lost('rows', seen.view.synchronous ? 0 : onlyThere);
  await run.act({
    title: `Bring ${primary} back as a standby`,
    act: (how) => long.bringToFollow({ member: primary, how }),
  });
  await run.verify('See it redundant again', () => long.awaitRedundant());
  const saved = onlyThere ? `; ${onlyThere} rows that only ${primary} had are saved` : '';
  return run.recovered(`${successor} took over from ${primary}, which follows it now${saved}`);
});

/** Rows that were committed there, and at its successor are gone, still there though deleted, or not what they were. */
function rowsOf({ missing, different, deleted }: Salvage): number {
  return missing + different + deleted;
}
