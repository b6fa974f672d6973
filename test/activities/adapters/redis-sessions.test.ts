import { once } from 'node:events';
import { createServer } from 'node:net';
import { redisSessions, type RedisSessions } from '../../../activities/adapters/redis-sessions';
import type { Config } from '../../../core/config';
import { BUCKETS, Placement, allBuckets, bucketOf, candidatesOf } from '../../../core/placement';
import { environmentFile } from '../../../sandbox/environment';
import { SessionStore, connectRedis } from '../../../sandbox/mcp-node/sessions';
import { DEFAULTS } from '../../../sandbox/settings';
import { startRedis, type TestRedis } from '../../harness/redis';
import { until } from '../../harness/until';

const HOST = '127.130.3.1';
const N1 = 'us-east-1/a/n1';
const N2 = 'us-east-1/a/n2';
const N3 = 'us-east-1/b/n1';
const SPARE = 'us-east-1/a/s1';
const ENVIRONMENT = environmentFile(DEFAULTS);
const FLEET = candidatesOf(ENVIRONMENT);
const PLACEMENT = new Placement(FLEET);

let redis: TestRedis;
let sessions: RedisSessions;
let nodes: ReturnType<typeof connectRedis>;
let store: SessionStore;

beforeAll(async () => {
  redis = await startRedis(HOST);
  sessions = redisSessions(fleetOn(redis.url));
  nodes = connectRedis(redis.url);
  store = storeOf(N1);
});

afterEach(() => redis.client.flushall());

afterAll(async () => {
  sessions.close();
  nodes.disconnect();
  await redis.stop();
});

function fleetOn(url: string): Config {
  return { ...ENVIRONMENT, sessions: { kind: 'redis', url } };
}

/** The sessions as a node sees them. */
function storeOf(nodeId: string, sessionTtlS = 1_000): SessionStore {
  return new SessionStore(nodes, { nodeId, sessionTtlS, fleet: FLEET });
}

/** Starts sessions, as a node does; their ids. */
async function create(count: number): Promise<string[]> {
  const created = await Promise.all(Array.from({ length: count }, () => store.create()));
  return created.map(({ id }) => id);
}

const firstOwner = (id: string): string => PLACEMENT.preferences(bucketOf(id))[0]!;
const placed = async (): Promise<Record<string, string>> => redis.client.hgetall('mcp:placement');
const bucketsOf = async (node: string): Promise<number[]> =>
  (await sessions.buckets()).filter(({ owner }) => owner === node).map(({ bucket }) => bucket);
const stampOf = async (bucket: number): Promise<number> => Number((await placed())[bucket]!.split(' ')[1]);

/** That many sessions in each bucket, found by drawing ids until they fit. */
async function fill(buckets: readonly number[], each: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; ids.length < each * buckets.length; i += 1) {
    const id = `s${i}`;
    const bucket = bucketOf(id);
    if (buckets.includes(bucket) && ids.filter((other) => bucketOf(other) === bucket).length < each)
      ids.push(id);
  }
  const batch = redis.client.pipeline();
  for (const id of ids) {
    batch.hset(`mcp:session:${id}`, { createdAt: 1, updatedAt: 1, data: '{"count":0}' });
    batch.zadd(`mcp:bucket:${bucketOf(id)}`, Date.now() + 1_000_000, id);
  }
  await batch.exec();
  return ids;
}

describe('a store that has no placement', () => {
  it('gets the ideal one from whatever is asked first, once', async () => {
    const answers = await Promise.all([sessions.buckets(), sessions.owned(N1), sessions.buckets()]);
    expect(answers[0]).toEqual(answers[2]);
    expect(answers[0]).toHaveLength(BUCKETS);
    for (const { bucket, owner, stamp, sessions: count } of answers[0]) {
      expect(owner).toBe(PLACEMENT.preferences(bucket)[0]);
      expect([count, Math.abs(stamp - Date.now()) < 60_000]).toEqual([0, true]);
    }
    const before = await placed();
    await sessions.buckets();
    expect(await placed()).toEqual(before);
  });

  it('gets it bucket by bucket from nodes, and the rest from the first question', async () => {
    const [id = ''] = await create(1);
    expect(Object.keys(await placed())).toEqual([String(bucketOf(id))]);
    const stamp = await stampOf(bucketOf(id));
    await sessions.buckets();
    expect(Object.keys(await placed())).toHaveLength(BUCKETS);
    expect(await stampOf(bucketOf(id))).toBe(stamp);
  });

  it('keeps what was placed before, wherever that is', async () => {
    await redis.client.hset('mcp:placement', '7', `${SPARE} 12`);
    expect((await sessions.buckets()).find(({ bucket }) => bucket === 7)).toEqual({
      bucket: 7,
      owner: SPARE,
      stamp: 12,
      sessions: 0,
    });
  });
});

