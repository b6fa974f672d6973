import { setTimeout as pause } from 'node:timers/promises';
import { WriteBook, type Outcome, type WriteReport } from './book';

/** What to write, and where. */
export interface WriterOptions {
  /** The address of those who write, with user and password; see `databaseUrl` and `sessionsUrl` of a sandbox. */
  url: string;
  /** Default 20. */
  connections?: number;
  /** Writes a second that are aimed at, by all connections together; default 1,000. */
  rate?: number;
  /** Time after which a connection attempt or a write is given up, ms; default 2,000. */
  timeoutMs?: number;
}

/** What became of the writes, by the store itself. */
export interface Comparison {
  /** Writes of this writer that are there. */
  stored: number;
  /** Ids of the writes that were acknowledged and are not there. */
  lost: number[];
  /** How many of those whose fate was unknown are there. */
  unknownStored: number;
}

/** Writers at work. */
export interface Writer {
  /** Tells these writes from those of other writers. */
  readonly run: string;
  /** The report as of now; writes under way are not in it. */
  snapshot(): WriteReport;
  /** When the first write sent at `moment` (epoch ms) or later was acknowledged, epoch ms; null where none was yet. */
  firstAcknowledgedAfter(moment: number): number | null;
  /** Stops writing, waits for the writes under way, and closes all connections. Call it once, always. */
  stop(): Promise<WriteReport>;
  /** Compares the book with the store, after `stop`. @throws what the store says where it does not answer */
  compare(): Promise<Comparison>;
}

/** One connection that writes, and is opened anew after it broke. Nothing is ever sent twice. */
export interface Connection {
  /** Never throws. */
  write(id: number, payload: string): Promise<Outcome>;
  /** A server that hangs is not waited for longer than the time-out. */
  close(): Promise<void>;
}

/** A store as writers need it. */
export interface Store {
  /** A new connection each time. */
  connection(): Connection;
  /** The ids of this writer that are there. @throws what the store says where it does not answer */
  stored(): Promise<ReadonlySet<number>>;
}

/** What a connection waits after a failure, ms, lest it knocks without a pause while the store is away. */
const AFTER_FAILURE_MS = 50;
const PAYLOAD = 'x'.repeat(100);

/**
 * Starts connections that write, numbered, until stopped. Each has one write under way at a time: while the store is away the rate
 * falls, and what was not written is not made up for. A write is sent once, whatever happens to it.
 */
export function startWriting(
  run: string,
  store: Store,
  { connections: size = 20, rate = 1_000 }: WriterOptions,
): Writer {
  const book = new WriteBook(Date.now());
  const intervalMs = (size / rate) * 1_000;
  let ids = 0;
  let stopping = false;

  const work = async (connection: Connection, offsetMs: number): Promise<void> => {
    for (
      let due = performance.now() + offsetMs;
      !stopping;
      due = Math.max(due + intervalMs, performance.now())
    ) {
      await pause(Math.max(0, due - performance.now()));
      const id = (ids += 1);
      const sentAt = Date.now();
      const outcome = await connection.write(id, PAYLOAD);
      book.record({ id, outcome, sentAt, endedAt: Date.now() });
      if (outcome !== 'acknowledged') await pause(AFTER_FAILURE_MS);
    }
  };
  const connections = Array.from({ length: size }, () => store.connection());
  const working = connections.map((connection, number) => work(connection, (number / size) * intervalMs));

  return {
    run,
    snapshot: () => book.report(Date.now()),
    firstAcknowledgedAfter: (moment) => book.firstAcknowledgedAfter(moment),
    async stop() {
      stopping = true;
      await Promise.all(working);
      const report = book.report(Date.now());
      await Promise.all(connections.map((connection) => connection.close()));
      return report;
    },
    async compare() {
      const stored = await store.stored();
      return {
        stored: stored.size,
        lost: book.idsOf('acknowledged').filter((id) => !stored.has(id)),
        unknownStored: book.idsOf('unknown').filter((id) => stored.has(id)).length,
      };
    },
  };
}
