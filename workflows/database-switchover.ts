import { takeOver } from './database-failover';
import type { Run } from './engine/run';
import { runbook } from './engine/runbook';
import { long, work } from './proxies';
import { requireAllowed } from './require-allowed';

/**
 * Another member becomes the database's primary while all is well, for work on the old one or to be near its clients
 * (REQUIREMENTS F5, T6).
 *
 * The primary steps down itself and tells its successor when the last write is out, so nothing has to be fenced and nothing is lost:
 * what clients feel is the time from its stepping down to the other's first write. What holds between any two steps is:
 * - there is one primary, or none for the moment of the change, never two: the lease goes from one to the other;
 * - who takes over has every acknowledged write, or is refused.
 *
 * It is undone by handing the role back, under the same guards.
 *
 * Forced, the primary is not waited for: it is fenced and taken over from as in a failover, in the same order and upon the same evidence.
 * Only that it may be well does not keep it any more. Whoever has given up the role already is left alone.
 */
export const databaseSwitchover = runbook<Wanted>('database-switchover', async (run, wanted) => {
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
  const { from, to } = await run.look('See who can take over', () => work.lookAtSuccession(wanted));
  if (from === to) return `${to} is the primary already`;
  giver.from = from;
  run.mark('faultAt', run.firstSeenAt);
  await run.act({
    title: `Hand over from ${from} to ${to}`,
    act: (how) => long.switchDatabase({ from, to, how }),
    undo: {
      title: `Hand back to ${from}`,
      act: (how) => long.switchDatabase({ from: to, to: from, how }),
    },
  });
  const proof = await run.verify('Write through the address of its clients', () => work.proveDatabase());
  run.mark('provenAt', proof?.provenAt);
  await run.verify('See it redundant', () => long.awaitRedundant());
  return `${to} took over from ${from}, which follows it now`;
}

async function takeByForce(run: Run, { from }: Giver): Promise<string> {
  run.mark('faultAt', run.firstSeenAt);
  const seen = await run.look('See who is the primary now', async () => {
    const found = await work.lookAtDatabase();
    const { primary, candidate } = found.value;
    const stuck = primary === undefined || (candidate === undefined && primary === (from ?? primary));
    requireAllowed(
      stuck
        ? { guard: 'candidate has every write', sentence: `nobody can take over: ${found.sentence}` }
        : null,
    );
    return found;
  });
  const { primary } = seen;
  if (from !== undefined && primary !== from) return `${primary} has taken over from ${from} already`;
  return (await takeOver(run, seen, true))!;
}
