import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { startLoad } from '../../sandbox/load';
import type { CallRecord, Load, LoadReport } from '../../sandbox/load';
import { Ledger } from '../../sandbox/load/ledger';
import { createNodes } from '../harness/mcp-node';
import type { TestNode, TestNodes } from '../harness/mcp-node';
import { startProcess } from '../harness/process';
import { startRedis } from '../harness/redis';
import type { TestRedis } from '../harness/redis';
import { until } from '../harness/until';

let redis: TestRedis;
let nodes: TestNodes;
let load: Load | undefined;

beforeAll(async () => {
  redis = await startRedis('127.120.0.2');
  nodes = await createNodes(redis.url, { n1: '127.120.2.1', n2: '127.120.2.2' });
});

afterEach(async () => {
  await load?.stop();
  load = undefined;
  await nodes.reset();
  await redis.client.flushall();
});

afterAll(async () => {
  await nodes.stop();
  await redis.stop();
});

/** Starts a load of 5 clients on a node, light enough for a busy machine, and keeps its calls. */
function put(node: TestNode, timeoutMs = 2_000): { load: Load; calls: CallRecord[] } {
  const calls: CallRecord[] = [];
  const started = startLoad({ url: node.url, clients: 5, ratePerClient: 5, timeoutMs });
  started.events.on('call', (call) => calls.push(call));
  load = started;
  return { load: started, calls };
}

/** Stops the load; the test's own clean-up then has nothing to stop. */
async function stop(): Promise<LoadReport> {
  const stopping = load;
  load = undefined;
  if (!stopping) throw new Error('no load to stop');
  return stopping.stop();
}

const reach = (what: string, look: (report: LoadReport) => boolean): Promise<true> =>
  until(what, () => load !== undefined && look(load.snapshot()));
const anotherOk = async (count: number): Promise<void> => {
  const before = load?.snapshot().ok ?? 0;
  await reach(`${count} more calls succeed`, ({ ok }) => ok >= before + count);
};

