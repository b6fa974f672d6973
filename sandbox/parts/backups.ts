import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORIES, SCRATCH_PLACES, type ScratchPlace } from '../../core/backup';
import { messageOf } from '../../core/errors';
import { BACKUPS_PROGRAM, COPIES_PROGRAM, repositoryProgram, scratchProgram } from '../../core/topology';
import { DATABASE_USERS, STANZA } from '../environment';
import { POSTGRES_USER, give } from '../postgres-user';
import { writePrivate } from '../state';
import { ROOT, built, tool } from '../tools';
import { databaseMembers, reserveMembers } from '../layout';
import { homeOf } from './member-home';
import type { Context, Part, Program } from './part';
import {
  BUCKET,
  REPOSITORY_NUMBER,
  backupsConfiguration,
  backupsHome,
  scratchConfiguration,
  storageFiles,
} from './pgbackrest';

const run = promisify(execFile);

/** The entry of what works on backups. */
const AGENT = 'sandbox/backups/main.js';
/** How long a repository may take to answer, s. pgBackRest tries four times: that is over before whoever looks gives up. */
const ANSWERS_S = 5;
/** pgBackRest does not end what it prints as JSON with a line's end. */
const ON_A_LINE = ['/bin/sh', '-c', '"$@" && echo', 'sh'];
/** Tells which copies there are. */
const COPIES = join(ROOT, 'sandbox/backups/copies.sh');

/**
 * Backups of the fleet's database: an S3 server as the second site, and the programs that take backups, tell which there are and
 * restore copies beside the database. The members archive their logs themselves.
 */
export function backups(context: Context): Part {
  const { settings } = context;
  return {
    name: 'Backups',
    after: ['Database'],
    wanted: settings.database && settings.backups,
    programs: [
      storage(context),
      ...agents(context),
      ...SCRATCH_PLACES.map((place) => scratch(context, place)),
    ],
    prepare: () => prepare(context),
    settle: () => settle(context),
    ready: () => pgbackrest(context, ['info', '--output=json']),
  };
}

/** pgBackRest speaks to S3 over TLS alone. */
function storage({ at, dir }: Context): Program {
  const { data, key, certificate } = storageFiles(dir);
  const [host = '', port = ''] = at.storage.split(':');
  const program = join(ROOT, 'node_modules/s3rver/bin/s3rver.js');
  const options = ['-d', data, '-a', host, '-p', port, '--silent', '--key', key, '--cert', certificate];
  return {
    name: 'storage',
    command: () => [
      process.execPath,
      program,
      ...options,
      '--no-vhost-buckets',
      '--configure-bucket',
      BUCKET,
    ],
    listens: [at.storage],
  };
}

function agents({ dir, secrets, settings }: Context): Program[] {
  const home = backupsHome(dir);
  const members = [...databaseMembers(settings.block), ...reserveMembers(settings)].map(
    (member) => `--member=${member.name}=${join(homeOf(dir, member), 'data')}`,
  );
  const agent = (name: string, command: () => string[]): Program => ({
    name,
    command,
    environment: { PGPASSWORD: secrets[DATABASE_USERS.postgres.variable] ?? '' },
    listens: [],
    task: true,
  });
  return [
    agent(BACKUPS_PROGRAM, () => [
      process.execPath,
      built(AGENT),
      `--home=${home}`,
      `--stanza=${STANZA}`,
      `--bin=${dirname(tool('postgres'))}`,
      `--pgbackrest=${tool('pgbackrest')}`,
      ...members,
    ]),
    ...REPOSITORIES.map((repository) => ({
      ...agent(repositoryProgram(repository), () => [
        ...ON_A_LINE,
        tool('pgbackrest'),
        `--config=${join(home, 'pgbackrest.conf')}`,
        `--stanza=${STANZA}`,
        `--repo=${REPOSITORY_NUMBER[repository]}`,
        `--io-timeout=${ANSWERS_S}`,
        '--output=json',
        'info',
      ]),
      user: POSTGRES_USER,
    })),
    agent(COPIES_PROGRAM, () => [COPIES, home, ...SCRATCH_PLACES]),
  ];
}

/**
 * Never archives: what it writes is no part of the database's history. It commits alone, as it has no standby. Its settings name files of
 * the member that it was taken from, which may be gone.
 */
function scratch({ at, dir }: Context, place: ScratchPlace): Program {
  const home = join(backupsHome(dir), place);
  const [host = '', port = ''] = at.scratch[place].split(':');
  const settings = {
    listen_addresses: host,
    port,
    unix_socket_directories: home,
    archive_mode: 'off',
    primary_conninfo: '',
    primary_slot_name: '',
    synchronous_standby_names: '',
    hba_file: join(home, 'data', 'pg_hba.conf'),
    ident_file: join(home, 'data', 'pg_ident.conf'),
    logging_collector: 'off',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    name: scratchProgram(place),
    command: () => [tool('postgres'), '-D', join(home, 'data'), ...options],
    listens: [at.scratch[place]],
    user: POSTGRES_USER,
    stopSignal: 'INT', // else it would wait for those who are connected
    standby: true,
  };
}

async function prepare(context: Context): Promise<void> {
  const { dir } = context;
  const home = backupsHome(dir);
  const files = [
    [join(home, 'pgbackrest.conf'), backupsConfiguration(context)],
    ...SCRATCH_PLACES.map((place) => [join(home, `${place}.conf`), scratchConfiguration(context, place)]),
  ] as [string, string][];
  const places = SCRATCH_PLACES.map((place) => join(home, place));
  for (const folder of [home, join(home, 'near'), ...places])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [path, content] of files) await writePrivate(path, content);
  await give([home, join(home, 'near'), ...places, ...files.map(([path]) => path)]);
  await certify(context);
}

/** The server's certificate. pgBackRest asks for the name in it even where that is an address. */
async function certify({ at, dir }: Context): Promise<void> {
  const { key, certificate } = storageFiles(dir);
  const [host = ''] = at.storage.split(':');
  await mkdir(dirname(key), { recursive: true, mode: 0o711 }); // PostgreSQL's user reads the certificate
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-days', '3650'];
  const made = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    key,
    '-out',
    certificate,
  ];
  await run(tool('openssl'), ['req', '-x509', ...made, ...subject]);
  await run('chmod', ['644', certificate]);
}

/** Makes the repositories, once, and sees a segment of the log arrive in both. */
async function settle(context: Context): Promise<void> {
  await pgbackrest(context, ['stanza-create']);
  await pgbackrest(context, ['check', '--archive-timeout=20']);
}

async function pgbackrest(context: Context, command: readonly string[]): Promise<string> {
  const { dir, secrets } = context;
  const config = join(backupsHome(dir), 'pgbackrest.conf');
  const call = [tool('pgbackrest'), `--config=${config}`, `--stanza=${STANZA}`, ...command];
  const [program = '', ...args] = POSTGRES_USER ? ['runuser', '-u', POSTGRES_USER, '--', ...call] : call;
  const PGPASSWORD = secrets[DATABASE_USERS.postgres.variable] ?? '';
  const { stdout } = await run(program, args, { cwd: '/', env: { ...process.env, PGPASSWORD } }).catch(
    (error: { stdout?: string }) => {
      throw new Error(`pgBackRest: ${error.stdout?.trim().split('\n').at(-1) || messageOf(error)}`);
    },
  );
  return stdout;
}
