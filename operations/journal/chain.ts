import { createHash } from 'node:crypto';
import type { AuditEntry } from '../../core/journal';

/**
 * The audit as a chain (REQUIREMENTS S1): the hash of a row covers all that the row says and the hash of the row before it. A row
 * that is changed, taken out or put in by hand no longer fits, unless every row after it is written anew too.
 */

/** A row of the audit, as it is kept. */
export interface AuditRow extends AuditEntry {
  /** Its place in the chain, from 1 on. */
  seq: number;
  /** The hash of the row before it; empty for the very first. */
  previous: string;
  hash: string;
}

/** The end of a chain, after which the next row is put. */
export type ChainEnd = Pick<AuditRow, 'seq' | 'hash'>;

/** The end of a chain that has no row yet. */
export const NOTHING: ChainEnd = { seq: 0, hash: '' };

/** A row that does not fit, and why. */
export interface Misfit {
  row: AuditRow;
  why: string;
}

/** Puts entries behind the end of a chain. */
export function linked(end: ChainEnd, entries: readonly AuditEntry[]): AuditRow[] {
  let last = end;
  return entries.map((entry) => {
    const row = { ...entry, seq: last.seq + 1, previous: last.hash };
    last = { ...row, hash: hashOf(row) };
    return last as AuditRow;
  });
}

/** The first of some successive rows that does not fit behind this end; null where all do. */
export function misfit(end: ChainEnd, rows: readonly AuditRow[]): Misfit | null {
  let last = end;
  for (const row of rows) {
    if (row.seq !== last.seq + 1)
      return { row, why: `it comes after row ${last.seq}: rows between them are gone` };
    if (row.hash !== hashOf(row)) return { row, why: 'it does not say what it said when it was written' };
    if (row.previous !== last.hash)
      return { row, why: `row ${last.seq} before it is not the one that was there when it was written` };
    last = row;
  }
  return null;
}

function hashOf(row: Omit<AuditRow, 'hash'>): string {
  const { previous, seq, key, at, kind, by, what, reason = null, run = null } = row;
  const said = JSON.stringify([previous, seq, key, at, kind, by, what, reason, run]);
  return createHash('sha256').update(said).digest('hex');
}
