import { Placement, bucketOf } from '../../core/placement';
import { connectClient, createNodes } from '../harness/mcp-node';
import type { TestClient, TestNode, TestNodes } from '../harness/mcp-node';
import { startRedis } from '../harness/redis';
import type { TestRedis } from '../harness/redis';
import { until } from '../harness/until';

let redis: TestRedis;
let nodes: TestNodes;
const clients: TestClient[] = [];

beforeAll(async () => {
  redis = await startRedis('127.120.0.1');
  nodes = await createNodes(redis.url, { n1: '127.120.1.1', n2: '127.120.1.2', n3: '127.120.1.3' });
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await nodes.reset();
  await redis.client.flushall();
});

afterAll(async () => {
  await nodes.stop();
  await redis.stop();
});

async function connect(node: TestNode, sessionId?: string): Promise<TestClient> {
  const client = await connectClient(node.url, sessionId);
  clients.push(client);
  return client;
}

/** The node whose bucket the session is in; it is listed there, and nowhere else. */
async function ownerOf(id: string): Promise<string | undefined> {
  const lists = await redis.client.keys('mcp:bucket:*');
  const listed = await Promise.all(lists.map((list) => redis.client.zscore(list, id)));
  expect(lists.filter((_, i) => listed[i] !== null)).toEqual([`mcp:bucket:${bucketOf(id)}`]);
  return (await redis.client.hget('mcp:placement', String(bucketOf(id))))?.split(' ')[0];
}

/** Whether a node has read the session since its record was told to live for ever: reading it renews its TTL. */
const readAgain = async (id: string): Promise<boolean> => (await redis.client.ttl(`mcp:session:${id}`)) > 0;

/** Gives the session's bucket to a node, as a runbook would. */
const move = (id: string, node: TestNode): Promise<number> =>
  redis.client.hset('mcp:placement', bucketOf(id), `${node.nodeId} ${Date.now() + 1}`);

