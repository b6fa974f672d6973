import { Pool, type PoolClient } from 'pg';
import { SwitchoverError, messageOf } from '../../core/errors';
import { auditOf, recordOf, type AuditEntry } from '../../core/journal';
import type { ReadinessChange } from '../../core/readiness';
import { NOTHING, linked, type ChainEnd } from '../../operations/journal/chain';
import { RECORDS_SCHEMA } from '../../operations/journal/schema';
import type { Books, Kept } from '../ports';

/** A statement that takes longer has failed, ms. */
const TIMEOUT_MS = 5_000;

const INSERT_RUNS = `
insert into runs (environment, run, runbook, scope, level, region, mode, state, trigger, by_whom, started_at, ended_at, fault_at,
  rto_ms, objective_ms, work_ms, sessions_lost, rows_lost, acted)
select $1, run, runbook, scope, level, region, mode, state, trigger, "by", "startedAt", "endedAt", "faultAt",
  "rtoMs", "objectiveMs", "workMs", "sessionsLost", "rowsLost", acted
from jsonb_to_recordset($2::jsonb) as t (run text, runbook text, scope text, level text, region text, mode text, state text,
  trigger text, "by" text, "startedAt" timestamptz, "endedAt" timestamptz, "faultAt" timestamptz, "rtoMs" double precision,
  "objectiveMs" double precision, "workMs" double precision, "sessionsLost" bigint, "rowsLost" bigint, acted boolean)
on conflict do nothing`;

const INSERT_STEPS = `
insert into steps (environment, run, step, kind, title, state, sentence, attempts, started_at, ended_at)
select $1, run, id, kind, title, state, sentence, attempts, "startedAt", "endedAt"
from jsonb_to_recordset($2::jsonb) as t (run text, id integer, kind text, title text, state text, sentence text, attempts integer,
  "startedAt" timestamptz, "endedAt" timestamptz)
on conflict do nothing`;

const INSERT_AUDIT = `
insert into audit (environment, seq, key, at, kind, by_whom, what, reason, run, previous, hash)
select $1, seq, key, at, kind, "by", what, reason, run, previous, hash
from jsonb_to_recordset($2::jsonb) as t (seq bigint, key text, at timestamptz, kind text, "by" text, what text, reason text,
  run text, previous text, hash text)`;

const INSERT_READINESS = `
insert into readiness_changes (environment, runbook, at, from_verdict, to_verdict, because)
select $1, runbook, at, "from", "to", because
from jsonb_to_recordset($2::jsonb) as t (runbook text, at timestamptz, "from" text, "to" text, because text)
on conflict do nothing`;

/** The end of the chain: its last row, else the last one that was pruned. */
const CHAIN_END = `
select seq::int8, hash from (
  select seq, hash from audit where environment = $1
  union all select seq, hash from audit_pruned where environment = $1
) t order by seq desc limit 1`;

/** Rows before the first one that is still within its time. */
const PRUNABLE = `
select seq, hash from audit where environment = $1
  and seq < coalesce((select min(seq) from audit where environment = $1 and at >= $2), 9223372036854775807)
order by seq desc limit 1`;

/** The books with their connections, which `close` ends. */
export interface PostgresBooks extends Books {
  close(): Promise<void>;
}

/**
 * The journal's books in PostgreSQL 14 or later, whose tables it makes itself. Whatever is handed over twice is written once. One
 * writer at a time puts rows behind the audit's chain.
 * @throws JOURNAL_UNREACHABLE; nothing was written then
 */
export function postgresRecords(url: string, environment: string): PostgresBooks {
  const pool = new Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  pool.on('error', () => undefined); // an idle connection that breaks is replaced by the next call
  // One that breaks between two statements says so to nobody else; the next statement fails then.
  pool.on('connect', (client) => client.on('error', () => undefined));
  let prepared = false;

  /** All or nothing, with the tables there. */
  const together = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect().catch(unreachable);
    let broken = true;
    try {
      await client.query('begin');
      // Two workers that make the tables, or go on with the chain, at once would be in each other's way.
      await client.query('select pg_advisory_xact_lock(hashtext($1))', [`switchover audit ${environment}`]);
      if (!prepared) await client.query(RECORDS_SCHEMA);
      const answer = await work(client);
      await client.query('commit');
      prepared = true;
      broken = false;
      return answer;
    } catch (error) {
      return unreachable(error);
    } finally {
      client.release(broken); // a connection in mid-transaction is of no use to anybody
    }
  };

  const append = async (client: PoolClient, entries: readonly AuditEntry[]): Promise<void> => {
    const known = await client.query<{ key: string }>(
      'select key from audit where environment = $1 and key = any($2)',
      [environment, entries.map(({ key }) => key)],
    );
    const keys = new Set(known.rows.map(({ key }) => key));
    const fresh = entries.filter(({ key }) => !keys.has(key));
    if (fresh.length === 0) return;
    const rows = linked(
      await endOf(client),
      fresh.toSorted((a, b) => a.at.localeCompare(b.at)),
    );
    await client.query(INSERT_AUDIT, [environment, JSON.stringify(rows)]);
  };

  const endOf = async (client: PoolClient): Promise<ChainEnd> => {
    const { rows } = await client.query<{ seq: string; hash: string }>(CHAIN_END, [environment]);
    const [last] = rows;
    return last ? { seq: Number(last.seq), hash: last.hash } : NOTHING;
  };

  return {
    missing: (runs) =>
      together(async (client) => {
        const { rows } = await client.query<{ run: string }>(
          'select run from runs where environment = $1 and run = any($2)',
          [environment, runs],
        );
        const known = new Set(rows.map(({ run }) => run));
        return runs.filter((run) => !known.has(run));
      }),

    keep: (found) =>
      together(async (client) => {
        const over = found.flatMap(({ report }) => recordOf(report) ?? []);
        await client.query(INSERT_RUNS, [environment, JSON.stringify(over)]);
        await client.query(INSERT_STEPS, [environment, JSON.stringify(found.flatMap(stepsOf))]);
        await append(
          client,
          found.flatMap(({ report, ...origin }) => auditOf(report, origin)),
        );
      }),

    note: (entries) => together((client) => append(client, entries)),

    readiness: (changes: readonly ReadinessChange[]) =>
      together(async (client) => {
        await client.query(INSERT_READINESS, [environment, JSON.stringify(changes)]);
      }),

    prune: (before) =>
      together(async (client) => {
        const { rows } = await client.query<{ seq: string; hash: string }>(PRUNABLE, [environment, before]);
        const [last] = rows;
        if (!last) return 0;
        await client.query(
          `insert into audit_pruned (environment, seq, hash) values ($1, $2, $3)
           on conflict (environment) do update set seq = excluded.seq, hash = excluded.hash`,
          [environment, last.seq, last.hash],
        );
        await client.query(`select set_config('switchover.retention', 'on', true)`);
        const gone = await client.query('delete from audit where environment = $1 and seq <= $2', [
          environment,
          last.seq,
        ]);
        return gone.rowCount ?? 0;
      }),

    close: () => pool.end(),
  };
}

/** Steps of a run that is over, those of runs beneath left out: they are in their own. */
function stepsOf({ report }: Kept): object[] {
  if (!recordOf(report)) return [];
  return report.steps.map(({ id, kind, title, state, sentence, attempts, startedAt, endedAt }) => ({
    run: report.run,
    id,
    kind,
    title,
    state,
    sentence,
    attempts,
    startedAt,
    endedAt,
  }));
}

function unreachable(error: unknown): never {
  throw new SwitchoverError('JOURNAL_UNREACHABLE', `the journal: ${messageOf(error)}`);
}
