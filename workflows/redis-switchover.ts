import { makeWhole } from './cache';
import type { Run } from './engine/run';
import { runbook } from './engine/runbook';
import { work } from './proxies';
import { takeOver } from './redis-failover';
import { requireAllowed } from './require-allowed';

/**
 * The session store's primary hands over to another member by plan (REQUIREMENTS F6), without an acknowledged write lost.
 *
 * The order in which that is safe: no more writes are taken, the other one has all there is, the roles change, writes are taken
 * again. Asked of the Sentinels (`SENTINEL FAILOVER`) the old primary goes on acknowledging what is then thrown away. Done from
 * here with `CLIENT PAUSE`, it would hang on this run being quick: a pause that ends while a worker is away ends between the second
 * and the third. So the primary is asked to do it (`FAILOVER TO`), which keeps that order whoever is away, and gives up by itself
 * after 2 s.
 *
 * What holds between any two steps:
 * - the store is whole before it begins: it does not get less safe on the way;
 * - nobody hands over while a Sentinel is free to take that for a failure;
 * - there is one primary at every moment, which the primaries themselves see to.
 *
 * Undone, the Sentinels watch whoever is the primary then. Nobody has to end a pause: Redis ends its own.
 *
 * Forced, because the primary does not hand over, it is fenced and taken over from as in a failover, in the same order and upon the same
 * evidence. Whoever has given up the role already is left alone.
 */
export const redisSwitchover = runbook<Wanted>('redis-switchover', async (run, wanted) => {
  const giver: Giver = {};
  return (await run.gracefully(() => handOver(run, wanted, giver))) ?? takeByForce(run, giver);
});

interface Wanted {
  to?: string;
}

/** The primary as it was found before anything was done; nobody has looked where it is not known. */
interface Giver {
  from?: string;
}

async function handOver(run: Run, wanted: Wanted, giver: Giver): Promise<string> {
  const { primary, to } = await run.look('Look who hands over to whom', () => work.lookAtHandOver(wanted));
  if (primary === to) return run.succeeded(`${to} is the primary already`);
  giver.from = primary;
  run.mark('faultAt', run.firstSeenAt);
  await run.act({
    title: 'Hold the Sentinels back',
    act: (how) => work.holdSentinels({ primary, how }),
    undo: { title: 'Have the Sentinels watch again', act: (how) => work.watchPrimary({ how }) },
  });
  await run.act({
    title: `Have ${primary} hand over to ${to}`,
    act: (how) => work.handOverCache({ primary, to, how }),
  });
  const proof = await run.verify('Write through the address of its clients', () => work.proveCache());
  run.mark('provenAt', proof?.provenAt);
  await makeWhole(run, to);
  return `${to} took over from ${primary}, which follows it now`;
}

async function takeByForce(run: Run, { from }: Giver): Promise<string> {
  run.mark('faultAt', run.firstSeenAt);
  const seen = await run.look('See who is the primary now', async () => {
    const found = await work.lookAtCache();
    const { primary } = found.value;
    requireAllowed(primary === undefined ? { guard: 'standby answers', sentence: found.sentence } : null);
    return found;
  });
  const primary = seen.primary!;
  if (from === undefined || primary === from) return takeOver(run, seen, primary, true);
  await makeWhole(run, primary);
  return `${primary} has taken over from ${from} already`;
}
