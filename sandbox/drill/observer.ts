import { setTimeout as delay } from 'node:timers/promises';
import type { Bucket, DrillLedger, ObserveTask } from '../../core/drill';
import { startLoad, type CallRecord } from '../load';
import { ended, readTask, serving, tell } from './task';

/** Width of a bucket, ms. */
const EVERY_MS = 100;
const TELL_MS = 500;
const TIMEOUT_MS = 5_000;
/** Whoever asked it to end waits for it: calls that hang are left. */
const CLOSE_MS = 1_000;

/**
 * The observer of a drill: clients at work and probes of every node of a zone, in a process of its own, so that it sees the same whatever
 * becomes of workers. Told by a line of JSON on its input, an `ObserveTask`; prints what it has seen so far twice a second, and its
 * ledger once it is asked to end or its time is up.
 */
async function main(): Promise<void> {
  const task = await readTask<ObserveTask>();
  const { key, url, probes, clients, perClient, forMs } = task;
  const book = new Buckets();
  const load = startLoad({ url, clients, ratePerClient: perClient, timeoutMs: TIMEOUT_MS });
  load.events.on('call', (call) => book.call(call));
  const probing = setInterval(() => {
    const at = Date.now();
    void serving(probes).then((count) => book.probe(at, count));
  }, EVERY_MS);
  const telling = setInterval(() => {
    const { ok, failed } = load.snapshot();
    tell({ key, seen: { ok, failed } });
  }, TELL_MS);
  await ended(forMs);
  clearInterval(telling);
  clearInterval(probing);
  const { sessionsLost, failures } = load.snapshot();
  const ledger: DrillLedger = { everyMs: EVERY_MS, buckets: book.all(), sessionsLost, failures };
  tell({ key, ledger });
  await Promise.race([load.stop(), delay(CLOSE_MS)]);
}

/** What was seen, by the moment at which it was: calls when they ended, probes when they began. */
class Buckets {
  private readonly buckets = new Map<number, Bucket>();

  call({ startedAt, latencyMs, failure }: CallRecord): void {
    const bucket = this.at(startedAt + latencyMs);
    if (failure !== undefined) bucket.failed += 1;
    else {
      bucket.ok += 1;
      bucket.slowestMs = Math.max(bucket.slowestMs, Math.round(latencyMs));
    }
  }

  probe(at: number, count: number): void {
    const bucket = this.at(at);
    bucket.serving = Math.min(bucket.serving ?? count, count);
  }

  all(): Bucket[] {
    return [...this.buckets.values()].sort((a, b) => a.at - b.at);
  }

  private at(ms: number): Bucket {
    const at = Math.floor(ms / EVERY_MS) * EVERY_MS;
    const bucket = this.buckets.get(at) ?? { at, ok: 0, failed: 0, slowestMs: 0, serving: null };
    this.buckets.set(at, bucket);
    return bucket;
  }
}

void main().then(() => process.exit());