describe('owned', () => {
  it('counts the sessions of the node’s buckets, the expired ones left out', async () => {
    const ids = await create(300);
    const own = ids.filter((id) => firstOwner(id) === N1);
    expect(own.length).toBeGreaterThan(0);
    expect(await sessions.owned(N1)).toBe(own.length);
    await redis.client.zadd(`mcp:bucket:${bucketOf(own[0]!)}`, Date.now() - 1, own[0]!);
    expect(await sessions.owned(N1)).toBe(own.length - 1);
    const all = await Promise.all(FLEET.map((node) => sessions.owned(node.id)));
    expect(all.reduce((a, b) => a + b)).toBe(299);
  });
});

describe('handOver', () => {
  it('gives each bucket to the next in its ranking, all with one stamp, and leaves records alone', async () => {
    const buckets = await bucketsOf(N1);
    const ids = await create(500);
    const own = ids.filter((id) => firstOwner(id) === N1);
    const record = () => redis.client.hgetall(`mcp:session:${own[0]}`);
    const before = await record();
    const others = FLEET.map(({ id }) => id).filter((id) => id !== N1);
    expect(await sessions.handOver(N1, others)).toEqual({ found: own.length, moved: own.length, lost: 0 });
    expect(await bucketsOf(N1)).toEqual([]);
    const after = await sessions.buckets();
    for (const bucket of allBuckets()) {
      const [first, second] = PLACEMENT.preferences(bucket);
      expect(after.find((one) => one.bucket === bucket)?.owner).toBe(first === N1 ? second : first);
    }
    const stamps = after.filter(({ bucket }) => buckets.includes(bucket)).map(({ stamp }) => stamp);
    expect(new Set(stamps).size).toBe(1);
    expect(await record()).toEqual(before);
  });

  it('gives a node’s buckets away also when there is no session in them', async () => {
    await sessions.buckets();
    expect(await sessions.handOver(N1, [N2])).toEqual({ found: 0, moved: 0, lost: 0 });
    expect(await bucketsOf(N1)).toEqual([]);
  });

  it('goes to those named only, a spare that serves included', async () => {
    const buckets = await bucketsOf(N1);
    await sessions.handOver(N1, [SPARE, N3]);
    const got = await Promise.all([SPARE, N3].map(bucketsOf));
    expect(got[0]!.length).toBeGreaterThan(0);
    expect(got.flat()).toEqual(expect.arrayContaining(buckets));
  });

  it('done twice does nothing the second time', async () => {
    await create(100);
    await sessions.handOver(N1, [N2]);
    const before = await placed();
    expect(await sessions.handOver(N1, [N2])).toEqual({ found: 0, moved: 0, lost: 0 });
    expect(await placed()).toEqual(before);
  });

  it('stamps a bucket newer than it was, whatever the clocks say', async () => {
    const [bucket = 0] = await bucketsOf(N1);
    await redis.client.hset('mcp:placement', bucket, `${N1} 9000000000000`);
    await sessions.handOver(N1, [N2]);
    expect((await placed())[bucket]).toBe(`${N2} 9000000000001`);
  });

  it('counts what is listed but gone as lost, and lists it no more', async () => {
    const buckets = await bucketsOf(N1);
    const [gone = ''] = await fill(buckets, 10);
    await redis.client.del(`mcp:session:${gone}`);
    const found = buckets.length * 10;
    expect(await sessions.handOver(N1, [N2])).toEqual({ found, moved: found - 1, lost: 1 });
    expect(await sessions.handOver(N2, [N1])).toMatchObject({ lost: 0 });
  });

  it('of very many looks up those next to expire, which a full Redis evicts first', async () => {
    const ids = await fill((await bucketsOf(N1)).slice(0, 2), 1_000);
    const [soonest = '', latest = ''] = [ids[0], ids[2]];
    const batch = redis.client.pipeline();
    batch.zadd(`mcp:bucket:${bucketOf(soonest)}`, Date.now() + 10_000, soonest).del(`mcp:session:${soonest}`);
    batch.zadd(`mcp:bucket:${bucketOf(latest)}`, Date.now() + 9e9, latest).del(`mcp:session:${latest}`);
    await batch.exec();
    expect(await sessions.handOver(N1, [N2])).toEqual({ found: 2_000, moved: 1_999, lost: 1 });
  });

  it('may run twice at once: each bucket goes over once', async () => {
    await create(300);
    const found = await sessions.owned(N1);
    const [a, b] = await Promise.all([sessions.handOver(N1, [N2, N3]), sessions.handOver(N1, [N2, N3])]);
    expect(a.moved + b.moved).toBe(found);
  });

  it.each([
    ['BAD_INPUT', []],
    ['BAD_INPUT', [N1]],
    ['BAD_INPUT', [N2, N1]],
    ['UNKNOWN_TARGET', ['mars/a/n1']],
  ])('refuses with %s to hand the sessions of n1 to %j', async (code, to) => {
    const own = await bucketsOf(N1);
    await expect(sessions.handOver(N1, to)).rejects.toMatchObject({ code });
    expect(await bucketsOf(N1)).toEqual(own);
  });
});

