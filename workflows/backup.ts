import { REPOSITORIES, type Backup, type BackupType, type Canary, type Repository } from '../core/backup';
import type { Deed } from '../core/run';
import { runbook } from './engine/runbook';
import type { Run } from './engine/run';
import { long, work } from './proxies';

/**
 * Backups of the database (REQUIREMENTS B1).
 *
 * What holds between any two steps:
 * - every backup that there was is still there, or is older than what is to be kept;
 * - one that is listed is whole: what is left of one that was interrupted is not listed, and the next one goes on from it;
 * - pgBackRest is at work once: runs wait for this scope, and a worker that takes over from a dead one waits for what that began.
 *
 * The two repositories get theirs one after the other: where one is away the other has it. The database may be failed over meanwhile,
 * for its scope is another; a backup of a primary that is gone fails, and can be taken again from its successor. Nothing is undone: a
 * backup more does no harm.
 */
export const backupFull = runbook('backup-full', (run) => takeEverywhere(run, 'full'));

/** What has changed since the last backup; a full one where there is none. See {@link backupFull}. */
export const backupIncremental = runbook('backup-incremental', (run) => takeEverywhere(run, 'incremental'));

async function takeEverywhere(run: Run, type: BackupType): Promise<string> {
  await run.look('See which backups there are', () => work.lookAtBackups());
  const taken: string[] = [];
  for (const repository of REPOSITORIES) {
    const { after, before } = await run.act({
      title: `Take a backup into the ${repository} repository`,
      act: (how) => long.takeBackup({ type, repository, how }),
    });
    const backup = after ?? before;
    if (backup) taken.push(`${backup.label} (${backup.type}) is in the ${repository} repository`);
  }
  return taken.join(', ') || 'no backup was taken';
}

/**
 * A backup is proven by restoring it (REQUIREMENTS B5): into a copy of its own beside the database, which nobody else reaches.
 *
 * What holds between any two steps:
 * - the database is not touched, but for a row that is left in it;
 * - a copy has a name only when it is whole, and is started by nobody but this run;
 * - whatever ends this run, the copy is removed: the undo of restoring it is what its end does too.
 *
 * What is proven is, in this order: every file in both repositories is what it was; the newest backup can be restored, with every
 * checksum; the log since then is there without a gap, for the copy has the row that was left a moment ago; its tables and indexes
 * are sound; every page of it has its checksum.
 */
export const backupVerify = runbook<{ repository?: Repository }>('backup-verify', async (run, input) => {
  const { repository = 'near' } = input;
  const backup = await run.look('See which backup is newest', () => work.lookAtNewest({ repository }));
  let found = '';
  await run.examine([
    ...REPOSITORIES.map((each) => ({
      title: `${each} repository`,
      go: async () =>
        void (await run.look(`Read the ${each} repository`, () => long.readRepository({ repository: each }))),
    })),
    {
      title: 'copy of the newest backup',
      needs: [`${repository} repository`],
      go: async () => void (found = await restoreAndRead(run, backup)),
    },
  ]);
  return `${backup.label} in the ${repository} repository was restored and read to ${found}`;
});

/** @returns how far it was read, and how much of it */
async function restoreAndRead(run: Run, backup: Backup): Promise<string> {
  const end = await leaveRow(run);
  const seen = await tryOut(run, { backup, place: 'verify', to: null, end });
  const pages = await run.act({
    title: 'Read every page of the copy',
    act: (how) => long.checkCopy({ place: 'verify', how }),
  });
  await run.act({ title: 'Remove the copy', act: (how) => long.removeCopy({ place: 'verify', how }) });
  const blocks = pages.after ? `, ${pages.after.blocks} pages with their checksums` : '';
  return `${seen ?? 'the end of the log'}${blocks}`;
}

/**
 * A copy of the database as it was at an instant (REQUIREMENTS B3), beside the database and verified: for people to take from it what
 * they need, or to put it in the database's place, which is a run of its own that another person agrees to (restore-swap-in).
 *
 * What holds between any two steps:
 * - the database is not touched, but for a row that is left in it: it serves its clients all the while, and no copy takes its place;
 * - all of the log that there is now is in the repositories before one of them is read: the instant is in it, and what came next;
 * - a copy has a name only when it is whole; it waits at the instant and takes no writes;
 * - a copy in which anything is of later than the instant is removed, and so is one that lacks what was there when its backup was begun.
 */
export const restorePointInTime = runbook<{ at: string }>('restore-point-in-time', async (run, { at }) => {
  const backup = await run.look('Find the way to the instant', () => work.lookForWay({ at }));
  await leaveRow(run);
  const seen = await tryOut(run, { backup, place: 'restore', to: at, end: undefined });
  return `a copy of the database as it was at ${at} is served beside it, read to ${seen ?? at}; the database is untouched`;
});

interface Trial {
  backup: Backup;
  place: 'verify' | 'restore';
  /** ISO time; null: to the end of the log. */
  to: string | null;
  /** The row that was left at the end of the log, where the copy has to have it. */
  end: Canary | undefined;
}

/** Restores a copy, has it read the log and compares it with what it has to be. @returns how far it has read: a position in the log */
async function tryOut(run: Run, { backup, place, to, end }: Trial): Promise<string | undefined> {
  const { label, repository, canary } = backup;
  await run.act({
    title: 'Restore a copy beside the database',
    act: (how) => long.restoreCopy({ place, backup: label, repository, to, how }),
    undo: { title: 'Remove the copy', act: (how) => long.removeCopy({ place, how }) },
  });
  await run.act({ title: 'Start the copy', act: (how) => long.startCopy({ place, how }) });
  const canaries = [canary, end].filter((one) => one !== undefined);
  const state = await run.verify('Compare it with what it has to be', () =>
    long.lookAtCopy({ place, expected: { canaries, to } }),
  );
  return state?.lsn;
}

/** So that there is something after every instant until now, and a copy can be told to have read all of the log. */
async function leaveRow(run: Run): Promise<Canary | undefined> {
  const deed: Deed<Canary> = await run.act({
    title: 'Leave a row at the end of the log',
    act: (how) => long.shipCanary({ how }),
  });
  return deed.after;
}
