/**
 * The session scripts. Each runs atomically in Redis, so two nodes serving one session at once never see half
 * of the other's change. README.md states the contract of the keys.
 *
 * Redis's clock is the only clock: a node that slept, or whose clock is off, cannot stamp its writes into the
 * future. `updatedAt` only ever grows, by at least 1 ms a change, so it is the version of the data as well.
 *
 * Trap: owner sets are reached by a name built inside the script, which Redis Cluster forbids across slots;
 * these scripts are for a single Redis or Redis under Sentinel.
 */
const NEXT_STAMP = `
local function nextStamp(previous)
  local t = redis.call('TIME')
  return string.format('%d', math.max(t[1] * 1000 + math.floor(t[2] / 1000), (tonumber(previous) or 0) + 1))
end
`;

/** Keys: session, owner set. Arguments: session id, node id, TTL in s, data. Returns updatedAt. */
export const CREATE = `${NEXT_STAMP}
local stamp = nextStamp()
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'createdAt', stamp, 'updatedAt', stamp, 'data', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return stamp
`;

/**
 * Makes the node the owner and renews the TTL; the data and its updatedAt stay as they are.
 * The owner set expires with its youngest session, so a node that is gone leaves no set behind.
 *
 * Keys: session, owner set. Arguments: session id, node id, TTL in s.
 * Returns [previous owner, updatedAt, data], or nil when there is no such session.
 */
export const CLAIM = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then return nil end
if owner ~= ARGV[2] then
  redis.call('SREM', 'mcp:owner:' .. owner, ARGV[1])
  redis.call('HSET', KEYS[1], 'owner', ARGV[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return { owner, redis.call('HGET', KEYS[1], 'updatedAt'), redis.call('HGET', KEYS[1], 'data') }
`;

/** Keys: session. Returns the new count, or nil when there is no such session. */
export const COUNT = `${NEXT_STAMP}
local session = redis.call('HMGET', KEYS[1], 'updatedAt', 'data')
if not session[2] then return nil end
local data = cjson.decode(session[2])
data.count = data.count + 1
redis.call('HSET', KEYS[1], 'updatedAt', nextStamp(session[1]), 'data', cjson.encode(data))
return data.count
`;

/**
 * Last write wins: refused when the session has changed since the writer read it.
 *
 * Keys: session. Arguments: the updatedAt that was read, data. Returns 1 when written, 0 when refused.
 */
export const WRITE = `${NEXT_STAMP}
local current = redis.call('HGET', KEYS[1], 'updatedAt')
if not current or tonumber(current) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'updatedAt', nextStamp(current), 'data', ARGV[2])
return 1
`;

/** Keys: session. Arguments: session id. Returns 1 when there was such a session, else 0. */
export const END = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then return 0 end
redis.call('SREM', 'mcp:owner:' .. owner, ARGV[1])
return redis.call('DEL', KEYS[1])
`;

/** Drops ids of expired or moved sessions. Keys: owner set. Arguments: node id. Returns how many are left. */
export const SWEEP = `
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('HGET', 'mcp:session:' .. id, 'owner') ~= ARGV[1] then redis.call('SREM', KEYS[1], id) end
end
return redis.call('SCARD', KEYS[1])
`;
