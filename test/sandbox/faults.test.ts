import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { Redis } from 'ioredis';
import { parse } from 'yaml';
import { haproxy } from '../../activities/adapters/haproxy';
import type { Config } from '../../core/config';
import { findNode } from '../../core/topology';
import {
  breakPart,
  healPart,
  status,
  up,
  type NodeFault,
  type PartStatus,
  type Target,
  type ZoneFault,
} from '../../sandbox';
import { FLEET_PASSWORD_VARIABLE } from '../../sandbox/environment';
import { sharedAddresses } from '../../sandbox/layout';
import { Supervisor } from '../../sandbox/supervisor';
import { initialize, smallSandbox, useSandbox } from '../harness/sandbox';
import { until } from '../harness/until';

const options = { ...smallSandbox(3), monitoring: true };
const sandbox = useSandbox(options);

const ID = 'us-east-1/a/n1';
const PROGRAM = 'us-east-1-a-n1';
const node: Target = { kind: 'node', node: ID };
const WELL = { health: 200, mcp: 200 };
const GONE = { health: undefined, mcp: undefined };
const at = sharedAddresses(options.block);

let address: string;
beforeAll(async () => {
  const config = parse(await readFile(sandbox().configPath, 'utf8')) as Config;
  ({ address } = findNode(config, ID));
});

/** What somebody outside gets from the node's two doors; undefined where no answer comes in time. */
async function seen(): Promise<{ health: number | undefined; mcp: number | undefined }> {
  const health = fetch(`http://${address}/health`, { signal: AbortSignal.timeout(500) });
  const [first, second] = await Promise.allSettled([health, mcp(500)]);
  return {
    health: first.status === 'fulfilled' ? first.value.status : undefined,
    mcp: second.status === 'fulfilled' ? second.value : undefined,
  };
}

function mcp(timeoutMs: number): Promise<number> {
  return initialize(`http://${address}/mcp`, timeoutMs);
}

async function program(name: string): Promise<PartStatus> {
  const { parts } = await status(options);
  return parts.find((part) => part.program === name)!;
}

