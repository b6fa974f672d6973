/**
 * How a write ended. `acknowledged`: the store said that it is there to stay · `failed`: it is certainly not stored, for it was not
 * sent, or was refused · `unknown`: sent, and never answered; it may be stored or not.
 */
export type Outcome = 'acknowledged' | 'failed' | 'unknown';

/** One write that has ended. Times are epoch ms. */
export interface WriteRecord {
  id: number;
  outcome: Outcome;
  sentAt: number;
  endedAt: number;
}

/** What the writers have seen so far. */
export interface WriteReport extends Record<Outcome, number> {
  /** Longest time, ms, without an acknowledged write, all connections together, the present wait included. */
  longestGapMs: number;
}

/** Remembers how each write ended. */
export class WriteBook {
  private readonly records: WriteRecord[] = [];
  private readonly counts: Record<Outcome, number> = { acknowledged: 0, failed: 0, unknown: 0 };
  private lastAcknowledgedAt: number;
  private longestGapMs = 0;

  constructor(startedAt: number) {
    this.lastAcknowledgedAt = startedAt;
  }

  /** Books a write, in the order in which they end. */
  record(record: WriteRecord): void {
    this.records.push(record);
    this.counts[record.outcome] += 1;
    if (record.outcome !== 'acknowledged') return;
    this.longestGapMs = Math.max(this.longestGapMs, record.endedAt - this.lastAcknowledgedAt);
    this.lastAcknowledgedAt = record.endedAt;
  }

  /** The ids of the writes that ended so. */
  idsOf(outcome: Outcome): number[] {
    return this.records.filter((record) => record.outcome === outcome).map(({ id }) => id);
  }

  /**
   * When the first write that was sent at `moment` or later was acknowledged, epoch ms; null where none was yet. Those sent before
   * do not count: their answers may have been on their way.
   */
  firstAcknowledgedAfter(moment: number): number | null {
    const found = this.records.find((one) => one.outcome === 'acknowledged' && one.sentAt >= moment);
    return found?.endedAt ?? null;
  }

  /** The report as of `now`. */
  report(now: number): WriteReport {
    return {
      ...this.counts,
      longestGapMs: Math.round(Math.max(this.longestGapMs, now - this.lastAcknowledgedAt)),
    };
  }
}
