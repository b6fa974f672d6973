import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { POSTGRES_USER, give } from '../../sandbox/postgres-user';
import { flags, tool } from '../../sandbox/tools';
import { startProcess, type TestProcess } from './process';
import { until } from './until';

const run = promisify(execFile);

/** A PostgreSQL of one test file: real and empty. */
export interface TestPostgres {
  url: string;
  /** The rows of one statement. */
  query(statement: string): Promise<Record<string, unknown>[]>;
  /** Ends it at once, as a power cut does; what was committed is there again after `start`. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and leaves nothing behind. */
  stop(): Promise<void>;
}

/** @param host loopback address that no other test file uses; the port is 5432 */
export async function startPostgres(host: string): Promise<TestPostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'postgres-'));
  const data = join(dir, 'data');
  await give([dir]);
  const as = POSTGRES_USER ? ['runuser', '-u', POSTGRES_USER, '--'] : [];
  const call = (command: readonly string[]) => [...as, ...command] as [string, ...string[]];
  const [program, ...options] = call([
    tool('initdb'),
    ...flags({
      pgdata: data,
      username: 'test',
      auth: 'trust',
      'no-sync': true,
      locale: 'C',
      encoding: 'UTF8',
    }),
  ]);
  await run(program, options, { cwd: '/' });
  const url = `postgres://test@${host}:5432/postgres`;
  const query = async (statement: string) => {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    client.on('error', () => undefined); // connect() and query() say the same
    try {
      await client.connect();
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  let server: TestProcess | undefined;
  const start = async () => {
    const settings = ['-h', host, '-k', '', '-c', 'fsync=off'];
    const [command, ...args] = call([tool('postgres'), '-D', data, ...settings]);
    server = startProcess(command, args);
    await until(`PostgreSQL on ${host} answers`, () => query('select 1'));
  };
  const crash = async () => {
    const [row] = await query("select pg_read_file('postmaster.pid') as file");
    process.kill(Number(String(row!['file']).split('\n')[0]), 'SIGQUIT');
    await server?.exited;
  };
  await start();
  return {
    url,
    query,
    crash,
    start,
    stop: async () => {
      await crash().catch(() => undefined);
      await rm(dir, { recursive: true });
    },
  };
}
