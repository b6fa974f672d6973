import { execFile } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Who runs PostgreSQL where we are root, as whom it refuses to run: Debian's package brings this user. Else it is us. */
export const POSTGRES_USER = process.getuid?.() === 0 ? 'postgres' : undefined;

/** Makes PostgreSQL's user the owner of these files and folders. */
export async function give(paths: readonly string[]): Promise<void> {
  if (!POSTGRES_USER) return;
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (what) => Number((await run('id', [what, POSTGRES_USER])).stdout)),
  );
  await Promise.all(paths.map((path) => chown(path, uid!, gid!)));
}
