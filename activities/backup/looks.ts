import {
  REPOSITORIES,
  archiveTrouble,
  newestOf,
  sourceFor,
  toldOf,
  whyNoWayTo,
  type Archiving,
  type Backup,
  type BackupsView,
  type Repository,
  type RepositoryCheck,
} from '../../core/backup';
import { SwitchoverError } from '../../core/errors';
import type { Finding } from '../../core/run';
import { beating } from '../beating';
import { backupsOf, type Deps } from '../deps';

/** What there is to restore from. */
export interface BackupsSeen {
  count: number;
  newest: Partial<Record<Repository, Backup>>;
  archiving?: Archiving;
}

/** Looks at backups. */
export function backupLooks(deps: Deps) {
  return {
    /** Which backups there are, and whether the log since then is safe too. What is wrong is told; it is no failure of a look. */
    lookAtBackups: beating<void, Finding<BackupsSeen>>(async () => {
      const view = await backupsOf(deps).backups.look();
      const newest = Object.fromEntries(REPOSITORIES.map((name) => [name, newestOf(view, name)]));
      const { backups, archiving } = view;
      return {
        sentence: [...REPOSITORIES.map((name) => toldOfRepository(view, name)), toldOfArchive(view)].join(
          '; ',
        ),
        value: { count: backups.length, newest, ...(archiving ? { archiving } : {}) },
      };
    }),

    /** The newest backup of a repository. @throws NO_BACKUP where there is none */
    lookAtNewest: beating(async ({ repository }: { repository: Repository }): Promise<Finding<Backup>> => {
      const backups = await backupsOf(deps).backups.listed(repository);
      const value = newestOf({ backups }, repository);
      if (value) return { sentence: toldOf(value), value };
      throw new SwitchoverError('NO_BACKUP', `there is no backup in the ${repository} repository`);
    }),

    /**
     * From which backup one gets to an instant. @param at ISO time
     * @throws NO_BACKUP where there is no way to it
     */
    lookForWay: beating(async ({ at }: { at: string }): Promise<Finding<Backup>> => {
      const view = await backupsOf(deps).backups.look();
      const trouble = whyNoWayTo(view, at, new Date().toISOString());
      const value = trouble === null ? sourceFor(view, at) : undefined;
      if (!value) throw new SwitchoverError('NO_BACKUP', `nothing leads to ${at}: ${trouble}`);
      return { sentence: `${toldOf(value)}, which ended at ${value.stoppedAt}, leads to ${at}`, value };
    }),

    /** Reads everything in a repository. @throws BACKUP_DAMAGED naming the files that are not what they were */
    readRepository: beating(
      async ({ repository }: { repository: Repository }, tell): Promise<Finding<RepositoryCheck>> => {
        const value = await backupsOf(deps).backups.read(repository, tell);
        const { files, damaged } = value;
        if (damaged.length === 0)
          return { sentence: `all ${files} files of the ${repository} repository are what they were`, value };
        const more = damaged.length > 3 ? ` and ${damaged.length - 3} more` : '';
        const message = `the ${repository} repository is damaged: ${damaged.slice(0, 3).join('; ')}${more}`;
        throw new SwitchoverError('BACKUP_DAMAGED', message, damaged.slice(0, 100));
      },
    ),
  };
}

function toldOfRepository(view: BackupsView, repository: Repository): string {
  const trouble = view.trouble[repository];
  if (trouble !== undefined) return `the ${repository} repository is not well (${trouble})`;
  const newest = newestOf(view, repository);
  return newest
    ? `the newest backup in the ${repository} repository, ${newest.label}, ended at ${newest.stoppedAt}`
    : `no backup in the ${repository} repository yet`;
}

function toldOfArchive(view: BackupsView): string {
  return archiveTrouble(view) ?? 'the log is archived up to now';
}
