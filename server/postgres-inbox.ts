import { Pool } from 'pg';
import type { AlertRef } from '../core/run';
import { messageOf } from '../core/errors';
import { Batcher } from '../operations/batch';
import type { Inbox } from './inbox';

/** A statement that takes longer has failed, ms: whoever sent the alert waits meanwhile. */
const TIMEOUT_MS = 1_000;

/** After a failure the inbox counts as away for so long, ms. */
const AWAY_MS = 1_000;

/** What one process takes in hand is left to others after this, ms: longer than any dealing with it may take. */
const LEASE_MS = 15_000;

/** Items of one statement. */
const BATCH = 500;

/** Items that wait for their statement at most. */
const WAITING = 20_000;

const SCHEMA = `
create table if not exists alert_inbox (
  environment text not null,
  source text not null,
  fingerprint text not null,
  fault_at timestamptz not null,
  alert jsonb not null,
  due_at timestamptz not null,
  primary key (environment, source, fingerprint, fault_at)
)`;

const KEEP = `
insert into alert_inbox (environment, source, fingerprint, fault_at, alert, due_at)
select $1, a->>'source', a->>'fingerprint', (a->>'faultAt')::timestamptz, a, now() + $3 * interval '1 ms'
from jsonb_array_elements($2::jsonb) a
on conflict do nothing`;

const THESE = `
i.environment = $1 and i.source = a->>'source' and i.fingerprint = a->>'fingerprint'
and i.fault_at = (a->>'faultAt')::timestamptz`;

const DONE = `delete from alert_inbox i using jsonb_array_elements($2::jsonb) a where ${THESE}`;

const LATER = `
update alert_inbox i set due_at = now() + interval '1 s' from jsonb_array_elements($2::jsonb) a where ${THESE}`;

const DUE = `
with due as materialized (
  select ctid from alert_inbox where environment = $1 and due_at <= now() order by due_at limit $2 for update skip locked
)
update alert_inbox i set due_at = now() + $3 * interval '1 ms' from due where i.ctid = due.ctid
returning alert`;

/**
 * The inbox in the journal's PostgreSQL (DESIGN section 8, deliveries); it makes its table itself. What comes in together is written
 * together. An alert that is sent twice is kept once.
 * @param warn told once when it is away, and once when it is back
 * @param leaseMs after this what a process has in hand is left to others
 */
export function postgresInbox<Item extends AlertRef>(
  url: string,
  environment: string,
  warn: (sentence: string) => void,
  leaseMs = LEASE_MS,
): Inbox<Item> {
  const pool = new Pool({
    connectionString: url,
    max: 3,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  pool.on('error', () => undefined); // an idle connection that breaks is replaced by the next statement
  let prepared: Promise<unknown> | undefined;
  let awayUntil = 0;

  /** The rows of a statement; undefined where the inbox is away. */
  const ask = async (statement: string, values: unknown[]): Promise<{ alert: Item }[] | undefined> => {
    if (performance.now() < awayUntil) return undefined;
    try {
      await (prepared ??= pool.query(SCHEMA));
      const { rows } = await pool.query<{ alert: Item }>(statement, [environment, ...values]);
      if (awayUntil > 0) warn('alerts are kept in the journal again');
      awayUntil = 0;
      return rows;
    } catch (error) {
      prepared = undefined;
      if (awayUntil === 0)
        warn(`alerts cannot be kept in the journal; who sends them waits meanwhile: ${messageOf(error)}`);
      awayUntil = performance.now() + AWAY_MS;
      return undefined;
    }
  };
  const together = (statement: string, ...more: unknown[]) => {
    const batches = new Batcher<Item, boolean>({
      send: async (items) => {
        const rows = await ask(statement, [JSON.stringify(items), ...more]);
        return items.map(() => rows !== undefined);
      },
      inFlight: 1,
      size: BATCH,
      waiting: WAITING,
      patienceMs: TIMEOUT_MS,
    });
    return (item: Item) => batches.ask(item).catch(() => false);
  };
  const [done, later] = [together(DONE), together(LATER)];

  return {
    keep: together(KEEP, leaseMs),
    done: async (item) => void (await done(item)),
    later: async (item) => void (await later(item)),
    due: async (atMost) => ((await ask(DUE, [atMost, leaseMs])) ?? []).map(({ alert }) => alert),
    close: () => pool.end(),
  };
}
