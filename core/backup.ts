/**
 * What is made of a look at the database's backups: which of them leads to an instant, and whether the log is archived without a
 * gap up to now (REQUIREMENTS B1, B3, B5). Pure rules; who looks is activities/adapters/pgbackrest.ts.
 *
 * A backup alone is a copy that took a while to make and is consistent at no instant. Only with the log that was written meanwhile it
 * is a database, and with the log written since then it is one of any later instant. So a backup leads to an instant where it had
 * ended before, and only forwards.
 */

/** Where backups are kept. `near` is the faster one, `offsite` is still there where the site is not. */
export const REPOSITORIES = ['near', 'offsite'] as const;
export type Repository = (typeof REPOSITORIES)[number];

/** Everything, or what has changed since the backup before. */
export const BACKUP_TYPES = ['full', 'incremental'] as const;
export type BackupType = (typeof BACKUP_TYPES)[number];

/** Where a copy is restored beside the database: to be tried out and removed again, or to be used. */
export const SCRATCH_PLACES = ['verify', 'restore'] as const;
export type ScratchPlace = (typeof SCRATCH_PLACES)[number];

/** A row of the database that tells later what a copy of it has to have. */
export interface Canary {
  /** Who left it: the key of a step. */
  token: string;
  /** When it was written, by the database's clock; ISO time with microseconds. */
  at: string;
}

/** A backup as its repository knows it. */
export interface Backup {
  /** `20300102-030405F`; of an incremental one that of its full one comes first. */
  label: string;
  repository: Repository;
  type: BackupType;
  /** ISO times. What it is of is an instant between the two, or any later one. */
  startedAt: string;
  stoppedAt: string;
  /** Of the log that makes it consistent: positions, `0/5000060`. */
  from: string;
  to: string;
  /** Of the database, and of what it took in the repository. */
  bytes: number;
  storedBytes: number;
  /** Whether pages of the database were damaged as they were copied. */
  damaged: boolean;
  /** That was left right before it was begun. */
  canary?: Canary;
}

/** How the log gets to the repositories. */
export interface Archiving {
  /** Segments of it, 16 MB each, that are whole and not yet in every repository. */
  waiting: number;
  /** When the last one got there, and when a try failed that no success came after; ISO times, null for never. */
  lastAt: string | null;
  failedAt: string | null;
}

/** Everything that was seen in one look. */
export interface BackupsView {
  backups: readonly Backup[];
  /** What is wrong with a repository, in words; left out where nothing is. */
  trouble: Partial<Record<Repository, string>>;
  /** Undefined where the database does not answer. */
  archiving?: Archiving;
}

/** What is restored beside the database; null where nothing is. */
export type Copies = Record<ScratchPlace, Restored | null>;

/** What a copy has to be restored from, and to which instant. */
export interface RestoreSource {
  backup: Backup;
  /** ISO time; null: to the end of the log. */
  to: string | null;
}

/** The newest backup of a repository. */
export function newestOf(
  { backups }: Pick<BackupsView, 'backups'>,
  repository: Repository,
): Backup | undefined {
  return backups
    .filter((backup) => backup.repository === repository)
    .toSorted((a, b) => a.stoppedAt.localeCompare(b.stoppedAt))
    .at(-1);
}

/** The backup that was taken by the step of this key. */
export function takenBy(backups: readonly Backup[], key: string): Backup | undefined {
  return backups.find(({ canary }) => canary?.token === key);
}

/**
 * From which backup one gets to an instant: the last that had ended before it, for from there the least has to be read again; the
 * nearer repository first where two are equally good.
 * @param at ISO time
 */
export function sourceFor(view: BackupsView, at: string): Backup | undefined {
  const before = view.backups.filter(({ stoppedAt }) => Date.parse(stoppedAt) <= Date.parse(at));
  const rank = ({ repository }: Backup) => REPOSITORIES.indexOf(repository);
  // Both repositories get theirs one after the other: a minute more to read is less than the way to the other site.
  const near = (a: Backup, b: Backup) => Math.abs(Date.parse(a.stoppedAt) - Date.parse(b.stoppedAt)) < 60_000;
  return before.toSorted((a, b) =>
    near(a, b) && rank(a) !== rank(b) ? rank(a) - rank(b) : b.stoppedAt.localeCompare(a.stoppedAt),
  )[0];
}

