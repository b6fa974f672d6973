import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Result } from 'ioredis';
import { z } from 'zod';
import * as lua from './lua';

const SessionData = z.object({ count: z.int(), note: z.string().optional() });

/** What a session remembers between calls. Trap: no field may be an array, Lua's JSON turns an empty one into `{}`. */
export type SessionData = z.infer<typeof SessionData>;

/** A session as one request read it. */
export interface Session {
  id: string;
  /** Version of `data`: ms of Redis's clock at its last change. */
  updatedAt: string;
  data: SessionData;
}

/** Longest wait for one answer of Redis; shorter than what a client or balancer waits for the node. */
const REDIS_TIMEOUT_MS = 1_000;
/** Constant and short: a back-off that grows would outlast the failover of Redis itself. */
const RECONNECT_MS = 100;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    mcpCreate(
      key: string,
      owner: string,
      id: string,
      node: string,
      ttl: number,
      data: string,
    ): Result<string, Context>;
    mcpClaim(
      key: string,
      owner: string,
      id: string,
      node: string,
      ttl: number,
    ): Result<[string, string, string] | null, Context>;
    mcpCount(key: string): Result<number | null, Context>;
    mcpWrite(key: string, readAt: string, data: string): Result<number, Context>;
    mcpEnd(key: string, id: string): Result<number, Context>;
    mcpSweep(owner: string, node: string): Result<number, Context>;
  }
}

/** Opens the connection of a node. Commands fail within 1 s when Redis does not answer; reconnecting never gives up. */
export function connectRedis(url: string): Redis {
  return new Redis(url, {
    commandTimeout: REDIS_TIMEOUT_MS,
    connectTimeout: REDIS_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: () => RECONNECT_MS,
    scripts: {
      mcpCreate: { lua: lua.CREATE, numberOfKeys: 2 },
      mcpClaim: { lua: lua.CLAIM, numberOfKeys: 2 },
      mcpCount: { lua: lua.COUNT, numberOfKeys: 1 },
      mcpWrite: { lua: lua.WRITE, numberOfKeys: 1 },
      mcpEnd: { lua: lua.END, numberOfKeys: 1 },
      mcpSweep: { lua: lua.SWEEP, numberOfKeys: 1 },
    },
  });
}

const sessionKey = (id: string): string => `mcp:session:${id}`;

/**
 * The sessions of the fleet, seen from one node. Nothing is kept in the process, so any node continues any
 * session and a killed node loses none. Every method rejects when Redis is away.
 */
export class SessionStore {
  private readonly ownerKey: string;

  constructor(
    private readonly redis: Redis,
    private readonly nodeId: string,
    private readonly ttlS: number,
  ) {
    this.ownerKey = `mcp:owner:${nodeId}`;
  }

  /** Starts a session owned by this node. */
  async create(): Promise<Session> {
    const id = randomUUID();
    const data: SessionData = { count: 0 };
    const json = JSON.stringify(data);
    const updatedAt = await this.redis.mcpCreate(
      sessionKey(id),
      this.ownerKey,
      id,
      this.nodeId,
      this.ttlS,
      json,
    );
    return { id, updatedAt, data };
  }

  /**
   * Reads a session for serving it here: this node becomes its owner, its TTL starts anew.
   * @returns null when there is no such session (ended, expired, or never was).
   */
  async claim(id: string): Promise<(Session & { previousOwner: string }) | null> {
    const found = await this.redis.mcpClaim(sessionKey(id), this.ownerKey, id, this.nodeId, this.ttlS);
    if (!found) return null;
    const [previousOwner, updatedAt, data] = found;
    return { id, updatedAt, data: SessionData.parse(JSON.parse(data)), previousOwner };
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
   * Replaces the session's data, if nobody changed it after `session` was read.
   * @returns false when refused: this node's view is stale (it slept, or another call got in first) or the session ended.
   */
  async write(session: Session, data: SessionData): Promise<boolean> {
    return (await this.redis.mcpWrite(sessionKey(session.id), session.updatedAt, JSON.stringify(data))) === 1;
  }

  /** Ends a session. @returns false when there was none. */
  async end(id: string): Promise<boolean> {
    return (await this.redis.mcpEnd(sessionKey(id), id)) === 1;
  }

  /** Number of sessions this node owns, after dropping the expired ones from its owner set. */
  async sweep(): Promise<number> {
    return this.redis.mcpSweep(this.ownerKey, this.nodeId);
  }
}
