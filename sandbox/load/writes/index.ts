import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { WriteConnection } from './connection';
import { startWriting, type Writer, type WriterOptions } from './writer';

export type { WriteReport } from './book';
export { startSessionsWriter } from './sessions';
export type { Writer, WriterOptions } from './writer';

const TIMEOUT_MS = 2_000;

/**
 * Inserts rows into the table `ledger`, which is made where it is not there; see {@link startWriting}.
 * @throws what the database says where it does not answer at first
 */
export async function startWriter(options: WriterOptions): Promise<Writer> {
  const { url, timeoutMs = TIMEOUT_MS } = options;
  const run = randomUUID();
  await query(url, timeoutMs, TABLE, []);
  const stored = async (): Promise<Set<number>> => {
    const rows = await query<{ id: number }>(url, timeoutMs, 'SELECT id FROM ledger WHERE run = $1', [run]);
    return new Set(rows.map(({ id }) => id));
  };
  return startWriting(run, { connection: () => new WriteConnection(url, timeoutMs, run), stored }, options);
}

const TABLE = `CREATE TABLE IF NOT EXISTS ledger (
  run uuid, id integer, payload text NOT NULL, PRIMARY KEY (run, id)
)`;

/** One statement on a connection of its own. */
async function query<Row extends object>(
  url: string,
  timeoutMs: number,
  text: string,
  values: readonly string[],
): Promise<Row[]> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => undefined); // connect() and query() say the same
  try {
    await client.connect();
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    void client.end().catch(() => undefined);
  }
}
