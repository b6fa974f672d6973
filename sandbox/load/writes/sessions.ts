import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis, ReplyError } from 'ioredis';
import type { Outcome } from './book';
import { startWriting, type Connection, type Writer, type WriterOptions } from './writer';

const TIMEOUT_MS = 2_000;

/**
 * Writes fields into a hash `ledger:<run>` of Redis; see {@link startWriting}. A write is acknowledged once a replica has it too
 * (`WAIT 1`): one that only the primary has may be gone with it, and its writer was told so.
 */
export function startSessionsWriter(options: WriterOptions): Writer {
  const { url, timeoutMs = TIMEOUT_MS } = options;
  const run = randomUUID();
  const key = `ledger:${run}`;
  const stored = async (): Promise<Set<number>> => {
    const redis = await connect(url, timeoutMs);
    try {
      return new Set((await redis.hkeys(key)).map(Number));
    } finally {
      redis.disconnect();
    }
  };
  return startWriting(run, { connection: () => new HashConnection(url, timeoutMs, key), stored }, options);
}

class HashConnection implements Connection {
  private redis: Redis | undefined;

  constructor(
    private readonly url: string,
    private readonly timeoutMs: number,
    private readonly key: string,
  ) {}

  async write(id: number, payload: string): Promise<Outcome> {
    let redis: Redis;
    try {
      redis = this.redis ??= await connect(this.url, this.timeoutMs);
    } catch {
      return 'failed';
    }
    const late = pause(this.timeoutMs, 'late' as const, { ref: false });
    try {
      const written = redis.hset(this.key, id, payload);
      const copied = redis.wait(1, this.timeoutMs);
      const answers = await Promise.race([Promise.allSettled([written, copied]), late]);
      if (answers === 'late') return this.forget('unknown');
      const [write, copies] = answers;
      if (write.status === 'rejected') {
        // A plain refusal (no primary, no replica, still loading) is an answer: it is not stored. Anything else is none.
        return this.forget(write.reason instanceof ReplyError ? 'failed' : 'unknown');
      }
      return copies.status === 'fulfilled' && copies.value > 0 ? 'acknowledged' : this.forget('unknown');
    } catch {
      return this.forget('unknown');
    }
  }

  async close(): Promise<void> {
    this.redis?.disconnect();
  }

  /** The next write begins on a new connection, which may lead elsewhere. */
  private forget(outcome: Outcome): Outcome {
    this.redis?.disconnect();
    this.redis = undefined;
    return outcome;
  }
}

/** A connection that is not made anew by itself: what is sent is sent once. @throws Error where there is none in time */
async function connect(url: string, timeoutMs: number): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    retryStrategy: () => null,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  redis.on('error', () => undefined); // connect() and the commands say the same
  try {
    const late = pause(timeoutMs, undefined, { ref: false });
    await Promise.race([redis.connect(), late.then(() => Promise.reject(new Error('late')))]);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}
