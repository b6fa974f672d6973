import { runbook } from './engine/runbook';
import { long, work } from './proxies';

/**
 * The copy of an instant that `restore-point-in-time` has made takes the database's place (REQUIREMENTS B3, B4): what was committed
 * since that instant is given up.
 *
 * What holds between any two steps:
 * - nothing of the database is touched before the copy has begun a timeline of its own: from then on nobody can take what it writes for
 *   the log of the database it came from;
 * - no process of any member is left, which their machines say, before data change places: nobody takes writes that would be lost;
 * - nothing is thrown away on the member that gets the copy: its data stay beside it, under a name that tells of the copy;
 * - the member that has the copy is started first and alone. The others follow it only once a write through the clients' address has
 *   gone through, and are made anew from it, because what they have is of the history that was given up.
 *
 * There is a way back until the member is started with the copy: the data change places again, and the database is started as it was.
 * After that nobody goes back, for what it took would be lost: the undo refuses, and a failed step asks a person.
 */
export const restoreSwapIn = runbook('restore-swap-in', async (run) => {
  const plan = await run.look('See what would take whose place', () => work.lookForSwap());
  const { member } = plan.swap;
  run.mark('faultAt', run.firstSeenAt);
  await run.act({ title: 'Have the copy begin a timeline', act: (how) => long.promoteCopy({ how }) });
  await run.act({
    title: 'Stop every member of the database',
    act: (how) => long.stopDatabase({ plan, how }),
    undo: {
      title: 'Start the database as it was',
      act: async (how) => {
        const deed = await long.startPrimary({ primary: member, how });
        for (const other of plan.others) await long.bringToFollow({ member: other, how });
        return deed;
      },
    },
  });
  await run.act({
    title: `Put the copy in the place of the data of ${member}`,
    act: (how) => long.swapIn({ plan, how }),
    undo: { title: `Put the data of ${member} back`, act: (how) => long.swapBack({ plan, how }) },
  });
  await run.act({ title: `Start ${member}`, act: (how) => long.startPrimary({ primary: member, how }) });
  const proof = await run.verify('Write through the address of its clients', () => work.proveDatabase());
  run.mark('provenAt', proof?.provenAt);
  for (const other of plan.others)
    await run.act({
      title: `Make ${other} anew as a standby`,
      act: (how) => long.bringToFollow({ member: other, how }),
    });
  await run.verify('See it redundant', () => long.awaitRedundant());
  return `the database is as it was at ${plan.copy.to}, served by ${member}; its data of before are kept there. Take a full backup now`;
});
