import { once } from 'node:events';
import { createServer } from 'node:net';
import { redisSessions, type RedisSessions } from '../../../activities/adapters/redis-sessions';
import { startRedis, type TestRedis } from '../../harness/redis';
import { until } from '../../harness/until';

const HOST = '127.130.3.1';
const N1 = 'us-east-1/a/n1';
const N2 = 'us-east-1/a/n2';
const N3 = 'us-east-1/b/n1';
const LONG = 1_000;

let redis: TestRedis;
let sessions: RedisSessions;

beforeAll(async () => {
  redis = await startRedis(HOST);
  sessions = redisSessions({ kind: 'redis', url: redis.url });
});

afterEach(() => redis.client.flushall());

afterAll(async () => {
  sessions.close();
  await redis.stop();
});

/** Writes sessions as a node does. */
async function create(ids: string[], owner = N1, ttlS = LONG): Promise<void> {
  const batch = redis.client.pipeline();
  for (const id of ids) {
    batch.hset(`mcp:session:${id}`, { owner, createdAt: '1000', updatedAt: '1000', data: `{"id":"${id}"}` });
    batch.expire(`mcp:session:${id}`, ttlS);
    batch.sadd(`mcp:owner:${owner}`, id);
    batch.expire(`mcp:owner:${owner}`, ttlS);
  }
  await batch.exec();
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);
const listed = async (node: string): Promise<string[]> =>
  (await redis.client.smembers(`mcp:owner:${node}`)).toSorted();
const field = (id: string, name: string): Promise<string | null> =>
  redis.client.hget(`mcp:session:${id}`, name);

/** Every session is listed with the one node its record names, and with no other. */
async function expectOwners(ids: string[], owners: string[]): Promise<void> {
  const all = await Promise.all(owners.map(listed));
  expect(all.flat().toSorted()).toEqual(ids.toSorted());
  for (const [i, owner] of owners.entries()) {
    const records = await Promise.all(all[i]!.map((id) => field(id, 'owner')));
    expect(new Set(records)).toEqual(new Set(records.length > 0 ? [owner] : []));
  }
}

