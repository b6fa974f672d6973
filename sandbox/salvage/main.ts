import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import type { Salvage } from '../../core/database';
import { messageOf } from '../../core/errors';
import { Log, forkOf, position, type Ended } from './log';
import { lineOf, savedRows, type SavedRow } from './rows';
import { startLonely } from './server';

const SEGMENT = /^[0-9A-F]{24}$/;

/** Where the member's data, PostgreSQL's programs and what is saved are. */
interface Places {
  data: string;
  bin: string;
  saved: string;
}

/**
 * Saves what only this member has, a former primary: rows of transactions that it committed and its successor never heard of.
 * They go to a file, a row a line, each with what its successor has in its place; the last line that is printed counts them.
 *
 * Usage: `main.js --data FOLDER --bin FOLDER --saved FOLDER`, the successor's address in DATABASE_URL. The member is fenced, and
 * stays so: its PostgreSQL is started for the reading, where nobody but this program reaches it. What that writes to the data is
 * what any start after a crash writes. It has to be done before the member follows its successor, which throws away what is saved
 * here.
 */
async function main(): Promise<void> {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({ options: { data: option, bin: option, saved: option } });
  const { data = '', bin = '', saved = '' } = values;
  const successor = new Client({ connectionString: process.env['DATABASE_URL'] });
  await successor.connect();
  try {
    console.log(JSON.stringify(await salvage({ data, bin, saved }, successor)));
  } finally {
    await successor.end();
  }
}

async function salvage(places: Places, successor: Client): Promise<Salvage> {
  // One whose disk is new, or that was being made, has nothing that could be saved.
  const files = existsSync(places.data) ? await readdir(join(places.data, 'pg_wal')) : [];
  const segments = files.filter((name) => SEGMENT.test(name)).toSorted();
  const timeline = Number.parseInt(segments.at(-1)?.slice(0, 8) ?? '0', 16);
  const nothing = { timeline, transactions: 0, deleted: 0, missing: 0, different: 0, same: 0 };
  if (timeline === 0) return nothing;
  const fork = await forkOff(successor, timeline);
  if (fork === null) return nothing;
  const first = segments.find((name) => Number.parseInt(name.slice(0, 8), 16) === timeline)!;
  const ended = await readLog(places, { timeline, first, fork });
  if (ended.length === 0) return { ...nothing, fork };
  const rows = await readRows(places, successor, ended);
  await mkdir(places.saved, { recursive: true, mode: 0o700 });
  const file = join(places.saved, `timeline-${timeline}-from-${fork.replace('/', '-')}.jsonl`);
  await writeFile(file, rows.map(lineOf).join(''), { mode: 0o600 });
  const count = (fate: SavedRow['fate']) => rows.filter((row) => row.fate === fate).length;
  return {
    timeline,
    fork,
    transactions: ended.length,
    deleted: ended.reduce((sum, { deleted }) => sum + deleted, 0),
    missing: count('missing'),
    different: count('different'),
    same: count('same'),
    file,
  };
}

/** Where the successor's history left this timeline; null where it is still on it. */
async function forkOff(successor: Client, timeline: number): Promise<string | null> {
  const { rows } = await successor.query<{ now: string }>(
    'SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS now',
  );
  const { now } = rows[0]!;
  if (Number.parseInt(now, 16) === timeline) return null;
  const file = `pg_wal/${now}.history`;
  const told = await successor.query<{ history: string }>('SELECT pg_read_file($1) AS history', [file]);
  const fork = forkOf(told.rows[0]!.history, timeline);
  if (fork !== null) return fork;
  throw new Error(
    `the successor's timeline ${now} did not come from timeline ${timeline}, which this member is on`,
  );
}

/** Reads the log of a timeline, from the first of its segments to where a record is not whole: that is its end. */
async function readLog(
  { data, bin }: Places,
  { timeline, first, fork }: { timeline: number; first: string; fork: string },
): Promise<Ended[]> {
  const log = new Log(position(fork));
  const folder = join(data, 'pg_wal');
  const { size } = await stat(join(folder, first));
  const start = `${first.slice(8, 16)}/${(Number.parseInt(first.slice(16), 16) * size).toString(16)}`;
  const managers = ['Heap', 'Heap2', 'Transaction'].flatMap((name) => ['--rmgr', name]);
  const options = ['--path', folder, '--timeline', String(timeline), '--start', start, ...managers];
  const reader = spawn(join(bin, 'pg_waldump'), options, { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: reader.stdout })) log.read(line);
  return log.ended;
}

async function readRows({ data, bin }: Places, successor: Client, ended: Ended[]): Promise<SavedRow[]> {
  const { host, port, user, password } = successor;
  const server = await startLonely(bin, data);
  const rows: SavedRow[] = [];
  try {
    for (const id of new Set(ended.flatMap(({ pages }) => pages.map((page) => page.database)))) {
      const found = await successor.query<{ database: string }>(
        'SELECT datname AS database FROM pg_database WHERE oid = $1',
        [id],
      );
      const { database } = found.rows[0] ?? {};
      if (database === undefined) throw new Error(`the successor has no database of the id ${id}`);
      const there = new Client({ host, port, user, password, database });
      const here = await server.connect({ user, password, database });
      try {
        await there.connect();
        rows.push(...(await savedRows({ here, there, database, id }, ended)));
      } finally {
        await Promise.all([here.end(), there.end()]);
      }
    }
  } finally {
    await server.stop();
  }
  return rows;
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
