import { Redis, type Result } from 'ioredis';
import type { SessionsConfig } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import type { HandOver, Sessions } from '../ports';
import { trouble } from './trouble';

/** Longest wait for one answer, ms; a session's failover may take 1 s in all (F1). */
const TIMEOUT_MS = 1_000;
/** Constant and short: a growing back-off would outlast the failover of Redis itself. */
const RECONNECT_MS = 100;
/** Sessions handed over at a time: few enough that Redis serves others in between, ms apart. */
const BATCH = 500;

/**
 * Hands over up to ARGV[2] sessions that are listed as those of node ARGV[1], in KEYS[1], to the nodes ARGV[4…] in
 * turn, beginning with the one after ARGV[3]. Each session goes through wholly or not at all.
 *
 * The new `updatedAt` is above the old: a node that slept through this and wakes up has its late write refused.
 * An owner set lives as long as its youngest session.
 */
const HAND_OVER = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local moved, lost = 0, 0
local ids = redis.call('SRANDMEMBER', KEYS[1], ARGV[2])
for _, id in ipairs(ids) do
  local key = 'mcp:session:' .. id
  local session = redis.call('HMGET', key, 'owner', 'updatedAt')
  if not session[1] then
    lost = lost + 1
  elseif session[1] == ARGV[1] then
    local to = ARGV[4 + (ARGV[3] + moved) % (#ARGV - 3)]
    local stamp = math.max(now, (tonumber(session[2]) or 0) + 1)
    redis.call('HSET', key, 'owner', to, 'updatedAt', string.format('%d', stamp))
    redis.call('SADD', 'mcp:owner:' .. to, id)
    local ttl = redis.call('PTTL', key)
    if ttl > redis.call('PTTL', 'mcp:owner:' .. to) then redis.call('PEXPIRE', 'mcp:owner:' .. to, ttl) end
    moved = moved + 1
  end
  redis.call('SREM', KEYS[1], id)
end
return { #ids, moved, lost }
`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** Keys: owner set. Arguments: node, batch, sessions moved so far, nodes to hand to. Returns found, moved, lost. */
    handOver(
      set: string,
      from: string,
      batch: number,
      moved: number,
      ...to: readonly string[]
    ): Result<[number, number, number], Context>;
  }
}

/** The session store with its connection, which `close` ends. */
export interface RedisSessions extends Sessions {
  close(): void;
}

/**
 * Sessions in one Redis, alone or under Sentinel, laid out as the nodes do: a hash `mcp:session:<id>` with a TTL
 * {owner, createdAt, updatedAt, data}, a set `mcp:owner:<node id>` of session ids. Connects in the background and for ever.
 *
 * Traps:
 * - A session that expired after its node went away counts as lost.
 * - A hand-over that is interrupted is finished by the next one, whose counts are of what was left.
 * - Keys are named inside the script: not for Redis Cluster.
 *
 * @throws SESSIONS_UNREACHABLE within 1 s, for an error that Redis answers with as well.
 */
export function redisSessions({ url }: SessionsConfig, password?: string): RedisSessions {
  let lastTrouble: Error | undefined;
  const redis = new Redis(url, {
    ...(password !== undefined && { password }),
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: () => RECONNECT_MS,
    scripts: { handOver: { lua: HAND_OVER, numberOfKeys: 1 } },
  });
  redis.on('error', (error: Error) => (lastTrouble = error));
  redis.on('ready', () => (lastTrouble = undefined));

  const ask = async <T>(what: string, answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      const why = trouble(lastTrouble ?? error, TIMEOUT_MS);
      throw new SwitchoverError(
        'SESSIONS_UNREACHABLE',
        `session store ${new URL(url).host} on ${what}: ${why}`,
      );
    }
  };

  return {
    owned: (node) => ask(`sessions of ${node}`, redis.scard(`mcp:owner:${node}`)),

    async handOver(from, to) {
      if (to.length === 0 || to.includes(from)) {
        throw new SwitchoverError(
          'BAD_INPUT',
          `the sessions of ${from} cannot be handed to [${to.join(', ')}]: name other nodes`,
        );
      }
      const total: HandOver = { found: 0, moved: 0, lost: 0 };
      for (;;) {
        const batch = redis.handOver(`mcp:owner:${from}`, from, BATCH, total.moved, ...to);
        const [found, moved, lost] = await ask(`hand-over from ${from}`, batch);
        if (found === 0) return total;
        total.found += found;
        total.moved += moved;
        total.lost += lost;
      }
    },

    close: () => redis.disconnect(),
  };
}
