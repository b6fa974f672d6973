import {
  takenBy,
  toldOf,
  type Backup,
  type BackupType,
  type Canary,
  type Repository,
} from '../../core/backup';
import { SwitchoverError } from '../../core/errors';
import type { Deed, Intent } from '../../core/run';
import { beating } from '../beating';
import { backupsOf, type Deps } from '../deps';
import { ensure } from '../ensure';

/** Changes to backups. Each looks first and does nothing where the world is as wanted. */
export function backupActs(deps: Deps) {
  return {
    /**
     * Takes a backup into a repository. Right before it a row is left in the database, by which every copy made from it can be told
     * to have what it should.
     * @throws FLEET_REFUSED with pgBackRest's own words
     */
    takeBackup: beating(
      async (
        { type, repository, how }: { type: BackupType; repository: Repository; how: Intent },
        tell,
      ): Promise<Deed<Backup | null>> => {
        const { backups } = backupsOf(deps);
        return ensure(how, {
          look: async () => takenBy(await backups.listed(repository), how.key) ?? null,
          already: (backup) => backup && `${toldOf(backup)} is there`,
          intention: () =>
            `take ${type === 'full' ? 'a full' : 'an incremental'} backup into the ${repository} repository`,
          act: async () => {
            const canary = await backups.leaveCanary(how.key);
            await backups.take({ key: `${how.key}/${repository}`, type, repository, canary }, tell);
          },
          done: (_, backup) => `took ${backup ? toldOf(backup) : 'it'}`,
        });
      },
    ),

    /**
     * Leaves a row in the database and sees the log up to it arrive in every repository: a copy that has read the whole log has it.
     * Where the database is gone there is nothing to leave, and nothing that is not in the log already.
     * @throws VERIFY_FAILED where the log does not arrive
     */
    shipCanary: beating(async ({ how }: { how: Intent }): Promise<Deed<Canary>> => {
      if (how.mode === 'plan')
        return {
          changed: true,
          sentence: 'would leave a row that the copy has to have, and archive the log up to it',
        };
      const { backups } = backupsOf(deps);
      let after: Canary;
      try {
        after = await backups.leaveCanary(how.key);
      } catch (error) {
        if (!(error instanceof SwitchoverError) || error.code !== 'DATABASE_UNREACHABLE') throw error;
        return { changed: false, sentence: `no row is left, for the database is gone: ${error.message}` };
      }
      await backups.ship();
      return {
        changed: true,
        sentence: `a row was left at ${after.at}, and the log up to it is in every repository`,
        after,
      };
    }),
  };
}
