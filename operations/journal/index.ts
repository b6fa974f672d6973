import { DatabaseError, Pool } from 'pg';
import type { Config } from '../../core/config';
import { SwitchoverError, messageOf } from '../../core/errors';
import type { History, RecoveryRow } from '../../core/journal';
import { readSecret } from '../secrets';
import { NOTHING, misfit, type AuditRow, type ChainEnd, type Misfit } from './chain';

/** A question that takes longer has failed, ms. */
const TIMEOUT_MS = 5_000;
/** Rows of the audit that are read at once. */
const PAGE = 1_000;
/** PostgreSQL's code for a table that is not there: nothing was written yet. */
const NO_TABLE = '42P01';

/** What reading the whole audit came to. */
export interface ChainCheck {
  rows: number;
  /** The first row that does not fit; null where all do. */
  misfit: Misfit | null;
  end: ChainEnd;
}

/** The newest runs of a runbook that its history is taken from: what was long ago says little of tonight. */
const HISTORY_RUNS = 50;

const HISTORY = `
with proven as (
  select runbook, ended_at, coalesce(rto_ms, work_ms) as ms, row_number() over (partition by runbook order by ended_at desc) as nth
  from runs
  where environment = $1 and acted and mode in ('execute', 'drill') and state in ('recovered', 'succeeded') and ended_at >= $2
)
select runbook, count(*)::int as runs, max(ended_at) as proven_at, percentile_cont(0.95) within group (order by ms) as p95
from proven where nth <= ${HISTORY_RUNS} group by runbook`;

/** Runs that answered a fault, by the monitor's or an alert's word or a person's: those that acted, and those that failed before they could. */
const RECOVERY = `
with answered as (
  select *, fault_at - lag(fault_at) over (partition by runbook, level, region order by fault_at) as gap
  from runs
  where environment = $1 and mode = 'execute' and ended_at >= $2 and (runbook = any($3) or fault_at is not null)
    and (acted or state in ('failed', 'escalated', 'inconclusive')) and state not in ('absorbed', 'interrupted', 'refused', 'planned')
)
select runbook, level, region, count(*)::int as count,
  count(*) filter (where state = 'recovered')::int as recovered,
  percentile_cont(0.5) within group (order by rto_ms) as p50,
  percentile_cont(0.95) within group (order by rto_ms) as p95,
  extract(epoch from avg(gap)) * 1000 as mtbf,
  max(objective_ms) as objective,
  count(*) filter (where state = 'recovered' and rto_ms <= objective_ms)::int as in_time,
  count(*) filter (where coalesce(sessions_lost, 0) + coalesce(rows_lost, 0) = 0
    and (sessions_lost is not null or rows_lost is not null))::int as nothing_lost,
  count(*) filter (where sessions_lost is not null or rows_lost is not null)::int as counted
from answered group by runbook, level, region order by level, runbook, region`;

const AUDIT = `
select seq, key, at, kind, by_whom as "by", what, reason, run, previous, hash from audit where environment = $1`;

/** Reads the journal: for reports, for readiness, for auditors. Nothing of it is written here. */
export class JournalReader {
  private readonly pool: Pool;

  constructor(
    url: string,
    private readonly environment: string,
  ) {
    this.pool = new Pool({
      connectionString: url,
      max: 2,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    });
    this.pool.on('error', () => undefined); // an idle connection that breaks is replaced by the next question
  }

  /** What the newest runs of each runbook came to that ended since; by runbook. @param since ISO time @throws JOURNAL_UNREACHABLE */
  async history(since: string): Promise<Record<string, History>> {
    const rows = await this.ask<{ runbook: string; runs: number; proven_at: Date; p95: number | null }>(
      HISTORY,
      [this.environment, since],
    );
    return Object.fromEntries(
      rows.map(({ runbook, runs, proven_at: provenAt, p95 }) => [
        runbook,
        { runs, provenAt: provenAt.toISOString(), ...(p95 === null ? {} : { p95Ms: Math.round(p95) }) },
      ]),
    );
  }

