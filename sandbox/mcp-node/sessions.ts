import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Result } from 'ioredis';
import { z } from 'zod';
import { Placement, bucketOf } from '../../core/placement';
import type { NodeConfig } from './config';
import * as lua from './lua';

const SessionData = z.object({ count: z.int(), note: z.string().optional() });

/** What a session remembers between calls. Trap: no field may be an array, Lua's JSON turns an empty one into `{}`. */
export type SessionData = z.infer<typeof SessionData>;

/** A session as one request read it. */
export interface Session {
  id: string;
  /** Version of `data`: ms of Redis's clock at its last change. */
  updatedAt: string;
  /** Where its bucket was, `<node id> <stamp>`. */
  placement: string;
  data: SessionData;
}

/** Longest wait for one answer of Redis; shorter than what a client or balancer waits for the node. */
const REDIS_TIMEOUT_MS = 1_000;
/** Constant and short: a back-off that grows would outlast the failover of Redis itself. */
const RECONNECT_MS = 100;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    mcpCreate(...args: [...Keys, ...Identity, ttl: number, data: string]): Result<[string, string], Context>;
    mcpClaim(...args: [...Keys, ...Identity, ttl: number]): Result<[string, string, string] | null, Context>;
    mcpCount(session: string): Result<number | null, Context>;
    mcpWrite(
      ...args: [session: string, placement: string, bucket: number, at: string, placed: string, data: string]
    ): Result<number, Context>;
    mcpEnd(session: string, list: string, id: string): Result<number, Context>;
    mcpSweep(placement: string, node: string, lists: string): Result<number, Context>;
  }
}

/** Opens the connection of a node. Commands fail within 1 s when Redis does not answer; reconnecting never gives up. */
export function connectRedis(url: string): Redis {
  return new Redis(url, {
    commandTimeout: REDIS_TIMEOUT_MS,
    connectTimeout: REDIS_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: () => RECONNECT_MS,
    // After a change of primary the address still leads to the old one for a moment: what it refused is asked of the next connection.
    reconnectOnError: (error) => (error.message.includes('READONLY') ? 2 : false),
    scripts: {
      mcpCreate: { lua: lua.CREATE, numberOfKeys: 3 },
      mcpClaim: { lua: lua.CLAIM, numberOfKeys: 3 },
      mcpCount: { lua: lua.COUNT, numberOfKeys: 1 },
      mcpWrite: { lua: lua.WRITE, numberOfKeys: 2 },
      mcpEnd: { lua: lua.END, numberOfKeys: 2 },
      mcpSweep: { lua: lua.SWEEP, numberOfKeys: 1 },
    },
  });
}

const PLACEMENT = 'mcp:placement';
/** The sessions of a bucket are listed under this and its number. */
const LISTS = 'mcp:bucket:';

const sessionKey = (id: string): string => `mcp:session:${id}`;
const listKey = (id: string): string => `${LISTS}${bucketOf(id)}`;

type Keys = [session: string, list: string, placement: string];
type Identity = [id: string, bucket: number, owner: string];

/**
 * The sessions of the fleet, seen from one node. Nothing is kept in the process, so any node continues any
 * session and a killed node loses none; whose a session is, its bucket says. Every method rejects when Redis is away.
 */
export class SessionStore {
  private readonly placement: Placement;

  constructor(
    private readonly redis: Redis,
    private readonly node: Pick<NodeConfig, 'nodeId' | 'sessionTtlS' | 'fleet'>,
  ) {
    this.placement = new Placement(node.fleet);
  }

  /** Starts a session. */
  async create(): Promise<Session> {
    const id = randomUUID();
    const data: SessionData = { count: 0 };
    const { redis, node } = this;
    const json = JSON.stringify(data);
    const [updatedAt, placement] = await redis.mcpCreate(...this.about(id), node.sessionTtlS, json);
    return { id, updatedAt, placement, data };
  }

  /**
   * Reads a session for serving it here. Its TTL starts anew; its bucket stays where it is.
   * @returns null when there is no such session (ended, expired, or never was).
   */
  async claim(id: string): Promise<Session | null> {
    const found = await this.redis.mcpClaim(...this.about(id), this.node.sessionTtlS);
    if (!found) return null;
    const [updatedAt, placement, data] = found;
    return { id, updatedAt, placement, data: SessionData.parse(JSON.parse(data)) };
  }

  /**
   * Adds one to the session's counter and returns it. Atomic: concurrent calls on any nodes each get their own number.
   * @throws Error when the session has ended since it was claimed.
   */
  async count(id: string): Promise<number> {
    const count = await this.redis.mcpCount(sessionKey(id));
    if (count === null) throw new Error(`session ${id} ended during the call; initialize a new one`);
    return count;
  }

  /**
   * Replaces the session's data, if nobody changed it and its bucket did not move after `session` was read.
   * @returns false when refused: this node's view is stale (it slept, or another call got in first) or the session ended.
   */
  async write({ id, updatedAt, placement }: Session, data: SessionData): Promise<boolean> {
    const seen = [updatedAt, placement] as const;
    const json = JSON.stringify(data);
    return (await this.redis.mcpWrite(sessionKey(id), PLACEMENT, bucketOf(id), ...seen, json)) === 1;
  }

  /** Ends a session. @returns false when there was none. */
  async end(id: string): Promise<boolean> {
    return (await this.redis.mcpEnd(sessionKey(id), listKey(id), id)) === 1;
  }

  /** Number of sessions in this node's buckets, after dropping the expired ones from their lists. */
  async sweep(): Promise<number> {
    return this.redis.mcpSweep(PLACEMENT, this.node.nodeId, LISTS);
  }

  /** What scripts must know of a session: its keys, and who is the first to own its bucket. */
  private about(id: string): [...Keys, ...Identity] {
    const bucket = bucketOf(id);
    return [sessionKey(id), listKey(id), PLACEMENT, id, bucket, this.placement.preferences(bucket)[0]!];
  }
}
