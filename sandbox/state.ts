import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SwitchoverError } from '../core/errors';
import {
  BACKUPS_VARIABLE,
  DATABASE_USERS,
  DATABASE_VARIABLE,
  DNS_KEY_VARIABLES,
  FLEET_PASSWORD_VARIABLE,
  SENTINEL_VARIABLE,
  SESSIONS_VARIABLE,
  TOKEN_VARIABLES,
} from './environment';
import { sharedAddresses } from './layout';
import { HOME, type Settings } from './settings';

/** The files of a sandbox, all below its state directory. */
export function filesOf(dir: string) {
  return {
    settings: join(dir, 'settings.json'),
    secrets: join(dir, 'secrets.json'),
    /** The environment file, for `SWITCHOVER_CONFIG`. */
    config: join(dir, 'switchover.yaml'),
    supervisor: join(dir, 'supervisord.conf'),
    /** One log a program. */
    logs: join(dir, 'logs'),
    /** Fault files of the nodes. */
    faults: join(dir, 'faults'),
    /** What the notification sink received, one JSON object a line. */
    notifications: join(dir, 'notifications.jsonl'),
  };
}

/** Values of the environment variables that the environment file names. */
export type Secrets = Record<string, string>;

/** The settings an earlier `up` left in `dir`; undefined where there is no sandbox. */
export async function savedSettings(dir: string): Promise<Settings | undefined> {
  return readJson<Settings>(filesOf(dir).settings);
}

/** The secrets of the sandbox in `dir`; undefined where there is no sandbox. */
export async function savedSecrets(dir: string): Promise<Secrets | undefined> {
  return readJson<Secrets>(filesOf(dir).secrets);
}

/**
 * Makes `dir` a sandbox's, or checks that it is one, and remembers its settings. Secrets are made once and kept.
 * @throws BAD_INPUT where `dir` holds something else or belongs to somebody else.
 */
export async function claim(dir: string, settings: Settings): Promise<Secrets> {
  await mkdir(dir, { recursive: true });
  await refuseForeign(dir);
  await chmod(dir, 0o711); // Postgres runs as another user and must get through
  const files = filesOf(dir);
  await writePrivate(files.settings, JSON.stringify(settings));
  await Promise.all([files.logs, files.faults].map((path) => mkdir(path, { recursive: true })));
  const secrets = (await savedSecrets(dir)) ?? newSecrets(settings);
  await writePrivate(files.secrets, JSON.stringify(secrets, null, 2));
  return secrets;
}

/**
 * Removes the state directory, and {@link HOME} with the last sandbox in it.
 * @throws BAD_INPUT where `dir` holds something other than a sandbox.
 */
export async function discard(dir: string): Promise<void> {
  if (!(await exists(dir))) return;
  await refuseForeign(dir);
  await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  if (dirname(dir) === HOME) await rmdir(HOME).catch(() => undefined); // others may be in it
}

/** Writes a file that only its owner may read; readers see the old content or the new one, never half of it. */
export async function writePrivate(path: string, content: string): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, content, { mode: 0o600 });
  await rename(draft, path);
}

async function refuseForeign(dir: string): Promise<void> {
  const { uid } = await stat(dir);
  const problem =
    uid !== process.getuid?.()
      ? `belongs to another user (uid ${uid})`
      : (await readdir(dir)).length > 0 && !(await exists(filesOf(dir).settings))
        ? 'holds files that no sandbox made'
        : undefined;
  if (!problem) return;
  throw new SwitchoverError(
    'BAD_INPUT',
    `${dir} cannot be the sandbox's state directory: it ${problem}. Name an empty or new one.`,
  );
}

function newSecrets(settings: Settings): Secrets {
  const secret = (): string => randomBytes(24).toString('hex');
  return {
    ...Object.fromEntries(Object.values(TOKEN_VARIABLES).map((variable) => [variable, secret()])),
    [FLEET_PASSWORD_VARIABLE]: secret(),
    [SESSIONS_VARIABLE]: secret(),
    [SENTINEL_VARIABLE]: secret(),
    ...Object.fromEntries(Object.values(DNS_KEY_VARIABLES).map((variable) => [variable, secret()])),
    [BACKUPS_VARIABLE]: secret(),
    ...Object.fromEntries(Object.values(DATABASE_USERS).map(({ variable }) => [variable, secret()])),
    [DATABASE_VARIABLE]: `postgres://switchover:${secret()}@${sharedAddresses(settings.block).journal}/postgres`,
  };
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