  /**
   * How faults were recovered from since, by runbook, level and region (M2). A run of one of these `failovers` answers a fault
   * whoever has started it; one of another runbook does where it was told of one.
   * @param since ISO time @throws JOURNAL_UNREACHABLE
   */
  async recovery(failovers: readonly string[], since: string): Promise<RecoveryRow[]> {
    const rows = await this.ask<RecoveryLine>(RECOVERY, [this.environment, since, failovers]);
    return rows.map(toRecovery);
  }

  /** The newest lines of the audit, the newest first. @throws JOURNAL_UNREACHABLE */
  async audit(limit: number): Promise<AuditRow[]> {
    const rows = await this.ask<AuditLine>(`${AUDIT} order by seq desc limit $2`, [this.environment, limit]);
    return rows.map(toRow);
  }

  /** Reads the whole audit and compares each row with its hash and with the row before it. @throws JOURNAL_UNREACHABLE */
  async verify(): Promise<ChainCheck> {
    const [pruned] = await this.ask<{ seq: string; hash: string }>(
      'select seq, hash from audit_pruned where environment = $1',
      [this.environment],
    );
    let end: ChainEnd = pruned ? { seq: Number(pruned.seq), hash: pruned.hash } : NOTHING;
    for (let rows = 0; ;) {
      const page = await this.ask<AuditLine>(`${AUDIT} and seq > $2 order by seq limit $3`, [
        this.environment,
        end.seq,
        PAGE,
      ]);
      const read = page.map(toRow);
      const found = misfit(end, read);
      rows += read.length;
      end = read.at(-1) ?? end;
      if (found || read.length < PAGE) return { rows, misfit: found, end: { seq: end.seq, hash: end.hash } };
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async ask<Row extends object>(question: string, values: unknown[]): Promise<Row[]> {
    try {
      return (await this.pool.query<Row>(question, values)).rows;
    } catch (error) {
      if (error instanceof DatabaseError && error.code === NO_TABLE) return [];
      throw new SwitchoverError('JOURNAL_UNREACHABLE', `the journal: ${messageOf(error)}`);
    }
  }
}

/** Reads the journal that the environment file names; undefined where it names none. @throws BAD_CONFIG for its secret */
export function journalOf({ journal, environment }: Config): JournalReader | undefined {
  return journal && new JournalReader(readSecret(journal.url, 'journal.url'), environment);
}

interface AuditLine extends Omit<AuditRow, 'seq' | 'at' | 'reason' | 'run'> {
  seq: string;
  at: Date;
  reason: string | null;
  run: string | null;
}

function toRow({ seq, at, reason, run, ...rest }: AuditLine): AuditRow {
  return {
    ...rest,
    seq: Number(seq),
    at: at.toISOString(),
    ...(reason === null ? {} : { reason }),
    ...(run === null ? {} : { run }),
  };
}

interface RecoveryLine {
  runbook: string;
  level: string;
  region: string | null;
  count: number;
  recovered: number;
  p50: number | null;
  p95: number | null;
  mtbf: string | null;
  objective: number;
  in_time: number;
  nothing_lost: number;
  counted: number;
}

function toRecovery({ p50, p95, mtbf, objective, region, ...row }: RecoveryLine): RecoveryRow {
  const { in_time: rtoAchieved, nothing_lost: rpoAchieved, counted: rpoCounted, ...rest } = row;
  return {
    ...rest,
    ...(region === null ? {} : { region }),
    ...(p50 === null ? {} : { mttrP50Ms: Math.round(p50) }),
    ...(p95 === null ? {} : { mttrP95Ms: Math.round(p95) }),
    ...(mtbf === null ? {} : { mtbfMs: Math.round(Number(mtbf)) }),
    objectiveMs: objective,
    rtoAchieved,
    rpoAchieved,
    rpoCounted,
  };
}
