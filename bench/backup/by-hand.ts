import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORIES } from '../../core/backup';
import type { Sandbox } from '../../sandbox';
import { DATABASE_USERS, STANZA } from '../../sandbox/environment';
import { REPOSITORY_NUMBER, backupsHome } from '../../sandbox/parts/pgbackrest';
import { POSTGRES_USER, give } from '../../sandbox/postgres-user';
import { tool } from '../../sandbox/tools';

const run = promisify(execFile);

/** Fills the database, so that there is something to copy. @param scale of pgbench; each is some 15 MB */
export async function fill({ databaseUrl }: Sandbox, scale: number): Promise<void> {
  await run(tool('pgbench'), ['-i', '-q', '-s', `${scale}`, databaseUrl]);
}

/** Changes rows all over the largest table. */
export async function change({ databaseUrl }: Sandbox, transactions: number): Promise<void> {
  await run(tool('pgbench'), ['-n', '-t', `${transactions}`, databaseUrl]);
}

/** A backup into both repositories, as somebody would take it who knows the command. @returns ms */
export async function backUp(sandbox: Sandbox, type: 'full' | 'incr'): Promise<number> {
  const began = performance.now();
  for (const repository of REPOSITORIES)
    await pgbackrest(sandbox, 'pgbackrest.conf', [
      `--repo=${REPOSITORY_NUMBER[repository]}`,
      `--type=${type}`,
      'backup',
    ]);
  return performance.now() - began;
}

/**
 * The newest backup of the near repository, restored beside the database and removed again. Both repositories are read before, as the
 * runbook does.
 * @returns ms of the restore alone
 */
export async function restore(sandbox: Sandbox): Promise<number> {
  for (const repository of REPOSITORIES)
    await pgbackrest(sandbox, 'pgbackrest.conf', [`--repo=${REPOSITORY_NUMBER[repository]}`, 'verify']);
  const data = join(backupsHome(sandbox.dir), 'verify/data');
  await mkdir(data, { mode: 0o700 });
  await give([data]);
  try {
    const began = performance.now();
    await pgbackrest(sandbox, 'verify.conf', ['--repo=1', 'restore']);
    return performance.now() - began;
  } finally {
    await rm(data, { recursive: true });
  }
}

async function pgbackrest({ dir, env }: Sandbox, file: string, command: readonly string[]): Promise<void> {
  const config = join(backupsHome(dir), file);
  const call = [tool('pgbackrest'), `--config=${config}`, `--stanza=${STANZA}`, ...command];
  const [program = '', ...args] = POSTGRES_USER ? ['runuser', '-u', POSTGRES_USER, '--', ...call] : call;
  const PGPASSWORD = env[DATABASE_USERS.postgres.variable];
  await run(program, args, { cwd: '/', env: { ...process.env, PGPASSWORD } });
}