describe('a node', () => {
  afterEach(async () => {
    await healPart(options, node, true);
    await until('it is well again', async () => isDeepStrictEqual(await seen(), WELL));
  });

  test.each<[NodeFault, object]>([
    ['kill', GONE],
    ['hang', GONE],
    ['mcp', { health: 200, mcp: undefined }],
    ['mcp-error', { health: 200, mcp: 500 }],
    ['crashloop', GONE],
  ])('%s shows from outside at once, and no longer once it is healed', async (fault, expected) => {
    expect(await breakPart(options, node, fault)).toMatch(/us-east-1.a.n1/);
    expect(await seen()).toEqual(expected);
  });

  test('latency: MCP takes the milliseconds longer that were asked for', async () => {
    await breakPart(options, node, 'latency', { latencyMs: 300 });
    const began = performance.now();
    expect(await mcp(5_000)).toBe(200);
    expect(performance.now() - began).toBeGreaterThanOrEqual(299);
  });

  test('crashloop: it dies again after a start that did not heal it', async () => {
    await breakPart(options, node, 'crashloop');
    const supervisor = new Supervisor(
      `http://${at.supervisor}/RPC2`,
      sandbox().env[FLEET_PASSWORD_VARIABLE]!,
    );
    await supervisor.start(PROGRAM);
    expect((await program(PROGRAM)).pid).toBeGreaterThan(0);
    const { pid } = await until('it is dead again', async () => {
      const now = await program(PROGRAM);
      return now.state === 'exited' && now;
    });
    expect(pid).toBe(0);
  });

  test('a killed one stays down while nobody restarts it: that is for a runbook', async () => {
    await breakPart(options, node, 'kill');
    expect(await healPart(options, node)).toContain('is stopped');
    expect(await seen()).toEqual(GONE);
  });

  test.each(['kill', 'hang'])('%s of one that is down is refused', async (fault) => {
    await breakPart(options, node, 'kill');
    await expect(breakPart(options, node, fault)).rejects.toMatchObject({
      code: 'SANDBOX',
      message: expect.stringContaining('does not run'),
    });
  });

  test('down is an alert at the webhook within seconds, with its place and the token', async () => {
    const server = createServer();
    const [host, port] = at.server.split(':');
    server.listen({ host, port: Number(port) });
    try {
      const arrival = once(server, 'request');
      await breakPart(options, node, 'kill');
      const [request, response] = await arrival;
      response.end();
      expect(request.url).toBe('/webhooks/alertmanager');
      expect(request.headers.authorization).toBe(`Bearer ${sandbox().tokens.alertmanager}`);
      const place = { node: ID, region: 'us-east-1', zone: 'a' };
      expect(await json(request)).toMatchObject({
        alerts: [{ status: 'firing', labels: { alertname: 'NodeDown', severity: 'critical', ...place } }],
      });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});

describe('a zone', () => {
  const zone: Target = { kind: 'zone', zone: 'us-east-1/a' };
  afterEach(() => healPart(options, zone, true));

  test.each<[ZoneFault, string]>([
    ['kill', '1 of 1 nodes of zone us-east-1/a were killed (SIGKILL): n1'],
    ['hang', '1 of 1 nodes of zone us-east-1/a hang (SIGSTOP): n1'],
  ])('%s shows at its nodes, not at its spares, until it is healed', async (fault, sentence) => {
    const others = {
      spare: (await program('us-east-1-a-s1')).state,
      beside: (await program('us-east-1-b-n1')).pid,
    };
    expect(await breakPart(options, zone, fault)).toBe(sentence);
    expect(await seen()).toEqual(GONE);
    expect((await program('us-east-1-a-s1')).state).toBe(others.spare);
    expect((await program('us-east-1-b-n1')).pid).toBe(others.beside);
    expect(await healPart(options, zone, true)).toBe(
      'the 1 nodes of zone us-east-1/a have no faults, and run',
    );
    await until('it is well again', async () => isDeepStrictEqual(await seen(), WELL));
  });

  test.each([0, 1.5, NaN])('a share of %d is refused', async (share) => {
    await expect(breakPart(options, zone, 'kill', { share })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('a load balancer', () => {
  const lb: Target = { kind: 'lb', region: 'us-east-1' };
  const [first, second] = ['haproxy-us-east-1', 'haproxy-us-east-1-standby'];
  const through = () => initialize(sandbox().urls.mcp['us-east-1']!, 500).catch(() => undefined);

  test.each(['kill', 'hang'])(
    '%s: nobody is served until it is healed; the other one stands by',
    async (fault) => {
      expect(await breakPart(options, lb, fault)).toContain(first);
      expect(await through()).toBeUndefined();
      expect((await program(second)).state).toBe('standby');
      expect(await healPart(options, lb)).toBe('the load balancer of us-east-1 serves');
      expect(await through()).toBe(200);
    },
  );

  test('that another one stands in for is not missing, and not started beside it', async () => {
    const supervisor = new Supervisor(
      `http://${at.supervisor}/RPC2`,
      sandbox().env[FLEET_PASSWORD_VARIABLE]!,
    );
    await breakPart(options, lb, 'kill');
    await supervisor.start(second);
    const { loadBalancer } = (parse(await readFile(sandbox().configPath, 'utf8')) as Config).regions[
      'us-east-1'
    ]!;
    await until('it gives a node traffic', () =>
      haproxy(loadBalancer)
        .admit('b-n1', 100)
        .then(() => true),
    );
    expect((await program(first)).state).toBe('standby');
    await up(options);
    expect((await program(first)).pid).toBe(0);
    expect(await breakPart(options, lb, 'kill')).toContain(second);
    await healPart(options, lb);
    expect((await program(first)).state).toBe('running');
  });
});

describe('the registry', () => {
  const registry: Target = { kind: 'registry' };
  const [r1, r2] = ['registry-r1', 'registry-r2'];

  /** What its clients are told; undefined where there is no primary. */
  async function nodes(): Promise<string[] | undefined> {
    const redis = new Redis(`redis://${at.registry}`, { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await redis.keys('mcp:node:*');
    } catch {
      return undefined;
    } finally {
      redis.disconnect();
    }
  }
  const whole = () => until('every node is registered', async () => (await nodes())?.length === 9);

  test('has every node of the sandbox, and forgets one that died', async () => {
    await whole();
    await breakPart(options, node, 'kill');
    await until('it is forgotten', async () => (await nodes())?.includes(`mcp:node:${ID}`) === false);
    await healPart(options, node, true);
    await whole();
  });

  test('without its primary it tells nothing, and nodes go on serving; healed, the other member is the primary', async () => {
    expect(await breakPart(options, registry, 'kill')).toContain(`${r1} was killed`);
    expect(await nodes()).toBeUndefined();
    expect(await mcp(1_000)).toBe(200);
    await expect(breakPart(options, registry, 'kill')).rejects.toMatchObject({ code: 'SANDBOX' });
    expect(await healPart(options, registry)).toBe(`the registry serves: ${r1} and ${r2} run`);
    await whole();
    expect(await breakPart(options, registry, 'hang')).toBe(`${r2} hangs (SIGSTOP)`);
    await healPart(options, registry);
    await whole();
  });
});

describe('the Temporal server', () => {
  test('killed it stays down until it is healed, and remembers what it knew', async () => {
    const temporal: Target = { kind: 'temporal' };
    const { pid } = await program('temporal');
    expect(await breakPart(options, temporal, 'kill')).toContain(`${pid}`);
    expect((await program('temporal')).state).toBe('exited');
    await expect(fetch(`http://${at.temporalHttp}/api/v1/namespaces/default`)).rejects.toThrow(
      'fetch failed',
    );
    expect(await healPart(options, temporal)).toBe('temporal runs');
    expect((await status(options)).state).toBe('up');
  });
});

describe('a worker', () => {
  const worker: Target = { kind: 'worker', region: 'us-east-1' };

  test('that the sandbox does not have cannot be killed; one may be added, and comes back by itself', async () => {
    await expect(breakPart(options, worker, 'kill')).rejects.toMatchObject({ code: 'SANDBOX' });
    await up({ ...options, workers: 1 });
    const { pid } = await program('worker-us-east-1');
    await breakPart(options, worker, 'kill');
    const next = await until('the supervisor started another', async () => {
      const now = (await program('worker-us-east-1')).pid;
      return now !== 0 && now !== pid && now;
    });
    expect(await healPart(options, worker)).toBe('worker-us-east-1 runs');
    expect((await program('worker-us-east-1')).pid).toBe(next);
  });
});

test.each<[Target, string, string, string]>([
  [{ kind: 'zone', zone: 'us-east-1/a' }, 'mcp', 'BAD_INPUT', 'there are kill, hang'],
  [{ kind: 'zone', zone: 'us-east-1/z' }, 'kill', 'UNKNOWN_TARGET', 'there are us-east-1/a, us-east-1/b'],
  [node, 'flood', 'BAD_INPUT', '"flood" is none of a node; there are kill, hang, mcp, mcp-error'],
  [{ kind: 'temporal' }, 'hang', 'BAD_INPUT', '"hang" is none of a temporal; there are kill'],
  [{ kind: 'node', node: 'us-east-1/a/n9' }, 'kill', 'UNKNOWN_TARGET', 'us-east-1/a/n1'],
  [
    { kind: 'worker', region: 'mars' },
    'kill',
    'UNKNOWN_TARGET',
    'there are us-east-1, eu-central-1, ap-southeast-1',
  ],
])('%j cannot have the fault %s: %s', async (target, fault, code, message) => {
  await expect(breakPart(options, target, fault)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test('without a sandbox there is nothing to break', async () => {
  await expect(breakPart({ dir: `${options.dir}-none` }, node, 'kill')).rejects.toMatchObject({
    code: 'SANDBOX',
    message: expect.stringContaining('There is no sandbox in'),
  });
});
