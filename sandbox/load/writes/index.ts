import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { WriteBook, type WriteReport } from './book';
import { WriteConnection } from './connection';

export type { WriteReport } from './book';

/** What to write, and where. */
export interface WriterOptions {
  /** The address of those who write, with user and password; see `databaseUrl` of a sandbox. */
  url: string;
  /** Default 20. */
  connections?: number;
  /** Inserts a second that are aimed at, by all connections together; default 1,000. */
  rate?: number;
  /** Time after which a connection attempt or an insert is given up, ms; default 2,000. */
  timeoutMs?: number;
}

/** What became of the rows, by the table itself. */
export interface Comparison {
  /** Rows of this writer in the table. */
  stored: number;
  /** Ids of the rows that were acknowledged and are not there. */
  lost: number[];
  /** How many of those whose fate was unknown are there. */
  unknownStored: number;
}

/** Writers at work. */
export interface Writer {
  /** Tells these rows from those of other writers in the table `ledger`. */
  readonly run: string;
  /** The report as of now; inserts under way are not in it. */
  snapshot(): WriteReport;
  /** When the first insert sent at `moment` (epoch ms) or later was acknowledged, epoch ms; null where none was yet. */
  firstAcknowledgedAfter(moment: number): number | null;
  /** Stops writing, waits for the inserts under way, and closes all connections. Call it once, always. */
  stop(): Promise<WriteReport>;
  /** Compares the book with the table, after `stop`. @throws what the database says where it does not answer */
  compare(): Promise<Comparison>;
}

/** What a connection waits after a failure, ms, lest it knocks without a pause while the database is away. */
const AFTER_FAILURE_MS = 50;
const PAYLOAD = 'x'.repeat(100);

/**
 * Starts connections that insert numbered rows into the table `ledger`, which is made where it is not there, until stopped. Each
 * has one insert under way at a time: while the database is away the rate falls, and what was not written is not made up for.
 * A row is sent once, whatever happens to it.
 * @throws what the database says where it does not answer at first
 */
export async function startWriter(options: WriterOptions): Promise<Writer> {
  const { url, connections: size = 20, rate = 1_000, timeoutMs = 2_000 } = options;
  const run = randomUUID();
  await query(url, timeoutMs, TABLE, []);
  const book = new WriteBook(Date.now());
  const intervalMs = (size / rate) * 1_000;
  let ids = 0;
  let stopping = false;

  const write = async (connection: WriteConnection, offsetMs: number): Promise<void> => {
    for (
      let due = performance.now() + offsetMs;
      !stopping;
      due = Math.max(due + intervalMs, performance.now())
    ) {
      await pause(Math.max(0, due - performance.now()));
      const id = (ids += 1);
      const sentAt = Date.now();
      const outcome = await connection.insert(id, PAYLOAD);
      book.record({ id, outcome, sentAt, endedAt: Date.now() });
      if (outcome !== 'acknowledged') await pause(AFTER_FAILURE_MS);
    }
  };
  const connections = Array.from({ length: size }, () => new WriteConnection(url, timeoutMs, run));
  const writing = connections.map((connection, number) => write(connection, (number / size) * intervalMs));

  return {
    run,
    snapshot: () => book.report(Date.now()),
    firstAcknowledgedAfter: (moment) => book.firstAcknowledgedAfter(moment),
    async stop() {
      stopping = true;
      await Promise.all(writing);
      const report = book.report(Date.now());
      await Promise.all(connections.map((connection) => connection.close()));
      return report;
    },
    async compare() {
      const rows = await query<{ id: number }>(url, timeoutMs, 'SELECT id FROM ledger WHERE run = $1', [run]);
      const stored = new Set(rows.map(({ id }) => id));
      return {
        stored: stored.size,
        lost: book.idsOf('acknowledged').filter((id) => !stored.has(id)),
        unknownStored: book.idsOf('unknown').filter((id) => stored.has(id)).length,
      };
    },
  };
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