describe('handOver', () => {
  it('gives the sessions to the others evenly, with their data and their time to live', async () => {
    await create(names(1_201));
    expect(await sessions.owned(N1)).toBe(1_201);
    expect(await sessions.handOver(N1, [N2, N3])).toEqual({ found: 1_201, moved: 1_201, lost: 0 });
    expect([await sessions.owned(N1), await sessions.owned(N2), await sessions.owned(N3)]).toEqual([
      0, 601, 600,
    ]);
    await expectOwners(names(1_201), [N2, N3]);
    expect(await field('s7', 'data')).toBe('{"id":"s7"}');
    expect(await field('s7', 'createdAt')).toBe('1000');
    expect(await redis.client.ttl('mcp:session:s7')).toBeGreaterThan(LONG - 60);
  });

  it('done twice does nothing the second time', async () => {
    await create(names(3));
    await sessions.handOver(N1, [N2]);
    const updatedAt = await field('s0', 'updatedAt');
    expect(await sessions.handOver(N1, [N2])).toEqual({ found: 0, moved: 0, lost: 0 });
    expect(await field('s0', 'updatedAt')).toBe(updatedAt);
  });

  it('makes the record newer than any write of the old owner, even of one whose stamp is ahead', async () => {
    await create(['past', 'future']);
    await redis.client.hset('mcp:session:future', 'updatedAt', '9000000000000');
    const before = Date.now();
    await sessions.handOver(N1, [N2]);
    expect(Number(await field('past', 'updatedAt'))).toBeGreaterThanOrEqual(before);
    expect(await field('future', 'updatedAt')).toBe('9000000000001');
  });

  it('leaves a session alone that another node has adopted', async () => {
    await create(['mine', 'adopted']);
    await redis.client.hset('mcp:session:adopted', 'owner', N3);
    await redis.client.sadd(`mcp:owner:${N3}`, 'adopted');
    expect(await sessions.handOver(N1, [N2])).toEqual({ found: 2, moved: 1, lost: 0 });
    await expectOwners(['mine', 'adopted'], [N1, N2, N3]);
    expect(await field('adopted', 'updatedAt')).toBe('1000');
  });

  it('counts what is listed but gone as lost, and lists it no more', async () => {
    await create(['here', 'gone']);
    await redis.client.del('mcp:session:gone');
    expect(await sessions.handOver(N1, [N2])).toEqual({ found: 2, moved: 1, lost: 1 });
    await expectOwners(['here'], [N1, N2]);
  });

  it('lets the new owner’s list live as long as the sessions it takes', async () => {
    await create(['old'], N2, 10);
    await create(['young']);
    await sessions.handOver(N1, [N2, N3]);
    const lives = await Promise.all([N2, N3].map((node) => redis.client.ttl(`mcp:owner:${node}`)));
    expect(Math.max(...lives)).toBeGreaterThan(LONG - 60);
    await create(['other'], N3, 10);
    await sessions.handOver(N2, [N3]);
    expect(await redis.client.ttl(`mcp:owner:${N3}`)).toBeGreaterThan(LONG - 60);
  });

  it('may run twice at once: each session goes over once', async () => {
    await create(names(3_000));
    const [a, b] = await Promise.all([sessions.handOver(N1, [N2, N3]), sessions.handOver(N1, [N2, N3])]);
    expect(a.moved + b.moved).toBe(3_000);
    await expectOwners(names(3_000), [N1, N2, N3]);
  });

  it('is finished by the next one when it was cut off half-way', async () => {
    await create(names(10_000));
    const doomed = redisSessions({ kind: 'redis', url: redis.url });
    const cutOff = doomed.handOver(N1, [N2, N3]).catch((error: unknown) => error);
    await until('it has begun', async () => (await sessions.owned(N1)) < 10_000);
    doomed.close();
    expect(await cutOff).toMatchObject({ code: 'SESSIONS_UNREACHABLE' });
    const rest = await sessions.owned(N1);
    expect(await sessions.handOver(N1, [N2, N3])).toEqual({ found: rest, moved: rest, lost: 0 });
    await expectOwners(names(10_000), [N1, N2, N3]);
  });

  it.each([[[]], [[N1]], [[N2, N1]]])('refuses to hand the sessions of n1 to %j', async (to) => {
    await create(['s']);
    await expect(sessions.handOver(N1, to)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(N1),
    });
    expect(await listed(N1)).toEqual(['s']);
  });
});

describe('trouble', () => {
  it('a store that is away is unreachable within a second, and used again when it is back', async () => {
    const host = '127.130.3.2';
    const other = await startRedis(host);
    const theirs = redisSessions({ kind: 'redis', url: other.url });
    expect(await theirs.owned(N1)).toBe(0);
    await other.stop();
    const error = {
      code: 'SESSIONS_UNREACHABLE',
      message: expect.stringMatching(/127\.130\.3\.2:6379.*connection refused$/),
    };
    await until('the connection is lost', () =>
      theirs.owned(N1).then(
        () => false,
        () => true,
      ),
    );
    await expect(theirs.handOver(N1, [N2])).rejects.toMatchObject(error);
    const back = await startRedis(host);
    await until('it is used again', async () => (await theirs.owned(N1)) === 0);
    theirs.close();
    await back.stop();
  });

  it('a hung store is unreachable within a second', async () => {
    const server = createServer((socket) => socket.resume()).listen(6379, '127.130.3.3');
    await once(server, 'listening');
    const theirs = redisSessions({ kind: 'redis', url: 'redis://127.130.3.3:6379' });
    const start = performance.now();
    await expect(theirs.owned(N1)).rejects.toMatchObject({ code: 'SESSIONS_UNREACHABLE' });
    expect(performance.now() - start).toBeLessThan(1_500);
    theirs.close();
    server.close();
  });

  it('a wrong password is told without the password', async () => {
    await redis.client.config('SET', 'requirepass', 'right');
    const theirs = redisSessions({ kind: 'redis', url: redis.url }, 'wrong');
    await expect(theirs.owned(N1)).rejects.toMatchObject({
      code: 'SESSIONS_UNREACHABLE',
      message: expect.stringMatching(/^(?!.*wrong$).*(WRONGPASS|NOAUTH)/),
    });
    theirs.close();
    const right = redisSessions({ kind: 'redis', url: redis.url }, 'right');
    expect(await right.owned(N1)).toBe(0);
    right.close();
    await redis.client.config('SET', 'requirepass', '');
  });
});
