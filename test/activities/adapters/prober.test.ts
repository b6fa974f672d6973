import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { prober } from '../../../activities/adapters/prober';
import { startBackend, type TestBackend } from '../../harness/haproxy';
import { createNodes, type TestNode, type TestNodes } from '../../harness/mcp-node';
import { startRedis, type TestRedis } from '../../harness/redis';

const ADDRESS = '127.130.4.11:8080';
/** Patient where an answer is expected: the machine may be busy. */
const probe = prober({ timeoutMs: 5_000 });
/** For what never answers. */
const hasty = prober({ timeoutMs: 1_000 });

describe('http', () => {
  it.each<[string, RequestListener]>([
    ['200', (_, response) => response.end()],
    ['503', (_, response) => response.writeHead(503).end()],
  ])('whoever answers %s is there', async (_, answer) => {
    const backend = await startBackend(ADDRESS, answer);
    expect(await probe.http(`http://${ADDRESS}/`, 5_000)).toEqual({
      ok: true,
      said: expect.stringMatching(/^answered in \d+ ms$/),
      ms: expect.any(Number),
    });
    await backend.stop();
  });

  it('nobody there, or somebody who hangs', async () => {
    const url = `http://${ADDRESS}/`;
    expect(await probe.http(url, 5_000)).toMatchObject({ ok: false, said: 'connection refused' });
    const backend = await startBackend(ADDRESS, () => undefined);
    expect(await probe.http(url, 500)).toMatchObject({ ok: false, said: 'no answer within 500 ms' });
    await backend.stop();
  });
});

it('a call that is answered in time is well, one that fails or hangs is not', async () => {
  expect(await probe.answers(async () => 'PONG', 5_000)).toMatchObject({ ok: true });
  const fails = () => Promise.reject(new Error('LOADING Redis is loading'));
  expect(await probe.answers(fails, 5_000)).toMatchObject({ ok: false, said: 'LOADING Redis is loading' });
  const hangs = () => new Promise(() => undefined);
  expect(await probe.answers(hangs, 200)).toMatchObject({ ok: false, said: 'no answer within 200 ms' });
});

describe('health', () => {
  it.each<[string, RequestListener, boolean, RegExp]>([
    ['200 and JSON', (_, response) => response.end('{"state":"ready"}'), true, /^200 ready in \d+ ms$/],
    ['200 and text', (_, response) => response.end('fine\n'), true, /^200 fine in \d+ ms$/],
    ['200 and JSON without a state', (_, response) => response.end('[1]'), true, /^200 \[1\] in \d+ ms$/],
    [
      '503',
      (_, response) => response.writeHead(503).end('{"state":"syncing"}'),
      false,
      /^503 syncing in \d+ ms$/,
    ],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/' }).end(), false, /^302/],
    [
      'a closed connection',
      (request) => request.socket.destroy(),
      false,
      /^connection closed before the answer in \d+ ms$/,
    ],
  ])('%s', async (_, answer, ok, said) => {
    const backend = await startBackend(ADDRESS, answer);
    expect(await probe.health(ADDRESS)).toEqual({
      ok,
      said: expect.stringMatching(said),
      ms: expect.any(Number),
    });
    await backend.stop();
  });

  it.each([200, 503])('tells the release that the node tells, with %d', async (status) => {
    const body = '{"state":"ready","version":"1.1.0"}';
    const backend = await startBackend(ADDRESS, (_, response) => response.writeHead(status).end(body));
    expect(await probe.health(ADDRESS)).toMatchObject({ ok: status === 200, version: '1.1.0' });
    await backend.stop();
  });

  it.each<[string, RequestListener]>([
    ['no answer', () => undefined],
    ['half an answer', (_, response) => void response.write('{"sta')],
  ])('%s', async (_, answer) => {
    const backend = await startBackend(ADDRESS, answer);
    expect(await hasty.health(ADDRESS)).toMatchObject({ ok: false, said: 'no answer within 1000 ms' });
    await backend.stop();
  });

  it('nobody there', async () => {
    expect(await probe.health(ADDRESS)).toMatchObject({
      ok: false,
      said: expect.stringMatching(/^connection refused in \d+ ms$/),
    });
  });

  it('something there that does not speak HTTP', async () => {
    const server = createServer((socket) => socket.end('220 mail\r\n')).listen(8080, '127.130.4.12');
    await once(server, 'listening');
    expect(await probe.health('127.130.4.12:8080')).toMatchObject({
      ok: false,
      said: expect.stringContaining('Parse Error'),
    });
    server.close();
  });

  it('an address that is none', async () => {
    expect(await probe.health('nowhere at all')).toMatchObject({
      ok: false,
      said: expect.stringContaining('Invalid URL'),
    });
  });
});