describe('place', () => {
  it('moves what is where it was seen, and says what it moved', async () => {
    const [a = 0, b = 0, c = 0] = await bucketsOf(N1);
    await fill([a], 3);
    const stamp = await stampOf(a);
    const moves = [
      { bucket: a, from: N1, to: N2, stamp },
      { bucket: b, from: N1, to: N3 },
      { bucket: c, from: N1, to: N2, stamp: stamp - 1 }, // seen before it moved last
    ];
    const moved = await sessions.place(moves);
    expect(moved).toMatchObject({ found: 3, moved: 3, lost: 0 });
    expect(moved.placed).toEqual([
      { bucket: a, owner: N2, stamp: await stampOf(a) },
      { bucket: b, owner: N3, stamp: await stampOf(a) },
    ]);
    expect(await stampOf(a)).toBeGreaterThan(stamp);
    expect(await bucketsOf(N1)).toContain(c);
  });

  it('of two that saw the same, the first wins and the second moves nothing', async () => {
    const seen = (await sessions.buckets()).filter(({ owner }) => owner === N1);
    const to = (node: string) => seen.map(({ bucket, stamp }) => ({ bucket, from: N1, to: node, stamp }));
    const [first, second] = await Promise.all([sessions.place(to(N2)), sessions.place(to(N3))]);
    expect([first.placed.length, second.placed.length]).toEqual([seen.length, 0]);
    expect(await bucketsOf(N1)).toEqual([]);
  });

  it('takes back what nobody moved since', async () => {
    const seen = (await sessions.buckets()).filter(({ owner }) => owner === N1);
    const { placed: now } = await sessions.place(
      seen.map(({ bucket, stamp }) => ({ bucket, from: N1, to: N2, stamp })),
    );
    const [moved] = now;
    await sessions.place([{ bucket: moved!.bucket, from: N2, to: N3 }]);
    await sessions.place([{ bucket: moved!.bucket, from: N3, to: N2 }]); // there again, and yet another decision
    const back = await sessions.place(now.map(({ bucket, stamp }) => ({ bucket, from: N2, to: N1, stamp })));
    expect(back.placed).toHaveLength(seen.length - 1);
    expect(await bucketsOf(N1)).not.toContain(moved!.bucket);
  });

  it('of nothing moves nothing', async () => {
    expect(await sessions.place([])).toEqual({ found: 0, moved: 0, lost: 0, placed: [] });
  });
});

describe('trouble', () => {
  it('a store that is away is unreachable within a second, and used again when it is back', async () => {
    const host = '127.130.3.2';
    const other = await startRedis(host);
    const theirs = redisSessions(fleetOn(other.url));
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
    const theirs = redisSessions(fleetOn('redis://127.130.3.3:6379'));
    const start = performance.now();
    await expect(theirs.owned(N1)).rejects.toMatchObject({ code: 'SESSIONS_UNREACHABLE' });
    expect(performance.now() - start).toBeLessThan(1_500);
    theirs.close();
    server.close();
  });

  it('a wrong password is told without the password', async () => {
    await redis.client.config('SET', 'requirepass', 'right');
    const theirs = redisSessions(fleetOn(redis.url), 'wrong');
    await expect(theirs.owned(N1)).rejects.toMatchObject({
      code: 'SESSIONS_UNREACHABLE',
      message: expect.stringMatching(/^(?!.*wrong$).*(WRONGPASS|NOAUTH)/),
    });
    theirs.close();
    const right = redisSessions(fleetOn(redis.url), 'right');
    expect(await right.owned(N1)).toBe(0);
    right.close();
    await redis.client.config('SET', 'requirepass', '');
  });
});
