import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { down, up, type Sandbox, type SandboxOptions } from '../../sandbox';
import { HOME } from '../../sandbox/settings';

/** The first of the loopback blocks of this run of the tests; each test file with a sandbox has its own, four apart. */
const FIRST_BLOCK = Number(process.env['SWITCHOVER_TEST_BLOCK'] ?? 100);

/**
 * Options for a test file's sandbox: the smallest fleet with three regions, and nothing beside it.
 * @param slot 0, 1, …; no other test file may use it
 */
export function smallSandbox(slot: number): Required<Pick<SandboxOptions, 'block' | 'dir'>> & SandboxOptions {
  const block = FIRST_BLOCK + 4 * slot;
  return {
    block,
    dir: join(HOME, `test-${block}`),
    nodesPerZone: 1,
    sparesPerZone: 1,
    workers: 0,
    server: false,
    monitoring: false,
    database: false,
    backups: false,
    sentinel: false,
    dns: false,
  };
}

/**
 * Has a sandbox up during the tests of a file or a `describe`, and takes it down after them however they end.
 * @returns the sandbox, to be asked for inside tests
 */
export function useSandbox(options: SandboxOptions): () => Sandbox {
  let sandbox: Sandbox;
  beforeAll(async () => {
    await down(options);
    sandbox = await up(options);
  });
  afterAll(async () => {
    await down(options);
  });
  return () => sandbox;
}

/**
 * Opens an MCP session at an endpoint and gives the answer's status.
 * @throws Error when there is no answer within `timeoutMs`
 */
export async function initialize(url: string, timeoutMs = 2_000): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
    }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.text();
  return response.status;
}

/** Listens on host:port until the returned function is called. @throws the system's error where it is taken */
export async function occupy(address: string): Promise<() => void> {
  const [host, port] = address.split(':');
  const server = createServer();
  server.listen({ host, port: Number(port) });
  await once(server, 'listening');
  return () => void server.close();
}
