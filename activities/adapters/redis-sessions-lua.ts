/**
 * The scripts that place and move buckets of sessions, each atomic in Redis, by whose clock alone stamps are made. The
 * contract of the keys is in sandbox/mcp-node/README.md.
 *
 * Trap: lists are named inside the scripts, which Redis Cluster forbids across slots.
 */
const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function text(ms) return string.format('%d', ms) end
local function live(bucket) return redis.call('ZCOUNT', 'mcp:bucket:' .. bucket, text(now), '+inf') end
`;

/** Gives every bucket that nobody has placed its first owner. Keys: placement. Arguments: the owners of bucket 0, 1, … */
export const PLACE_ABSENT = `${CLOCK}
if redis.call('HLEN', KEYS[1]) == #ARGV then return end
for i, owner in ipairs(ARGV) do redis.call('HSETNX', KEYS[1], i - 1, owner .. ' ' .. text(now)) end
`;

/** Keys: placement. Returns for each bucket: number, owner and stamp, sessions. */
export const BUCKETS = `${CLOCK}
local placement = redis.call('HGETALL', KEYS[1])
local buckets = {}
for i = 1, #placement, 2 do
  buckets[#buckets + 1] = { tonumber(placement[i]), placement[i + 1], live(placement[i]) }
end
return buckets
`;

/**
 * Moves buckets, each if it is still where it was seen. All that move get one stamp, newer than any of theirs: of what
 * is written about a bucket the last wins, and who has slept through it can tell.
 *
 * Records are looked up for the sessions next to expire: least recently used, they are what a full Redis evicts first.
 *
 * Keys: placement. Arguments: up to how many sessions each is looked up, then for each move the bucket, its owner, the
 * next one, and the stamp it must have or ''. Returns [stamp, sessions, lost, buckets that moved…].
 */
export const MOVE = `${CLOCK}
local moved, stamp = {}, now
for i = 2, #ARGV, 4 do
  local owner, at = string.match(redis.call('HGET', KEYS[1], ARGV[i]) or '', '^(%S+) (%d+)$')
  if owner == ARGV[i + 1] and (ARGV[i + 3] == '' or ARGV[i + 3] == at) then
    moved[#moved + 1] = { bucket = ARGV[i], to = ARGV[i + 2] }
    stamp = math.max(stamp, at + 1)
  end
end
local sessions = 0
for _, move in ipairs(moved) do
  redis.call('HSET', KEYS[1], move.bucket, move.to .. ' ' .. text(stamp))
  sessions = sessions + live(move.bucket)
end
local limit = tonumber(ARGV[1])
if sessions > limit then limit = math.ceil(limit / #moved) end
local lost = 0
for _, move in ipairs(moved) do
  local list = 'mcp:bucket:' .. move.bucket
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', list, text(now), '+inf', 'LIMIT', 0, limit)) do
    if redis.call('EXISTS', 'mcp:session:' .. id) == 0 then
      redis.call('ZREM', list, id)
      lost = lost + 1
    end
  end
end
local answer = { text(stamp), sessions, lost }
for _, move in ipairs(moved) do answer[#answer + 1] = tonumber(move.bucket) end
return answer
`;
