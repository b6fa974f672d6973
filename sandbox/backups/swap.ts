import { existsSync } from 'node:fs';
import { chown, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Restored, Swap } from '../../core/backup';
import { filesOf, readReceipt, requireUnused, type Places } from './places';

/** A history of timelines, the newest of which is the copy's own. */
const HISTORY = /^[0-9A-F]{8}\.history$/;

/**
 * Puts a copy that was promoted and stopped in the place of a member's data; these stay beside it, under a name that tells of the
 * copy. Both are stopped. What was begun before is gone on with: there is no moment in which nobody could say what is what.
 * @throws Error where another copy is there, or somebody works on either
 */
export async function swapIn(places: Places, { place, copy, member }: Swap): Promise<{ aside: string }> {
  const files = filesOf(places, place);
  const { data, aside } = sidesOf(places, { place, copy, member });
  await requireUnused(data);
  await requireUnused(files.data);
  if (
    !existsSync(files.data) &&
    existsSync(data) &&
    (existsSync(aside) || (await wasOf(files.receipt)) === copy)
  )
    return { aside };
  const restored = await readReceipt(files);
  if (restored?.key !== copy) throw new Error(`there is no copy of ${copy} in ${place}`);
  await makeOrdinary(files.data);
  // A member in reserve has no data that could be kept.
  if (!existsSync(aside) && existsSync(data)) await rename(data, aside);
  await rename(files.data, data);
  return { aside };
}

/** Puts the member's data back where they were, and the copy too. */
export async function swapBack(places: Places, swap: Swap): Promise<{ aside: string }> {
  const files = filesOf(places, swap.place);
  const { data, aside } = sidesOf(places, swap);
  await requireUnused(data);
  if (!existsSync(aside)) return { aside };
  if (existsSync(data)) await rename(data, files.data);
  await rename(aside, data);
  return { aside };
}

/** Of which copy there was one in a place, whether it is still there or not. */
async function wasOf(receipt: string): Promise<string | undefined> {
  if (!existsSync(receipt)) return undefined;
  return (JSON.parse(await readFile(receipt, 'utf8')) as Restored).key;
}

function sidesOf({ members }: Places, { copy, member }: Swap): { data: string; aside: string } {
  const data = members[member];
  if (data === undefined) throw new Error(`the data of ${member} are not on this machine`);
  return { data, aside: `${data}-before-${copy.replaceAll(/[^\w-]+/g, '-')}` };
}

/**
 * Takes away what made it a copy: where to read the log and how far, and that it archives nothing. Its timeline was begun while it
 * archived nothing, so the history of that is marked to be archived: without it nobody could follow the log from the old timeline to it.
 */
async function makeOrdinary(data: string): Promise<void> {
  const settings = join(data, 'postgresql.auto.conf');
  const lines = (await readFile(settings, 'utf8')).split('\n');
  const kept = lines.filter((line) => !/^(restore_command|archive_mode|recovery_\w+) *=/.test(line));
  await writeFile(settings, kept.join('\n'));
  for (const name of ['recovery.signal', 'standby.signal', 'postmaster.pid'])
    await rm(join(data, name), { force: true });
  const newest = (await readdir(join(data, 'pg_wal')))
    .filter((name) => HISTORY.test(name))
    .toSorted()
    .at(-1);
  if (newest === undefined) return;
  const ready = join(data, 'pg_wal/archive_status', `${newest}.ready`);
  await writeFile(ready, '');
  const { uid, gid } = await stat(data);
  await chown(ready, uid, gid);
}
