import { runbook } from './engine/runbook';
import { long, work } from './proxies';

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
 */
export const databaseSwitchover = runbook<{ to?: string }>('database-switchover', async (run, input) => {
  const { from, to } = await run.look('See who can take over', () => work.lookAtSuccession(input));
  if (from === to) return `${to} is the primary already`;
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
});
