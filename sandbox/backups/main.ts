import { mkdir, rename, rm, stat, writeFile, chown } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  REPOSITORIES,
  targetTime,
  type BackupTask,
  type PageCheck,
  type Repository,
  type RepositoryCheck,
  type Restored,
} from '../../core/backup';
import { messageOf } from '../../core/errors';
import { filesOf, readPlaces, readReceipt, requireUnused, type Places } from './places';
import { run } from './run';
import { swapBack, swapIn } from './swap';
import { verified } from './verified';

/** How long whoever started this may take to say what is to be done, ms. */
const TOLD_MS = 10_000;
/** Time between two lines of progress, ms. */
const TELL_MS = 500;

/**
 * Works on backups of a database, with pgBackRest. Usage: `main.js --home FOLDER --stanza NAME --bin FOLDER --pgbackrest PROGRAM
 * --member NAME=DATA …`. Which copies there are is told by `copies.sh` beside it, which backups by pgBackRest itself.
 *
 * Reads a line of JSON from its input, a `BackupTask`, does it, tells what pgBackRest tells meanwhile, and prints a line of JSON with the
 * task's key at the end. Who starts it sees to it that it runs once at a time; pgBackRest's own locks are the second net.
 *
 * What is restored gets its name when it is whole, so half a copy is never started.
 */
async function main(): Promise<void> {
  const places = readPlaces();
  const task = await readTask();
  if (!task) return print({ key: null });
  print({ key: task.key, ...(await carryOut(places, task)) });
}

async function carryOut(places: Places, task: BackupTask): Promise<object> {
  switch (task.do) {
    case 'backup':
      return backUp(places, task);
    case 'restore':
      return restore(places, task);
    case 'read':
      return read(places, task);
    case 'check':
      return checkPages(places, task);
    case 'remove':
      return remove(places, task);
    case 'swap in':
      return swapIn(places, task);
    case 'swap back':
      return swapBack(places, task);
  }
}

type Task<Kind extends BackupTask['do']> = Extract<BackupTask, { do: Kind }>;

async function backUp(places: Places, { type, repository, canary }: Task<'backup'>): Promise<object> {
  const annotations = Object.entries({ 'canary-token': canary.token, 'canary-at': canary.at });
  const options = [
    `--type=${type === 'full' ? 'full' : 'incr'}`,
    `--repo=${numberOf(repository)}`,
    ...annotations.map(([name, value]) => `--annotation=${name}=${value}`),
  ];
  await run(
    places.home,
    pgbackrest(places, 'pgbackrest.conf', ['--log-level-console=detail', ...options, 'backup']),
    tell,
  );
  return {};
}

/** Every file of a repository, against what its backups and names say it should be. */
async function read(places: Places, { repository }: Task<'read'>): Promise<RepositoryCheck> {
  const options = [`--repo=${numberOf(repository)}`, '--output=text', '--verbose'];
  const verify = pgbackrest(places, 'pgbackrest.conf', ['--log-level-console=detail', ...options, 'verify']);
  return verified(await run(places.home, verify, tell));
}

/** The same copy is not restored twice, so that whoever asks again gets what there is. */
async function restore(places: Places, task: Task<'restore'>): Promise<object> {
  const { key, place, repository, backup, to } = task;
  const files = filesOf(places, place);
  if ((await readReceipt(files))?.key === key) return {};
  await remove(places, task);
  const { uid, gid } = await stat(places.home);
  await mkdir(files.restoring, { mode: 0o700 });
  await chown(files.restoring, uid, gid);
  const again = pgbackrest(places, `${place}.conf`, [
    `--repo=${numberOf(repository)}`,
    'archive-get',
    '%f',
    '"%p"',
  ]);
  const target = to === null ? [] : ['--type=time', `--target=${targetTime(to)}`, '--target-action=pause'];
  const options = [
    `--repo=${numberOf(repository)}`,
    `--set=${backup}`,
    `--pg1-path=${files.restoring}`,
    '--archive-mode=off',
    '--job-retry=0', // what is damaged stays so
    `--recovery-option=restore_command=${again.join(' ')}`,
    ...target,
  ];
  await run(
    places.home,
    pgbackrest(places, `${place}.conf`, ['--log-level-console=detail', ...options, 'restore']),
    tell,
  );
  await rename(files.restoring, files.data);
  const receipt: Restored = { key, backup, repository, to };
  await writeFile(files.receipt, JSON.stringify(receipt), { mode: 0o600 });
  await chown(files.receipt, uid, gid);
  return {};
}

/** Reads every page of a copy that is stopped. @throws Error naming the files whose pages do not fit their checksums */
async function checkPages(places: Places, { place }: Task<'check'>): Promise<PageCheck> {
  const { data } = filesOf(places, place);
  await requireUnused(data);
  const said = await run(places.home, [join(places.bin, 'pg_checksums'), '--check', '-D', data]);
  const count = (what: string) => Number(said.find((line) => line.startsWith(what))?.split(':')[1] ?? 0);
  return { files: count('Files scanned'), blocks: count('Blocks scanned') };
}

/** Half a copy, and a whole one with its receipt first: what is left without one is none. */
async function remove(places: Places, { place }: { place: Task<'remove'>['place'] }): Promise<object> {
  const { data, restoring, receipt } = filesOf(places, place);
  await requireUnused(data);
  await rm(receipt, { force: true });
  for (const folder of [data, restoring]) await rm(folder, { recursive: true, force: true });
  return {};
}

/** Undefined where nobody says anything: who started this was killed before it could. */
async function readTask(): Promise<BackupTask | undefined> {
  const lines = createInterface({ input: process.stdin });
  const first = new Promise<string>((resolve) => lines.once('line', resolve));
  const line = await Promise.race([first, delay(TOLD_MS, undefined, { ref: false })]);
  lines.close();
  process.stdin.destroy();
  return line === undefined ? undefined : (JSON.parse(line) as BackupTask);
}

function pgbackrest(
  { home, stanza, pgbackrest: program }: Places,
  file: string,
  args: readonly string[],
): string[] {
  return [program, `--config=${join(home, file)}`, `--stanza=${stanza}`, ...args];
}

/** By what number pgBackRest's configuration knows a repository. */
function numberOf(repository: Repository): number {
  return REPOSITORIES.indexOf(repository) + 1;
}

let toldAt = -TELL_MS;

/** Tells what pgBackRest tells, a line a file, as often as anybody looks. */
function tell(line: string): void {
  const now = performance.now();
  if (now - toldAt < TELL_MS) return;
  toldAt = now;
  console.log(line);
}

function print(answer: object): void {
  console.log(JSON.stringify(answer));
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