/** A bare request, for what the SDK's client would not send. */
function post(node: TestNode, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const accept = 'application/json, text/event-stream';
  return fetch(node.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, connection: 'close', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const outcome = (answer: Promise<Response>): Promise<string> =>
  answer.then(
    ({ status }) => `answered ${status}`,
    () => 'cut off',
  );

describe('sessions', () => {
  test('a session started on one node is continued by another with its count intact, its bucket stays', async () => {
    const [a, b] = await Promise.all([nodes.start('n1'), nodes.start('n2')]);
    const first = await connect(a);
    expect(await first.call('count')).toEqual({ count: 1, node: a.nodeId });
    const owner = await ownerOf(first.sessionId);
    const fleet = ['n1', 'n2', 'n3'].map((name) => `us-east-1/a/${name}`);
    const candidates = fleet.map((id) => ({ id, region: 'us-east-1', zone: 'a', weight: 100 }));
    expect(owner).toBe(new Placement(candidates).preferences(bucketOf(first.sessionId))[0]);

    for (const node of [b, a]) {
      const again = await connect(node, first.sessionId);
      expect(await again.call('whoami')).toMatchObject({ node: node.nodeId });
      expect(await ownerOf(first.sessionId)).toBe(owner);
    }
    expect(await (await connect(b, first.sessionId)).call('count')).toEqual({ count: 2, node: b.nodeId });
  });

  test('kill -9 of a node loses no session and no count', async () => {
    const [a, b] = await Promise.all([nodes.start('n1'), nodes.start('n2')]);
    const users = await Promise.all(Array.from({ length: 10 }, () => connect(a)));
    await Promise.all(users.map((user) => user.call('count')));
    await a.kill();

    for (const { sessionId } of users) {
      const user = await connect(b, sessionId);
      expect(await user.call('count')).toEqual({ count: 2, node: b.nodeId });
    }
  });

  test('counts at once on three nodes are each given their own number', async () => {
    const all = await Promise.all([nodes.start('n1'), nodes.start('n2'), nodes.start('n3')]);
    const { sessionId } = await connect(all[0]);
    const users = await Promise.all(all.map((node) => connect(node, sessionId)));
    const calls = users.flatMap((user) => Array.from({ length: 20 }, () => user.call('count')));
    const counts = (await Promise.all(calls)).map(({ count }) => Number(count));
    expect(counts.sort((x, y) => x - y)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    await ownerOf(sessionId);
  });

  test('a node that slept through a newer write is refused its own', async () => {
    const [a, b] = await Promise.all([nodes.start('n1'), nodes.start('n2')]);
    const awake = await connect(b);
    const asleep = await connect(a, awake.sessionId);
    await nodes.fault('n1', 'latency', '300'); // between reading the session and writing it
    await redis.client.persist(`mcp:session:${awake.sessionId}`);
    const stale = asleep.call('note', { text: 'stale' });
    await until('n1 has read the session', () => readAgain(awake.sessionId));
    a.signal('SIGSTOP');
    await awake.call('note', { text: 'new' });
    a.signal('SIGCONT');

    await expect(stale).rejects.toThrow(`changed after ${a.nodeId} read it`);
    expect(await awake.call('note', { text: 'last' })).toEqual({ previous: 'new', node: b.nodeId });
  });

  test('a node that slept through a move of the session’s bucket is refused its write', async () => {
    const [a, b] = await Promise.all([nodes.start('n1'), nodes.start('n2')]);
    const asleep = await connect(a);
    const { sessionId } = asleep;
    await asleep.call('note', { text: 'old' });
    await nodes.fault('n1', 'latency', '300'); // between reading the session and writing it
    await redis.client.persist(`mcp:session:${sessionId}`);
    const stale = asleep.call('note', { text: 'stale' });
    await until('n1 has read the session', () => readAgain(sessionId));
    a.signal('SIGSTOP');
    await move(sessionId, b);
    a.signal('SIGCONT');

    await expect(stale).rejects.toThrow(`changed after ${a.nodeId} read it`);
    const awake = await connect(b, sessionId);
    expect(await awake.call('note', { text: 'new' })).toEqual({ previous: 'old', node: b.nodeId });
  });

  test('the time of change only grows, whatever the clocks say', async () => {
    const a = await nodes.start('n1');
    const client = await connect(a);
    const key = `mcp:session:${client.sessionId}`;
    const future = Date.now() + 3_600_000;
    await redis.client.hset(key, 'updatedAt', future);
    await client.call('count');
    expect(Number(await redis.client.hget(key, 'updatedAt'))).toBe(future + 1);
  });

  test('a session has a time to live that every use renews, in its record and in the list of its bucket', async () => {
    const a = await nodes.start('n1', { SESSION_TTL_S: '100' });
    const client = await connect(a);
    const key = `mcp:session:${client.sessionId}`;
    const listed = () => redis.client.zscore(`mcp:bucket:${bucketOf(client.sessionId)}`, client.sessionId);
    const expiry = () => redis.client.pexpiretime(key);
    expect(await expiry()).toBeGreaterThan(Date.now() + 90_000);
    expect(await listed()).toBe(String(await expiry()));
    await redis.client.expire(key, 5);
    await client.call('whoami');
    expect(await expiry()).toBeGreaterThan(Date.now() + 90_000);
    expect(await listed()).toBe(String(await expiry()));
  });

  test('an ended session is gone from every node, and from its bucket', async () => {
    const [a, b] = await Promise.all([nodes.start('n1'), nodes.start('n2')]);
    const client = await connect(a);
    const { sessionId } = client;
    await client.end();
    expect(await redis.client.keys('mcp:session:*')).toEqual([]);
    expect(await redis.client.keys('mcp:bucket:*')).toEqual([]);
    await expect((await connect(b, sessionId)).call('count')).rejects.toThrow(/Session not found/);
  });

  test('a node counts the sessions of its own buckets, and drops those that expired', async () => {
    const [mine, theirs] = [`us-east-1/a/n1 ${Date.now()}`, `us-east-1/a/n2 ${Date.now()}`];
    await redis.client.hset('mcp:placement', { 5: mine, 6: theirs, 7: mine });
    const later = Date.now() + 60_000;
    const put = (bucket: number, score: number, id: string) =>
      redis.client.zadd(`mcp:bucket:${bucket}`, score, id);
    await Promise.all([put(5, later, 'one'), put(5, later, 'two'), put(5, Date.now() - 1, 'expired')]);
    await Promise.all([put(6, later, 'of another'), put(6, Date.now() - 1, 'expired too')]);
    const a = await nodes.start('n1');
    expect((await a.health()).body.sessions).toBe(2);
    expect(await redis.client.zrange('mcp:bucket:5', '0', '-1')).toEqual(['one', 'two']);
    expect(await redis.client.zcard('mcp:bucket:6')).toBe(2);
  });
});

describe('the protocol', () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  test.each([
    ['an unknown session', ping, { 'mcp-session-id': 'nobody' }, 404, 'Session not found'],
    ['no session and no initialize', ping, {}, 400, 'Mcp-Session-Id header is required'],
    ['a body that is not JSON', '{', {}, 400, 'Body is not JSON'],
  ])('%s is refused', async (_, body, headers: Record<string, string>, status, message) => {
    const a = await nodes.start('n1');
    const answer = await post(a, body, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining(message) } });
  });

  test('GET has no stream to offer, DELETE of an unknown session is 404, other paths too', async () => {
    const a = await nodes.start('n1');
    const status = async (path: string, init: RequestInit) =>
      (await fetch(new URL(path, a.url), init)).status;
    expect(await status('/mcp', { headers: { accept: 'text/event-stream' } })).toBe(405);
    expect(await status('/mcp', { method: 'DELETE' })).toBe(400);
    expect(await status('/mcp', { method: 'DELETE', headers: { 'mcp-session-id': 'nobody' } })).toBe(404);
    expect(await status('/else', {})).toBe(404);
  });

  test('the tools answer', async () => {
    const a = await nodes.start('n1');
    const client = await connect(a);
    expect(await client.call('echo', { text: 'hello' })).toEqual({ text: 'hello' });
    expect(await client.call('whoami')).toEqual({ node: a.nodeId, version: '1.2.3' });
    await expect(client.call('echo', { text: 1 })).rejects.toThrow(/Invalid arguments/);
  });

  test('metrics count requests, latencies and sessions under the name of the node', async () => {
    const a = await nodes.start('n1');
    const client = await connect(a);
    await client.call('count');
    const text = await (await fetch(new URL('/metrics', a.url))).text();
    expect(text).toMatch(/mcp_requests_total{method="POST",status="200",node="us-east-1\/a\/n1"} 2\n/);
    expect(text).toMatch(/mcp_request_duration_seconds_count{node="us-east-1\/a\/n1"} \d+\n/);
    expect(text).toMatch(/mcp_sessions{node="us-east-1\/a\/n1"} \d+\n/);
    expect(text).toMatch(/process_resident_memory_bytes/);
  });
});

