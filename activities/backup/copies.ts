import {
  differences,
  type Expected,
  type PageCheck,
  type Repository,
  type Restored,
  type ScratchPlace,
  type ScratchState,
} from '../../core/backup';
import { SwitchoverError } from '../../core/errors';
import type { Deed, Finding, Intent } from '../../core/run';
import { beating } from '../beating';
import { backupsOf, type Deps } from '../deps';
import { ensure } from '../ensure';

/** Which copy a step is about: it is told by its key, so that nobody takes another run's for it. */
interface OfCopy {
  place: ScratchPlace;
  how: Intent;
}

/** What is restored, from where, and to which instant (ISO time; null: to the end of the log). */
export interface Restoring extends OfCopy {
  backup: string;
  repository: Repository;
  to: string | null;
}

/** Copies of the database that are restored beside it: nothing here touches the database itself. */
export function backupCopies(deps: Deps) {
  return {
    /**
     * Restores a backup into a place beside the database, in place of what is there. Whole or not at all: half a copy has no name.
     * @throws FLEET_REFUSED with pgBackRest's own words
     */
    restoreCopy: beating(
      async ({ place, backup, repository, to, how }: Restoring, tell): Promise<Deed<Restored | null>> => {
        const { scratch } = backupsOf(deps);
        const { key } = how;
        return ensure(how, {
          look: async () => (await scratch.copies())[place],
          already: (restored) => (restored?.key === key ? `${toldOfCopy(restored)} is whole` : null),
          intention: (before) => {
            const instead = before ? `, in place of ${toldOfCopy(before)}` : '';
            return `restore ${toldOfCopy({ key, backup, repository, to })} beside the database${instead}`;
          },
          act: async () => {
            await scratch.stop(place);
            await scratch.restore({ key, place, repository, backup, to }, tell);
          },
          done: (_, restored) =>
            `restored ${restored ? toldOfCopy(restored) : 'it'}: every file has its checksum`,
        });
      },
    ),

    /** Starts the copy, and waits until it has read the log as far as it should. @throws FLEET_REFUSED with its own last words */
    startCopy: beating(async ({ place, how }: OfCopy, tell): Promise<Deed> => {
      if (how.mode === 'plan')
        return { changed: true, sentence: 'would start the copy, where nobody but this run writes to it' };
      await backupsOf(deps).scratch.start(place, tell);
      return { changed: true, sentence: 'the copy has read the log as far as it should' };
    }),

    /**
     * Compares the copy with what it has to be.
     * @throws BACKUP_DAMAGED saying what it lacks, or has too much
     */
    lookAtCopy: beating(
      async ({
        place,
        expected,
      }: {
        place: ScratchPlace;
        expected: Expected;
      }): Promise<Finding<ScratchState>> => {
        const value = await backupsOf(deps).scratch.inspect(place);
        const wrong = differences(value, expected);
        if (wrong.length > 0)
          throw new SwitchoverError(
            'BACKUP_DAMAGED',
            `the copy is not what it should be: ${wrong.join('; ')}`,
          );
        const { timeline, lsn, lastCommitAt, relations } = value;
        const read = relations > 0 ? `, ${relations} tables and indexes are sound` : '';
        return {
          sentence: `the copy is on timeline ${timeline} at ${lsn}, its last commit of ${lastCommitAt ?? 'before the backup'}; it has every row that it has to have, and none of later${read}`,
          value,
        };
      },
    ),

    /** Stops the copy and reads every page of it. @throws FLEET_REFUSED naming the files whose pages are damaged */
    checkCopy: beating(async ({ place, how }: OfCopy, tell): Promise<Deed<PageCheck>> => {
      if (how.mode === 'plan')
        return { changed: true, sentence: 'would stop the copy and read every page of it' };
      const { scratch } = backupsOf(deps);
      await scratch.stop(place);
      const after = await scratch.check({ key: how.key, place }, tell);
      return {
        changed: true,
        sentence: `${after.blocks} pages in ${after.files} files have their checksums`,
        after,
      };
    }),

    /** Stops and removes what is in a place, whole or half. */
    removeCopy: beating(async ({ place, how }: OfCopy): Promise<Deed<Restored | null>> => {
      if (how.mode === 'plan') return { changed: true, sentence: 'would remove the copy' };
      const { scratch } = backupsOf(deps);
      await scratch.stop(place);
      await scratch.remove({ key: how.key, place });
      return { changed: true, sentence: 'the copy is removed' };
    }),
  };
}

function toldOfCopy({ backup, repository, to }: Restored): string {
  return `a copy of ${backup} out of the ${repository} repository, read ${to === null ? 'to the end of the log' : `to ${to}`}`;
}
