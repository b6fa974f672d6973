import { execFile } from 'node:child_process';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { SwitchoverError, messageOf } from '../../core/errors';
import { DATABASE_VARIABLE } from '../environment';
import { POSTGRES_USER, give } from '../postgres-user';
import { flags, tool } from '../tools';
import type { Context, Part } from './part';

const run = promisify(execFile);

export const JOURNAL = 'Postgres (journal)';

/** The journal's own small Postgres, apart from the fleet's databases. */
export function journal({ at, dir, secrets }: Context): Part {
  const home = join(dir, 'journal');
  const url = secrets[DATABASE_VARIABLE] ?? '';
  const [host = '', port = ''] = at.journal.split(':');
  const options = {
    listen_addresses: host,
    port,
    unix_socket_directories: '',
    max_connections: '50',
    fsync: 'off',
  };
  const settings = Object.entries(options).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const command = () => [tool('postgres'), '-D', join(home, 'data'), ...settings];
  return {
    name: JOURNAL,
    after: [],
    programs: [{ name: 'journal', command, listens: [at.journal], user: POSTGRES_USER }],
    prepare: () => create(home, new URL(url).password),
    ready: () => connect(url),
  };
}

/** Makes the database cluster, once. It gets its final name when it is complete: half a cluster is never started. */
async function create(home: string, password: string): Promise<void> {
  const data = join(home, 'data');
  // What holds this file is dead by now, but where nobody reaps it yet Postgres would take it for alive.
  await rm(join(data, 'postmaster.pid'), { force: true });
  if (await stat(data).catch(() => undefined)) return;
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { mode: 0o700 });
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const draft = join(home, 'draft');
  const options = flags({
    pgdata: draft,
    username: 'switchover',
    pwfile: passwordFile,
    auth: 'scram-sha-256',
    encoding: 'UTF8',
    locale: 'C',
    'no-sync': true,
    'no-instructions': true,
  });
  const initdb = [tool('initdb'), ...options];
  try {
    await give([home, passwordFile]);
    const [program = '', ...args] = POSTGRES_USER
      ? ['runuser', '-u', POSTGRES_USER, '--', ...initdb]
      : initdb;
    await run(program, args, { cwd: '/' });
  } catch (error) {
    throw new SwitchoverError(
      'SANDBOX',
      `initdb could not make the journal's database in ${draft}: ${messageOf(error)}`,
    );
  }
  await rm(passwordFile);
  await rename(draft, data);
}

async function connect(connectionString: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined); // connect() and query() say the same
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}
