import { Redis, type Result } from 'ioredis';
import type { Config } from '../../core/config';
import { Placement, allBuckets, candidatesOf, type BucketMove } from '../../core/placement';
import { SwitchoverError } from '../../core/errors';
import type { Bucket, Moved, Sessions } from '../ports';
import * as lua from './redis-sessions-lua';
import { trouble } from './trouble';

/** Longest wait for one answer, ms; a session's failover may take 1 s in all (F1). */
const TIMEOUT_MS = 1_000;
/** Constant and short: a growing back-off would outlast the failover of Redis itself. */
const RECONNECT_MS = 100;
/** Up to so many sessions that move, each has its record looked up: some 1 ms in which Redis serves nobody else. */
const LOOKED_UP = 1_000;

const PLACEMENT = 'mcp:placement';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    placeAbsent(placement: string, ...owners: string[]): Result<null, Context>;
    buckets(placement: string): Result<[bucket: number, placed: string, sessions: number][], Context>;
    move(
      placement: string,
      lookedUp: number,
      ...moves: (string | number)[]
    ): Result<[stamp: string, sessions: number, lost: number, ...buckets: number[]], Context>;
  }
}

/** The session store with its connection, which `close` ends. */
export interface RedisSessions extends Sessions {
  close(): void;
}

/**
 * Sessions in one Redis, alone or under Sentinel, laid out as in sandbox/mcp-node/README.md. Connects in the background
 * and for ever.
 *
 * Traps:
 * - A session that expired after its node went away is not counted at all.
 * - Keys are named inside scripts: not for Redis Cluster.
 *
 * @throws SESSIONS_UNREACHABLE within 1 s, for an error that Redis answers with as well.
 */
export function redisSessions(
  config: Pick<Config, 'sessions' | 'regions'>,
  password?: string,
): RedisSessions {
  const { url } = config.sessions;
  const { redis, ask } = connect(url, password);
  const placementWith = placements(config);
  const whole = placementWith([]);
  const firstOwners = allBuckets().map((bucket) => whole.preferences(bucket)[0]!);

  /** Asks Redis, once every bucket has an owner. */
  const asking = async <T>(what: string, query: () => Promise<T>): Promise<T> => {
    const [, answer] = await ask(what, () =>
      Promise.all([redis.placeAbsent(PLACEMENT, ...firstOwners), query()]),
    );
    return answer;
  };

  const buckets = async (): Promise<Bucket[]> => {
    const seen = await asking('where the buckets are', () => redis.buckets(PLACEMENT));
    const all = seen.map(([bucket, placed, sessions]) => {
      const [owner = '', stamp = ''] = placed.split(' ');
      return { bucket, owner, stamp: Number(stamp), sessions };
    });
    return all.sort((a, b) => a.bucket - b.bucket);
  };

  const place = async (moves: readonly BucketMove[]): Promise<Moved> => {
    const flat = moves.flatMap(({ bucket, from, to, stamp = '' }) => [bucket, from, to, stamp]);
    const answer = await asking('moving buckets', () => redis.move(PLACEMENT, LOOKED_UP, ...flat));
    const [stamp, found, lost, ...moved] = answer;
    const target = new Map(moves.map(({ bucket, to }) => [bucket, to]));
    const placed = moved.map((bucket) => ({ bucket, owner: target.get(bucket)!, stamp: Number(stamp) }));
    return { found, moved: found - lost, lost, placed };
  };

  return {
    buckets,
    place,

    async owned(node) {
      const own = (await buckets()).filter(({ owner }) => owner === node);
      return own.reduce((sum, { sessions }) => sum + sessions, 0);
    },

    async handOver(from, to) {
      if (to.length === 0 || to.includes(from)) {
        throw new SwitchoverError(
          'BAD_INPUT',
          `the sessions of ${from} cannot be handed to [${to.join(', ')}]: name other nodes`,
        );
      }
      const [placement, serving] = [placementWith(to), new Set(to)];
      // Every bucket is named: which of them are `from`'s is seen in the same moment as they are moved.
      const moves = allBuckets().map((bucket) => {
        const next = placement.owner(bucket, serving);
        if (next) return { bucket, from, to: next };
        throw new SwitchoverError('UNKNOWN_TARGET', `none of ${to.join(', ')} is a node of the environment`);
      });
      const { found, moved, lost } = await place(moves);
      return { found, moved, lost };
    },

    ping: async () => void (await asking('ping', () => redis.ping())),

    close: () => redis.disconnect(),
  };
}

/** Placements among the nodes of the environment and the spares that are named; made once, for ranking takes some ms. */
function placements(config: Pick<Config, 'regions'>): (spares: readonly string[]) => Placement {
  const made = new Map<string, Placement>();
  return (spares) => {
    const candidates = candidatesOf(config, spares);
    const key = candidates.map(({ id }) => id).join();
    const placement = made.get(key) ?? new Placement(candidates);
    made.set(key, placement);
    return placement;
  };
}

/** The connection, and what asks it in the words of the error table. */
function connect(url: string, password: string | undefined) {
  let lastTrouble: Error | undefined;
  const redis = new Redis(url, {
    ...(password !== undefined && { password }),
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: () => RECONNECT_MS,
    scripts: {
      placeAbsent: { lua: lua.PLACE_ABSENT, numberOfKeys: 1 },
      buckets: { lua: lua.BUCKETS, numberOfKeys: 1 },
      move: { lua: lua.MOVE, numberOfKeys: 1 },
    },
  });
  redis.on('error', (error: Error) => (lastTrouble = error));
  redis.on('ready', () => (lastTrouble = undefined));
  const ask = async <T>(what: string, query: () => Promise<T>): Promise<T> => {
    try {
      return await query();
    } catch (error) {
      const why = trouble(lastTrouble ?? error, TIMEOUT_MS);
      throw new SwitchoverError(
        'SESSIONS_UNREACHABLE',
        `session store ${new URL(url).host} on ${what}: ${why}`,
      );
    }
  };
  return { redis, ask };
}
