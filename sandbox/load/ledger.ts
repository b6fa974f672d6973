import { quantileSorted } from 'simple-statistics';
import type { FailureClass } from './errors';

/** One call, as its client saw it. */
export interface CallRecord {
  /** Number of the client, from 0. */
  client: number;
  /** When the call was started, epoch ms. */
  startedAt: number;
  latencyMs: number;
  /** Absent when the call succeeded. */
  failure?: FailureClass;
  /** The error's own words, with `failure`. */
  message?: string;
}

/** What a load has seen so far. Latencies are those of successful calls, over the last 100,000 of them. */
export interface LoadReport {
  clients: number;
  calls: number;
  ok: number;
  failed: number;
  failures: Record<FailureClass, number>;
  /** Sessions the fleet forgot (404) or whose counter fell back; each counts once. */
  sessionsLost: number;
  /** ms; 0 before the first success. */
  p50: number;
  p95: number;
  p99: number;
  /** Longest time, in ms, that any one client went without a successful call, the present wait included. */
  maxGapMs: number;
  /** When the first failed call was started, epoch ms; null when none failed. */
  firstFailureAt: number | null;
  /** When the last failed call ended, epoch ms; null when none failed. */
  lastFailureAt: number | null;
}

const KEPT_LATENCIES = 100_000;

/** Adds up calls into a report. Times are epoch ms and given by the caller. */
export class Ledger {
  private ok = 0;
  private failed = 0;
  private sessionsLost = 0;
  private readonly failures: Record<FailureClass, number> = {};
  private readonly latencies: number[] = [];
  private readonly lastSuccessAt: number[];
  private longestGapMs = 0;
  private firstFailureAt: number | null = null;
  private lastFailureAt: number | null = null;

  constructor(clients: number, startedAt: number) {
    this.lastSuccessAt = Array.from({ length: clients }, () => startedAt);
  }

  /** Books one finished call. */
  record(call: CallRecord): void {
    const endedAt = call.startedAt + call.latencyMs;
    if (call.failure === undefined) this.recordSuccess(call, endedAt);
    else this.recordFailure(call, call.failure, endedAt);
  }

  /** Books one lost session. */
  recordLostSession(): void {
    this.sessionsLost += 1;
  }

  /** The report as of `now`. */
  report(now: number): LoadReport {
    const sorted = [...this.latencies].sort((a, b) => a - b);
    const percentile = (p: number): number => (sorted.length > 0 ? round(quantileSorted(sorted, p)) : 0);
    const waits = this.lastSuccessAt.map((at) => now - at);
    return {
      clients: this.lastSuccessAt.length,
      calls: this.ok + this.failed,
      ok: this.ok,
      failed: this.failed,
      failures: { ...this.failures },
      sessionsLost: this.sessionsLost,
      p50: percentile(0.5),
      p95: percentile(0.95),
      p99: percentile(0.99),
      maxGapMs: Math.round(Math.max(this.longestGapMs, ...waits)),
      firstFailureAt: this.firstFailureAt,
      lastFailureAt: this.lastFailureAt && Math.round(this.lastFailureAt),
    };
  }

  private recordSuccess(call: CallRecord, endedAt: number): void {
    this.ok += 1;
    this.latencies.push(call.latencyMs);
    if (this.latencies.length > 2 * KEPT_LATENCIES) this.latencies.splice(0, KEPT_LATENCIES);
    const before = this.lastSuccessAt[call.client] ?? endedAt;
    this.longestGapMs = Math.max(this.longestGapMs, endedAt - before);
    this.lastSuccessAt[call.client] = Math.max(before, endedAt);
  }

  private recordFailure(call: CallRecord, failure: FailureClass, endedAt: number): void {
    this.failed += 1;
    this.failures[failure] = (this.failures[failure] ?? 0) + 1;
    this.firstFailureAt = Math.min(this.firstFailureAt ?? Infinity, call.startedAt);
    this.lastFailureAt = Math.max(this.lastFailureAt ?? 0, endedAt);
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