/** Why there is no way to an instant, in a sentence; null where there is one. @param at ISO time @param now ISO time */
export function whyNoWayTo(view: BackupsView, at: string, now: string): string | null {
  if (Date.parse(at) > Date.parse(now)) return `${at} is in the future; it is ${now}`;
  if (sourceFor(view, at)) return null;
  const oldest = view.backups.map(({ stoppedAt }) => stoppedAt).toSorted()[0];
  return oldest === undefined
    ? 'there is no backup at all'
    : `the oldest backup ended at ${oldest}, after ${at}: it leads only forwards`;
}

/**
 * Why the log is not archived up to now, in a sentence; null where it is. One segment may wait: the one that was ended last is just
 * on its way.
 */
export function archiveTrouble({ archiving }: BackupsView): string | null {
  if (!archiving) return 'the database does not say how far its log is archived';
  const { waiting, lastAt, failedAt } = archiving;
  const last = lastAt === null ? 'nothing was archived before' : `the last segment was archived at ${lastAt}`;
  if (failedAt !== null) return `archiving failed at ${failedAt}, and ${last}`;
  return waiting <= 1 ? null : `${waiting} segments of the log wait to be archived, and ${last}`;
}

/** A backup, in words. */
export function toldOf({ label, type, repository, bytes, storedBytes, from, to }: Backup): string {
  return `${type} backup ${label} in the ${repository} repository: ${megabytes(bytes)}, ${megabytes(storedBytes)} of it new there and compressed, log ${from} to ${to}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** A piece of work on backups, as their machine is told. Only one is done at a time. */
export type BackupTask = { key: string } & (
  | { do: 'backup'; type: BackupType; repository: Repository; canary: Canary }
  | { do: 'restore'; place: ScratchPlace; repository: Repository; backup: string; to: string | null }
  | { do: 'read'; repository: Repository }
  | { do: 'check'; place: ScratchPlace }
  | { do: 'remove'; place: ScratchPlace }
  | ({ do: 'swap in' | 'swap back' } & Swap)
);

/** A restored copy in the place of a member's data. */
export interface Swap {
  place: ScratchPlace;
  /** The key under which the copy was restored: no other one is put there. */
  copy: string;
  member: string;
}

/** What was read in a repository. */
export interface RepositoryCheck {
  files: number;
  /** In pgBackRest's words, each with the file: `invalid checksum '20300102-030405F/pg_data/base/1/2838.zst'`. */
  damaged: string[];
}

/** What was restored into a place, whole: as long as it is not, there is none. */
export interface Restored {
  /** The key of the step that had it restored. */
  key: string;
  backup: string;
  repository: Repository;
  /** ISO time; null: to the end of the log. */
  to: string | null;
}

/** What a copy says of itself once it has read the log as far as it should. */
export interface ScratchState {
  timeline: number;
  /** How far it has read the log: a position, and the time of the last commit, ISO time; null where there was none. */
  lsn: string;
  lastCommitAt: string | null;
  /** Every row of {@link Canary}, the newest first; a hundred at most. */
  canaries: Canary[];
  /** Tables and indexes whose structure was read, and what was wrong with them. */
  relations: number;
  wrong: string[];
}

/** Pages of a copy's files that were read, each with its checksum. */
export interface PageCheck {
  files: number;
  blocks: number;
}

/** What a copy has to be. */
export interface Expected {
  /** Of the backup that it was made from, and of the end of the log; each where there is one. */
  canaries: readonly Canary[];
  /** ISO time: nothing in it is of later than that; null where it has read all of the log. */
  to: string | null;
}

/** What a copy lacks of what it has to have, has that it must not, or has damaged; in words. */
export function differences(state: ScratchState, { canaries, to }: Expected): string[] {
  const lacking = canaries
    .filter((wanted) => !state.canaries.some(({ token, at }) => token === wanted.token && at === wanted.at))
    .map(({ at, token }) => `the row that ${token} left at ${at} is not in it`);
  const commits = [
    ...state.canaries.map(({ at }) => at),
    ...(state.lastCommitAt ? [state.lastCommitAt] : []),
  ];
  const later = to === null ? [] : commits.filter((at) => isAfter(at, to));
  return [...lacking, ...later.map((at) => `it has something of ${at}, after ${to}`), ...state.wrong];
}

/** Whether one ISO time is after another, to the microsecond: a Date keeps only milliseconds. */
export function isAfter(one: string, other: string): boolean {
  return targetTime(one) > targetTime(other);
}

/** An ISO time as PostgreSQL takes it for the target of a recovery, which knows neither `T` nor `Z`; in UTC, to the microsecond. */
export function targetTime(at: string): string {
  const seconds = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
  const fraction = /\.(\d+)/.exec(at)?.[1] ?? '';
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}+00`;
}