describe('a load', () => {
  test('on a healthy node: every call succeeds, at the rate asked for, and no session stays behind', async () => {
    const node = await nodes.start('n1');
    const started = performance.now();
    put(node);
    await reach('30 calls', ({ calls }) => calls >= 30);
    const seconds = (performance.now() - started) / 1_000;
    const report = await stop();

    expect(report).toMatchObject({ clients: 5, failed: 0, failures: {}, sessionsLost: 0 });
    expect(report).toMatchObject({ firstFailureAt: null, lastFailureAt: null });
    expect(report.calls).toBe(report.ok);
    expect(seconds).toBeGreaterThan(0.95); // 6 calls of each client, the first at once, the rest 0.2 s apart
    expect(report.p50).toBeGreaterThan(0);
    expect(report.p95).toBeGreaterThanOrEqual(report.p50);
    expect(report.p99).toBeGreaterThanOrEqual(report.p95);
    expect(await redis.client.keys('mcp:session:*')).toEqual([]);
  });

  test('counts what its clients miss while their node is killed and started again', async () => {
    const node = await nodes.start('n1');
    const { calls } = put(node);
    await anotherOk(10);
    const killedAt = Date.now();
    await node.kill();
    await reach('10 calls fail', ({ failed }) => failed >= 10);
    await nodes.start('n1');
    const backAt = Date.now();
    await anotherOk(10);
    const report = await stop();

    expect(report.sessionsLost).toBe(0);
    expect(Object.keys(report.failures).filter((failure) => failure !== 'reset')).toEqual(['refused']);
    expect(report.maxGapMs).toBeGreaterThanOrEqual((backAt - killedAt) / 2);
    expect(report.firstFailureAt).toBeGreaterThanOrEqual(killedAt - 2_000);
    expect(report.lastFailureAt).toBeGreaterThanOrEqual(report.firstFailureAt ?? Infinity);

    const failed = calls.filter(({ failure }) => failure !== undefined);
    expect(failed.length).toBe(report.failed);
    expect(calls.length).toBe(report.calls);
    expect(Object.values(report.failures).reduce((sum, count) => sum + count, 0)).toBe(report.failed);
    expect(Math.min(...failed.map(({ startedAt }) => startedAt))).toBe(report.firstFailureAt);
  });

  test('keeps its rate while the node hangs: each call is a timeout, none is held back', async () => {
    const node = await nodes.start('n1');
    const { calls } = put(node, 1_000);
    await anotherOk(10);
    await nodes.fault('n1', 'mcp');
    await reach('20 calls time out', ({ failures }) => (failures['timeout'] ?? 0) >= 20);
    const [first, second] = calls.filter(({ client, failure }) => client === 0 && failure === 'timeout');
    expect(second?.startedAt).toBeLessThan((first?.startedAt ?? 0) + 900);
    await nodes.heal('n1', 'mcp');
    await anotherOk(10);
    expect(await stop()).toMatchObject({ sessionsLost: 0, failures: { timeout: expect.any(Number) } });
  });

  test('names the HTTP status of a failing node', async () => {
    const node = await nodes.start('n1');
    put(node);
    await anotherOk(10);
    await nodes.fault('n1', 'mcp-error');
    await reach('10 calls fail', ({ failed }) => failed >= 10);
    const report = await stop();
    expect(report.failures).toEqual({ 'http-500': report.failed });
    expect(report.sessionsLost).toBe(0);
  });

  test('a session that the fleet forgot is lost once, and its client goes on with a new one', async () => {
    const node = await nodes.start('n1');
    const { load: started } = put(node, 1_000);
    const lost: number[] = [];
    started.events.on('session-lost', (client) => lost.push(client));
    await reach('every client has a session', ({ ok }) => ok >= 10);
    node.signal('SIGSTOP'); // so that several calls of each client are under way and learn of it
    await reach('calls time out', ({ failures }) => (failures['timeout'] ?? 0) >= 10);
    await redis.client.flushall();
    node.signal('SIGCONT');
    await reach('all sessions are lost', ({ sessionsLost }) => sessionsLost >= 5);
    await anotherOk(10);
    const report = await stop();
    expect(lost.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    expect(report.sessionsLost).toBe(5);
    expect(report.failures['session-not-found']).toBeGreaterThan(5);
  });

  test('a count that fell back is a lost session', async () => {
    const node = await nodes.start('n1');
    put(node);
    await anotherOk(10);
    const [key = ''] = await redis.client.keys('mcp:session:*');
    await redis.client.hset(key, 'data', '{"count":0}');
    await reach('a session is lost', ({ sessionsLost }) => sessionsLost > 0);
    const report = await stop();
    expect(report.sessionsLost).toBe(1);
    expect(report.failures['count-regressed']).toBeGreaterThanOrEqual(1);
  });

  test('that finds nobody counts refused calls and recovers when somebody comes', async () => {
    const node = await nodes.start('n1');
    await node.kill();
    put(node);
    await reach('10 calls fail', ({ failures }) => (failures['refused'] ?? 0) >= 10);
    await nodes.start('n1');
    await anotherOk(10);
    expect(await stop()).toMatchObject({ sessionsLost: 0 });
  });
});

describe('the ledger', () => {
  const call = (client: number, startedAt: number, latencyMs: number, failure?: string): CallRecord => ({
    client,
    startedAt,
    latencyMs,
    ...(failure === undefined ? {} : { failure }),
  });

  test('gaps are those of one client, from its start to now', () => {
    const ledger = new Ledger(2, 1_000);
    expect(ledger.report(1_250).maxGapMs).toBe(250);
    ledger.record(call(0, 1_100, 10));
    ledger.record(call(1, 1_400, 100));
    ledger.record(call(0, 1_800, 10, 'timeout'));
    expect(ledger.report(1_510).maxGapMs).toBe(500);
    ledger.record(call(0, 1_700, 10));
    expect(ledger.report(1_710).maxGapMs).toBe(600);
    expect(ledger.report(2_200).maxGapMs).toBe(700);
  });

  test('an overtaken call makes no gap', () => {
    const ledger = new Ledger(1, 1_000);
    ledger.record(call(0, 1_090, 10));
    ledger.record(call(0, 1_000, 50));
    expect(ledger.report(1_110).maxGapMs).toBe(100);
  });

  test('failures are counted by class, in time from the first start to the last end, and left out of latencies', () => {
    const ledger = new Ledger(1, 0);
    for (let latency = 1; latency <= 100; latency += 1) ledger.record(call(0, latency, latency));
    ledger.record(call(0, 500, 2_000, 'timeout'));
    ledger.record(call(0, 700, 0.4, 'refused'));
    ledger.record(call(0, 700, 0.4, 'refused'));
    expect(ledger.report(2_500)).toMatchObject({
      calls: 103,
      ok: 100,
      failed: 3,
      failures: { timeout: 1, refused: 2 },
      p50: 50.5,
      p95: 95.05,
      p99: 99.01,
      firstFailureAt: 500,
      lastFailureAt: 2_500,
    });
  });
});

describe('the command', () => {
  let dir: string;
  const run = (...args: string[]) => startProcess(process.execPath, [join(dir, 'load.js'), ...args]);

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'load-'));
    const entry = join(__dirname, '../../sandbox/load/main.ts');
    await build({ entryPoints: [entry], outfile: join(dir, 'load.js'), bundle: true, platform: 'node' });
  });
  afterAll(() => rm(dir, { recursive: true }));

  test('prints the report as one JSON object and exits 0 when all went well', async () => {
    const { url } = await nodes.start('n1');
    const command = run('--url', url, '--duration', '1s', '--json');
    expect(await command.exited).toBe(0);
    expect(JSON.parse(command.output())).toMatchObject({ clients: 20, failed: 0, sessionsLost: 0 });
  });

  test('says it in words and exits 1 when calls failed', async () => {
    const { url } = await nodes.start('n1');
    await nodes.fault('n1', 'mcp-error');
    const command = run('--url', url, '--clients', '1', '--duration', '500ms');
    expect(await command.exited).toBe(1);
    expect(command.output()).toMatch(
      /calls by 1 clients: 0 ok, \d+ failed\nfailures: http-500 \d+\nsessions lost: 0/,
    );
  });

  test('runs until it is interrupted', async () => {
    const { url } = await nodes.start('n1');
    const command = run('--url', url, '--clients', '1', '--json');
    await until('it has a session', async () => (await redis.client.keys('mcp:session:*')).length === 1);
    command.signal('SIGINT');
    expect(await command.exited).toBe(0);
  });

  test.each([
    [[], "required option '--url <url>' not specified"],
    [['--url', 'nowhere'], 'It must be a URL such as http://127.1.0.1:8080/mcp.'],
    [['--url', 'http://127.120.2.1:8080/mcp', '--clients', 'many'], 'It must be a number above 0.'],
    [
      ['--url', 'http://127.120.2.1:8080/mcp', '--duration', 'long'],
      'It must be a time such as 10s, 5m or 1h.',
    ],
  ])('%j is bad input: exits 2 and says what would be right', async (args, sentence) => {
    const command = run(...args);
    expect(await command.exited).toBe(2);
    expect(command.output()).toContain(sentence);
  });
});