describe('the life of a node', () => {
  test('it is syncing until Redis answers, then ready', async () => {
    const late = 'redis://127.120.0.3:6379';
    const a = nodes.launch('n1', { REDIS_URL: late });
    const waiting = await until('n1 listens', () => a.health());
    expect(waiting).toMatchObject({ code: 503, body: { status: 'unavailable', state: 'syncing' } });
    const other = await startRedis('127.120.0.3');
    try {
      const ready = await until('n1 is ready', async () => {
        const health = await a.health();
        return health.code === 200 && health;
      });
      expect(ready.body).toMatchObject({
        status: 'ok',
        node: a.nodeId,
        version: '1.2.3',
        state: 'ready',
        sessions: 0,
      });
    } finally {
      await other.stop();
    }
  });

  test('without its session store it answers 503 and stays in the fleet', async () => {
    const own = await startRedis('127.120.0.3');
    const a = await nodes.start('n1', { REDIS_URL: own.url });
    const { sessionId } = await connect(a);
    await own.stop();
    const answer = await post(a, { jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': sessionId });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('Session could not be read or stored');
    expect((await a.health()).code).toBe(200);
  });

  test('SIGTERM lets calls in flight finish and ends with 0', async () => {
    const a = await nodes.start('n1');
    const users = await Promise.all(Array.from({ length: 5 }, () => connect(a)));
    await nodes.fault('n1', 'latency', '500');
    const calls = users.map((user) => user.call('count'));
    const metrics = async () => (await fetch(new URL('/metrics', a.url))).text();
    await until('the calls are in flight', async () =>
      /mcp_requests_in_flight{.*} 5\n/.test(await metrics()),
    );
    a.signal('SIGTERM');
    const health = await until('n1 drains', async () => {
      const seen = await a.health();
      return seen.code === 503 && seen;
    });
    expect(health.body).toMatchObject({ status: 'unavailable', state: 'draining' });
    expect(await Promise.all(calls)).toEqual(users.map(() => ({ count: 1, node: a.nodeId })));
    expect(await a.exited).toBe(0);
  });

  test('SIGTERM of an idle node ends it at once', async () => {
    const a = await nodes.start('n1');
    await connect(a);
    const started = performance.now();
    a.signal('SIGTERM');
    expect(await a.exited).toBe(0);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('a request that never ends holds up the drain for 5 s, not longer', async () => {
    const a = await nodes.start('n1');
    await nodes.fault('n1', 'mcp');
    const hung = outcome(post(a, {}));
    await until('the request hangs', async () => {
      const text = await (await fetch(new URL('/metrics', a.url))).text();
      return /mcp_requests_in_flight{.*} 1\n/.test(text);
    });
    a.signal('SIGTERM');
    expect(await a.exited).toBe(0);
    expect(await hung).toBe('cut off');
  });

  test.each([
    [{ NODE_ID: 'n1' }, 'NODE_ID must be region/zone/node, e.g. us-east-1/a/n1 (is "n1")'],
    [
      { LISTEN: '0.0.0.0:80' },
      'LISTEN must be a loopback address and port, e.g. 127.1.1.1:8080 (is "0.0.0.0:80")',
    ],
    [{ REDIS_URL: undefined }, 'REDIS_URL must be a Redis URL, e.g. redis://127.0.0.1:6379 (is not set)'],
    [
      { FLEET: 'n1=1' },
      'FLEET must be nodes with the weights of their regions, e.g. us-east-1/a/n1=40,us-east-1/a/n2=40 (is "n1=1")',
    ],
    [{ SESSION_TTL_S: 'soon' }, 'SESSION_TTL_S must be a whole number of seconds, e.g. 3600 (is "soon")'],
  ])('%j ends it with 2 and a sentence', async (env, sentence) => {
    const a = nodes.launch('n1', env);
    expect(await a.exited).toBe(2);
    expect(JSON.parse(a.output())).toMatchObject({ level: 60, msg: expect.stringContaining(sentence) });
  });

  test('a taken address ends it with 1 and names the address', async () => {
    await nodes.start('n1');
    const second = nodes.launch('n1');
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain('could not listen on 127.120.1.1:8080');
  });
});

describe('faults', () => {
  test('.mcp: health stays well while MCP hangs; a healed node answers again', async () => {
    const a = await nodes.start('n1');
    const client = await connect(a);
    await nodes.fault('n1', 'mcp');
    const hung = outcome(post(a, {}, { 'mcp-session-id': client.sessionId }));
    expect((await a.health()).code).toBe(200);
    await nodes.heal('n1', 'mcp');
    expect(await client.call('count')).toEqual({ count: 1, node: a.nodeId });
    await a.kill();
    expect(await hung).toBe('cut off');
  });

  test('.mcp-error: MCP answers 500, health stays well, other nodes too', async () => {
    const [a, b] = await Promise.all([nodes.start('n1'), nodes.start('n2')]);
    await nodes.fault('n1', 'mcp-error');
    expect((await post(a, {})).status).toBe(500);
    expect((await a.health()).code).toBe(200);
    await expect(connect(b)).resolves.toBeDefined();
  });

  test('.latency: its content is added to every request', async () => {
    const a = await nodes.start('n1');
    const client = await connect(a);
    await nodes.fault('n1', 'latency', '300');
    const started = performance.now();
    await client.call('count');
    expect(performance.now() - started).toBeGreaterThanOrEqual(299);
  });

  test('.crashloop: the node gets ready and dies, every time it is started', async () => {
    await nodes.fault('n1', 'crashloop');
    for (const _ of [1, 2]) {
      const a = await nodes.start('n1');
      expect(await a.exited).toBe(1);
    }
  });
});

describe('registration', () => {
  const KEY = 'mcp:node:us-east-1/a/n1';
  const entry = JSON.stringify({ address: '127.120.1.1:8080', version: '1.2.3' });
  let registry: TestRedis;
  const REGISTRY = '127.120.0.4';
  beforeEach(async () => (registry = await startRedis(REGISTRY)));
  afterEach(() => registry.stop());
  const registered = () => until('it is registered', async () => (await registry.client.get(KEY)) === entry);

  test('a ready node has an entry that expires unless it is renewed, and takes it along when it drains', async () => {
    const node = await nodes.start('n1', { REGISTRY_URL: registry.url });
    await registered();
    expect(await registry.client.pttl(KEY)).toBeGreaterThan(0);
    await registry.client.pexpire(KEY, 1_500);
    await until('it is renewed', async () => (await registry.client.pttl(KEY)) > 3_000);
    node.signal('SIGTERM');
    expect(await node.exited).toBe(0);
    expect(await registry.client.exists(KEY)).toBe(0);
  });

  test('a node serves without the registry, and is in it again soon after its return', async () => {
    await registry.stop();
    const node = await nodes.start('n1', { REGISTRY_URL: registry.url });
    expect(await (await connect(node)).call('count')).toEqual({ count: 1, node: node.nodeId });
    registry = await startRedis(REGISTRY);
    await registered();
  });
});
