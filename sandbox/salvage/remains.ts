import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Remains } from '../../core/partition';
import { messageOf } from '../../core/errors';
import { allProcesses } from '../proc';

const run = promisify(execFile);
/** What PostgreSQL says of data that a primary wrote last; a standby's are in recovery. */
const PRIMARY = ['in production', 'shutting down', 'shut down', 'in crash recovery'];

/**
 * What is left of a member, as its own machine knows it, whether it is reached over the network or not: how many of its processes
 * there are, and what its data say it was. The last line that is printed is a `Remains`. Nothing is changed.
 *
 * Usage: `remains.js --data FOLDER --bin FOLDER`
 */
async function main(): Promise<void> {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({ options: { data: option, bin: option } });
  const { data = '', bin = '' } = values;
  const home = dirname(data);
  const processes = (await allProcesses()).filter(
    ({ pid, alive, folder, command }) =>
      alive && pid !== process.pid && (folder === data || command.includes(`${home}/`)),
  );
  const remains: Remains = { processes: processes.length, ...(await dataOf(data, bin)) };
  console.log(JSON.stringify(remains));
}

/** Nothing where there are no data that PostgreSQL could read. */
async function dataOf(data: string, bin: string): Promise<Pick<Remains, 'data'>> {
  if (!existsSync(data)) return {};
  const { uid, gid } = await stat(data);
  const { stdout } = await run(join(bin, 'pg_controldata'), [data], {
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    env: { ...process.env, LC_ALL: 'C' },
  }).catch(() => ({ stdout: '' }));
  const said = new Map(stdout.split('\n').map((line) => line.split(/:\s+/, 2) as [string, string]));
  const state = said.get('Database cluster state');
  if (state === undefined) return {};
  // A standby has replayed beyond its checkpoint, perhaps onto a timeline that this does not name yet.
  const timelines = ["Latest checkpoint's TimeLineID", "Min recovery ending loc's timeline"];
  const timeline = Math.max(...timelines.map((name) => Number(said.get(name) ?? 0)));
  return { data: { state, wasPrimary: PRIMARY.includes(state), timeline } };
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