describe('mcp', () => {
  let redis: TestRedis;
  let nodes: TestNodes;
  let node: TestNode;

  beforeAll(async () => {
    redis = await startRedis('127.130.4.1');
    nodes = await createNodes(redis.url, { n1: '127.130.4.21' });
  });
  beforeEach(async () => {
    node = await nodes.start('n1');
  });
  afterEach(() => nodes.reset());
  afterAll(async () => {
    await nodes.stop();
    await redis.stop();
  });

  it('a node that works, where it leaves no session behind', async () => {
    expect(await probe.mcp(node.url)).toEqual({
      ok: true,
      said: expect.stringMatching(/^initialize and ping answered in \d+ ms$/),
      ms: expect.any(Number),
      version: '1.2.3',
    });
    expect(await redis.client.keys('mcp:session:*')).toEqual([]);
  });

  it('a hung node', async () => {
    node.signal('SIGSTOP');
    expect(await hasty.mcp(node.url)).toMatchObject({
      ok: false,
      said: 'initialize: no answer within 1000 ms',
    });
    expect(await hasty.health('127.130.4.21:8080')).toMatchObject({
      ok: false,
      said: 'no answer within 1000 ms',
    });
  });

  it('a node that answers /health but not MCP', async () => {
    await nodes.fault('n1', 'mcp');
    expect(await probe.health('127.130.4.21:8080')).toMatchObject({ ok: true });
    expect(await hasty.mcp(node.url)).toMatchObject({
      ok: false,
      said: 'initialize: no answer within 1000 ms',
    });
  });

  it('a node whose MCP fails', async () => {
    await nodes.fault('n1', 'mcp-error');
    expect(await probe.mcp(node.url)).toMatchObject({
      ok: false,
      said: expect.stringMatching(/^initialize: HTTP 500 in \d+ ms$/),
    });
  });

  it('a node that has just been restarted: no connection to the one before is used', async () => {
    for (let restart = 0; restart < 3; restart += 1) {
      expect(await probe.mcp(node.url)).toMatchObject({ ok: true });
      await node.kill();
      node = await nodes.start('n1');
    }
    expect(await probe.mcp(node.url)).toMatchObject({ ok: true });
  });

  it('a node that is gone', async () => {
    await node.kill();
    expect(await probe.mcp(node.url)).toMatchObject({
      ok: false,
      said: expect.stringMatching(/^initialize: connection refused/),
    });
  });
});

describe('mcp against what is no MCP server', () => {
  const url = `http://${ADDRESS}/mcp`;
  let backend: TestBackend | undefined;

  afterEach(() => backend?.stop());

  /** Answers every POST with a JSON body. */
  const json =
    (body: string): RequestListener =>
    (_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  const initialized = (protocolVersion: string): string =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      result: { protocolVersion, capabilities: {}, serverInfo: { name: 'x', version: '1' } },
    });

  it.each<[string, RequestListener, RegExp]>([
    [
      'a web page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      /^initialize: .*Unexpected content type: text\/html/,
    ],
    ['a body that is not JSON', json('{"jsonrpc'), /^initialize: the body is not JSON in/],
    ['JSON that is no JSON-RPC', json('{"hello":1}'), /^initialize: the answer is not what MCP lays down in/],
    [
      'a result that is none of initialize',
      json('{"jsonrpc":"2.0","id":0,"result":{}}'),
      /^initialize: the answer is not what MCP lays down in/,
    ],
    [
      'a JSON-RPC error',
      json('{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"out of sessions"}}'),
      /^initialize: MCP error -32603: out of sessions in/,
    ],
    [
      'a protocol of the future',
      json(initialized('2999-01-01')),
      /^initialize: Server's protocol version is not supported: 2999-01-01/,
    ],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/mcp' }).end(), /^initialize: /],
  ])('%s', async (_, answer, said) => {
    backend = await startBackend(ADDRESS, answer);
    expect(await probe.mcp(url)).toMatchObject({ ok: false, said: expect.stringMatching(said) });
  });

  it.each([
    ['an answer to another question', '{"jsonrpc":"2.0","id":77,"result":{}}', 'initialize'],
    ['initialize alone', initialized('2025-06-18'), 'ping'],
  ])('%s', async (_, body, at) => {
    backend = await startBackend(ADDRESS, json(body));
    expect(await hasty.mcp(url)).toMatchObject({ ok: false, said: `${at}: no answer within 1000 ms` });
  });

  it('a URL that is none', async () => {
    expect(await probe.mcp('nowhere')).toMatchObject({
      ok: false,
      said: expect.stringContaining('Invalid URL'),
    });
  });
});
