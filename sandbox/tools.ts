import { constants, accessSync, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { SwitchoverError } from '../core/errors';

/** The project's root directory, the same from the sources and from `dist` (which may hold a package.json too). */
export const ROOT = ancestorWith(__dirname, 'package-lock.json');

/** `PATH` as the sandbox's programs get it: Debian keeps HAProxy where only root looks. */
export const SEARCH_PATH = [process.env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(
  delimiter,
);

/** Where programs are that Debian or the set-up keep off PATH. */
const ELSEWHERE: Record<string, string[]> = {
  temporal: [join(ROOT, '.switchover/venv/bin')],
  moto_server: [join(ROOT, '.switchover/venv-route53/bin')],
  initdb: ['/usr/lib/postgresql/15/bin'],
  postgres: ['/usr/lib/postgresql/15/bin'],
};

/**
 * The full path of a program that `scripts/setup` installs. Temporal's may be named by `SWITCHOVER_TEMPORAL_BIN`.
 * @throws SANDBOX naming the program and what to do.
 */
export function tool(name: string): string {
  const named = name === 'temporal' ? process.env['SWITCHOVER_TEMPORAL_BIN'] : undefined;
  const folders = [...(ELSEWHERE[name] ?? []), ...SEARCH_PATH.split(delimiter).filter(Boolean)];
  const found = named ?? folders.map((folder) => join(folder, name)).find(isExecutable);
  if (found && isExecutable(found)) return found;
  throw new SwitchoverError(
    'SANDBOX',
    named
      ? `SWITCHOVER_TEMPORAL_BIN is ${named}, which is no program that can be run.`
      : `The program ${name} is not installed. Run scripts/setup, which installs it or says how.`,
  );
}

/** Command line arguments `--name value`; a list repeats its flag, `true` is a flag without value. */
export function flags(values: Readonly<Record<string, string | true | readonly string[]>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === true) return [`--${name}`];
    return [value].flat().flatMap((one) => [`--${name}`, one]);
  });
}

/** The path of a built program of ours, `dist/<name>`; whether it is there is another matter, see {@link isBuilt}. */
export function built(name: string): string {
  return join(ROOT, 'dist', name);
}

/** @throws SANDBOX unless the build made `dist/<name>`. */
export function requireBuilt(name: string): void {
  if (isBuilt(name)) return;
  throw new SwitchoverError('SANDBOX', `${built(name)} is missing. Build it with \`npm run build\`.`);
}

/** Whether the build made `dist/<name>`. */
export function isBuilt(name: string): boolean {
  return existsSync(built(name));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function ancestorWith(start: string, file: string): string {
  return existsSync(join(start, file)) ? start : ancestorWith(dirname(start), file);
}
