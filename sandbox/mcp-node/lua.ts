/**
 * The session scripts. Each runs atomically in Redis, so two nodes serving one session at once never see half
 * of the other's change. README.md states the contract of the keys.
 *
 * Redis's clock is the only clock: a node that slept, or whose clock is off, cannot stamp its writes into the
 * future. `updatedAt` only ever grows, by at least 1 ms a change, so it is the version of the data as well.
 */
const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function text(ms) return string.format('%d', ms) end
local function nextStamp(previous) return text(math.max(now, (tonumber(previous) or 0) + 1)) end
`;

/**
 * Has a session live for ttl s from now, in its own record and in the list of its bucket, and the bucket placed where
 * nobody has placed it yet. Returns where the bucket is.
 */
const RENEW = `
local function renew(session, list, placement, id, bucket, owner, ttl)
  local expiry = text(now + ttl * 1000)
  redis.call('PEXPIREAT', session, expiry)
  redis.call('ZADD', list, expiry, id)
  redis.call('HSETNX', placement, bucket, owner .. ' ' .. text(now))
  return redis.call('HGET', placement, bucket)
end
`;

/**
 * Keys: session, list of its bucket, placement. Arguments: session id, bucket, the bucket's first owner, TTL in s, data.
 * Returns [updatedAt, placement of the bucket].
 */
export const CREATE = `${CLOCK}${RENEW}
local stamp = nextStamp()
redis.call('HSET', KEYS[1], 'createdAt', stamp, 'updatedAt', stamp, 'data', ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. text(now))
return { stamp, renew(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4]) }
`;

/**
 * Renews the TTL; the data and its updatedAt stay as they are, and the bucket where it is.
 *
 * Keys: session, list of its bucket, placement. Arguments: session id, bucket, the bucket's first owner, TTL in s.
 * Returns [updatedAt, placement of the bucket, data], or nil when there is no such session.
 */
export const CLAIM = `${CLOCK}${RENEW}
local session = redis.call('HMGET', KEYS[1], 'updatedAt', 'data')
if not session[2] then return nil end
return { session[1], renew(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4]), session[2] }
`;

/** Keys: session. Returns the new count, or nil when there is no such session. */
export const COUNT = `${CLOCK}
local session = redis.call('HMGET', KEYS[1], 'updatedAt', 'data')
if not session[2] then return nil end
local data = cjson.decode(session[2])
data.count = data.count + 1
redis.call('HSET', KEYS[1], 'updatedAt', nextStamp(session[1]), 'data', cjson.encode(data))
return data.count
`;

/**
 * Last write wins: refused when the session has changed, or its bucket has moved, since the writer read it.
 *
 * Keys: session, placement. Arguments: bucket, the updatedAt and the placement that were read, data.
 * Returns 1 when written, 0 when refused.
 */
export const WRITE = `${CLOCK}
local current = redis.call('HGET', KEYS[1], 'updatedAt')
if not current or tonumber(current) > tonumber(ARGV[2]) then return 0 end
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'updatedAt', nextStamp(current), 'data', ARGV[4])
return 1
`;

/** Keys: session, list of its bucket. Arguments: session id. Returns 1 when there was such a session, else 0. */
export const END = `
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[1])
`;

/**
 * Drops expired sessions from the lists of a node's buckets. Keys: placement. Arguments: node id, start of the lists'
 * names. Returns how many sessions are left in them.
 *
 * Trap: names keys inside the script, which Redis Cluster forbids.
 */
export const SWEEP = `${CLOCK}
local sessions = 0
local placement = redis.call('HGETALL', KEYS[1])
for i = 1, #placement, 2 do
  if string.match(placement[i + 1], '^%S+') == ARGV[1] then
    local list = ARGV[2] .. placement[i]
    redis.call('ZREMRANGEBYSCORE', list, '-inf', '(' .. text(now))
    sessions = sessions + redis.call('ZCARD', list)
  end
end
return sessions
`;
