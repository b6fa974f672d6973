import { Redis } from 'ioredis';
import type { Logger } from 'pino';

/** What the registry says of a node; the key is `mcp:node:<id>`. */
export interface Registered {
  /** host:port of `/mcp`. */
  address: string;
  version: string;
}

/** Life of an entry that is not renewed, ms: after that the node counts as gone. */
const TTL_MS = 5_000;
/** So much shorter that a registry that is away for some seconds still has the entry when it is back. */
const RENEW_MS = 1_000;
const TIMEOUT_MS = 1_000;
const RECONNECT_MS = 200;

/**
 * Keeps a node's entry in the registry for as long as it serves. A registry that is away changes nothing about serving:
 * the entry is written again within a second of its return.
 */
export class Registration {
  private readonly redis: Redis;
  private readonly key: string;
  private renewing: NodeJS.Timeout | undefined;
  private away = false;

  constructor(
    url: string,
    nodeId: string,
    private readonly entry: Registered,
    private readonly log: Logger,
  ) {
    this.key = `mcp:node:${nodeId}`;
    this.redis = new Redis(url, {
      commandTimeout: TIMEOUT_MS,
      connectTimeout: TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false, // what could not be written in time is written anew
      retryStrategy: () => RECONNECT_MS,
    });
    this.redis.on('error', () => undefined); // the renewal that fails tells
  }

  start(): void {
    this.redis.on('ready', () => void this.renew());
    this.renewing = setInterval(() => void this.renew(), RENEW_MS).unref();
    if (this.redis.status === 'ready') void this.renew();
  }

  /** Takes the entry out; where the registry is away it expires. */
  async end(): Promise<void> {
    clearInterval(this.renewing);
    await this.redis.del(this.key).catch(() => undefined);
    this.redis.disconnect();
  }

  private async renew(): Promise<void> {
    try {
      await this.redis.set(this.key, JSON.stringify(this.entry), 'PX', TTL_MS);
      if (this.away) this.log.info('registered again');
      this.away = false;
    } catch (err) {
      if (!this.away) this.log.warn({ err }, 'could not renew the entry in the registry, trying again');
      this.away = true;
    }
  }
}
