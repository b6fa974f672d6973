import { Pool } from 'pg';
import { messageOf } from '../../core/errors';
import type { Journal, Transition } from '../ports';

/** A write that takes longer has failed, ms. */
const TIMEOUT_MS = 2_000;
/** After a failed write the next one waits so long, ms. */
const AGAIN_MS = 1_000;
/** More is not kept while the journal is away: the oldest goes first. */
const KEPT = 10_000;
/** Rows of one write. */
const BATCH = 500;

const SCHEMA = `
create table if not exists health_transitions (
  environment text not null,
  scope text not null,
  at timestamptz not null,
  from_state text not null,
  to_state text not null,
  cause text,
  primary key (environment, scope, at, to_state)
)`;

const INSERT = `
insert into health_transitions (environment, scope, at, from_state, to_state, cause)
select $1, scope, at, from_state, to_state, cause
from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[]) as t (scope, at, from_state, to_state, cause)
on conflict do nothing`;

/** The journal with its connections, which `close` ends after one last try to write what is left. */
export interface PostgresJournal extends Journal {
  close(): Promise<void>;
}

/**
 * The journal in PostgreSQL, whose tables it makes itself. Writing is queued: callers never wait and never fail. While it
 * is away the newest {@link KEPT} entries are kept and written when it is back; a worker that dies loses those it had.
 * @param warn told once when writing fails, and once when it works again
 */
export function postgresJournal(
  url: string,
  environment: string,
  warn: (sentence: string) => void,
): PostgresJournal {
  const pool = new Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  pool.on('error', () => undefined); // an idle connection that breaks is replaced by the next write
  let queue: Transition[] = [];
  let writing: Promise<void> | undefined;
  let prepared = false;
  let away = false;

  const write = async (): Promise<void> => {
    const batch = queue.slice(0, BATCH);
    if (!prepared) await pool.query(SCHEMA);
    prepared = true;
    await pool.query(INSERT, [
      environment,
      batch.map(({ scope }) => scope),
      batch.map(({ at }) => at),
      batch.map(({ from }) => from),
      batch.map(({ to }) => to),
      batch.map(({ cause }) => cause ?? null),
    ]);
    queue = queue.filter((entry) => !batch.includes(entry));
  };

  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      try {
        await write();
        if (away) warn('the journal is written again');
        away = false;
      } catch (error) {
        if (!away) warn(`the journal cannot be written, it is caught up later: ${messageOf(error)}`);
        away = true;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref());
      }
    }
  };

  return {
    transition(entry) {
      queue = [...queue, entry].slice(-KEPT);
      writing ??= drain().finally(() => (writing = undefined));
    },

    async close() {
      if (queue.length > 0) await write().catch(() => undefined);
      queue = [];
      await pool.end();
    },
  };
}
