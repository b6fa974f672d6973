import { Redis, type Result } from 'ioredis';
import { FLEET, NODE, RECORD, REGION, expiry, fill, type Contender } from './crowd';

/** Sessions handed over at a time: few enough that Redis serves others in between. */
const BATCH = 500;
/** Nodes that take a node's sessions, evenly. They own nothing else, so that the sessions can be put back. */
const TAKERS = 5;

/**
 * Every session names its owner, every owner has a set of its sessions: up to ARGV[2] of those of ARGV[1], in KEYS[1],
 * go to ARGV[4…] in turn, after ARGV[3]. This is how Switchover did it before there were buckets.
 */
const HAND_OVER = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local moved = 0
local ids = redis.call('SRANDMEMBER', KEYS[1], ARGV[2])
for _, id in ipairs(ids) do
  local key = 'mcp:session:' .. id
  local session = redis.call('HMGET', key, 'owner', 'updatedAt')
  if session[1] == ARGV[1] then
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
return { #ids, moved }
`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    naiveHandOver(
      set: string,
      from: string,
      batch: number,
      moved: number,
      ...to: string[]
    ): Result<[number, number], Context>;
  }
}

/** The rival: each session is moved by itself, a batch of them in a script. */
export const NAIVE: Contender = {
  name: 'one session at a time',
  async open(url, redis) {
    const scripts = { naiveHandOver: { lua: HAND_OVER, numberOfKeys: 1 } };
    const mover = new Redis(url, { scripts });
    await fill(redis, (batch, { id, owner }) => {
      batch.hset(`mcp:session:${id}`, { owner, ...RECORD }).pexpireat(`mcp:session:${id}`, expiry());
      batch.sadd(`mcp:owner:${owner}`, id);
    });

    const handOver = async (from: string, to: readonly string[]): Promise<number> => {
      for (let total = 0; ;) {
        const [found, moved] = await mover.naiveHandOver(`mcp:owner:${from}`, from, BATCH, total, ...to);
        if (found === 0) return total;
        total += moved;
      }
    };
    const takersOf = (node: string): string[] =>
      Array.from({ length: TAKERS }, (_, i) => `${node}/taker${i}`);
    const region = FLEET.filter((candidate) => candidate.region === REGION).map(({ id }) => id);
    const moveAll = async (nodes: readonly string[]): Promise<number> => {
      let moved = 0;
      for (const node of nodes) moved += await handOver(node, takersOf(node));
      return moved;
    };
    return {
      moveNode: () => moveAll([NODE]),
      moveRegion: () => moveAll(region),
      async restore() {
        for (const node of region) for (const taker of takersOf(node)) await handOver(taker, [node]);
      },
      close: () => mover.disconnect(),
    };
  },
};
