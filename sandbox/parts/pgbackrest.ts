import { join } from 'node:path';
import type { Repository, ScratchPlace } from '../../core/backup';
import { BACKUPS_VARIABLE, DATABASE_USERS, STANZA } from '../environment';
import { databaseMembers, type DatabaseMember } from '../layout';
import { tool } from '../tools';
import { homeOf } from './member-home';
import type { Context } from './part';

/** S3's own name for the repository's folder. */
export const BUCKET = 'backups';
/** The only key that the S3 server of the sandbox knows; what is stored there is encrypted. */
const S3_KEY = 'S3RVER';

/** By what number pgBackRest knows a repository. */
export const REPOSITORY_NUMBER: Record<Repository, number> = { near: 1, offsite: 2 };

type Options = Record<string, string | number>;

/** Where everything is that is no member's own: the near repository, and what is restored beside the database. */
export function backupsHome(dir: string): string {
  return join(dir, 'backups');
}

/** The certificate of the S3 server, which has signed itself, and its key. */
export function storageFiles(dir: string): { data: string; key: string; certificate: string } {
  const home = join(dir, 'storage');
  return { data: join(home, 'data'), key: join(home, 'key.pem'), certificate: join(home, 'certificate.pem') };
}

/** A member's own configuration, which archives its log. */
export function memberFile(dir: string, member: DatabaseMember): string {
  return join(homeOf(dir, member), 'pgbackrest.conf');
}

/** What PostgreSQL is told, so that its log is archived: at the latest a minute after it was written (REQUIREMENTS B1). */
export function archiving({ dir, settings }: Context, member: DatabaseMember): Record<string, string> {
  if (!settings.backups) return {};
  return {
    archive_mode: 'on',
    archive_timeout: '60s',
    archive_command: `${tool('pgbackrest')} --config=${memberFile(dir, member)} --stanza=${STANZA} archive-push %p`,
  };
}

export function memberConfiguration(context: Context, member: DatabaseMember): string {
  const home = homeOf(context.dir, member);
  return configuration(context, join(home, 'pgbackrest'), { 'pg1-path': join(home, 'data') });
}

/** The configuration of who takes backups; it finds out itself which of the members is the primary. */
export function backupsConfiguration(context: Context): string {
  const { dir, settings } = context;
  const members = databaseMembers(settings.block).flatMap((member, index): [string, string | number][] => [
    [`pg${index + 1}-path`, join(homeOf(dir, member), 'data')],
    [`pg${index + 1}-socket-path`, homeOf(dir, member)],
    [`pg${index + 1}-port`, Number(member.postgres.split(':')[1])],
    [`pg${index + 1}-user`, DATABASE_USERS.postgres.user],
  ]);
  return configuration(context, join(backupsHome(dir), 'work'), Object.fromEntries(members));
}

/** The configuration of a copy: who restores it, and it itself as it reads the log. */
export function scratchConfiguration(context: Context, place: ScratchPlace): string {
  const home = join(backupsHome(context.dir), place);
  return configuration(context, join(backupsHome(context.dir), `work-${place}`), {
    'pg1-path': join(home, 'data'),
  });
}

/**
 * Both repositories; `work`: a folder of its own for whoever works by this configuration, as two that share locks get in each
 * other's way. Archiving goes through a queue on the member's disk: the primary does not wait for the other site.
 */
function configuration({ at, dir, secrets }: Context, work: string, stanza: Options): string {
  const [host = '', port = ''] = at.storage.split(':');
  const passphrase = secrets[BACKUPS_VARIABLE] ?? '';
  const common = (repository: Repository): Options => {
    const repo = `repo${REPOSITORY_NUMBER[repository]}`;
    return {
      [`${repo}-cipher-type`]: 'aes-256-cbc',
      [`${repo}-cipher-pass`]: passphrase,
      // Seven days back (REQUIREMENTS B3).
      [`${repo}-retention-full-type`]: 'time',
      [`${repo}-retention-full`]: 7,
    };
  };
  const global: Options = {
    ...common('near'),
    'repo1-path': join(backupsHome(dir), 'near'),
    ...common('offsite'),
    'repo2-type': 's3',
    'repo2-path': '/',
    'repo2-s3-bucket': BUCKET,
    'repo2-s3-endpoint': host,
    'repo2-s3-uri-style': 'path',
    'repo2-s3-region': 'us-west-1',
    'repo2-s3-key': S3_KEY,
    'repo2-s3-key-secret': S3_KEY,
    'repo2-bundle': 'y', // a request for every small file would take most of the time
    'repo2-storage-host': host,
    'repo2-storage-port': port,
    'repo2-storage-ca-file': storageFiles(dir).certificate,
    'archive-async': 'y',
    'spool-path': join(work, 'spool'),
    'lock-path': join(work, 'lock'),
    'log-level-file': 'off', // what has to be told is told to whoever runs it
    'log-level-console': 'warn',
    'compress-type': 'zst',
    'process-max': 2,
    'start-fast': 'y',
  };
  return `[global]\n${lines(global)}\n\n[${STANZA}]\n${lines(stanza)}\n`;
}

function lines(options: Options): string {
  return Object.entries(options)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}
