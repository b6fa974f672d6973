import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HaproxyConfig } from '../../core/config';
import { startProcess, type TestProcess } from './process';
import { until } from './until';

/** A real HAProxy of one test file. */
export interface TestHaproxy {
  /** As the environment file would name it. */
  config: HaproxyConfig;
  process: TestProcess;
  stop(): Promise<void>;
}

/**
 * Starts a HAProxy with one backend `mcp`: least connections, clients bound to servers by their session header, requests
 * sent again elsewhere when a connection fails. One thread, so that requests spread exactly by the weights.
 * @param host loopback address that no other test file uses; clients call port 8080, the runtime API is on 9999.
 * @param servers name → host:port and further settings of the server's line.
 */
export async function startHaproxy(host: string, servers: Record<string, string>): Promise<TestHaproxy> {
  const dir = await mkdtemp(join(tmpdir(), 'haproxy-'));
  const file = join(dir, 'haproxy.cfg');
  await writeFile(file, configuration(host, servers));
  const process = startProcess('haproxy', ['-db', '-f', file]);
  const stop = async () => {
    await process.kill();
    await rm(dir, { recursive: true });
  };
  const ended = process.exited.then(() => {
    throw new Error(`haproxy on ${host} ended:\n${process.output()}`);
  });
  const up = until(`haproxy on ${host} listens`, async () => {
    const socket = connect(9999, host);
    await once(socket, 'connect').finally(() => socket.destroy());
    return true;
  });
  await Promise.race([up, ended]).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const config = {
    kind: 'haproxy',
    runtime: `${host}:9999`,
    url: `http://${host}:8080/mcp`,
    backend: 'mcp',
  } as const;
  return { config, process, stop };
}

function configuration(host: string, servers: Record<string, string>): string {
  const lines = Object.entries(servers).map(([name, rest]) => `  server ${name} ${rest}`);
  return `
global
  nbthread 1
  stats socket ipv4@${host}:9999 level admin
defaults
  mode http
  timeout connect 500ms
  timeout client 10s
  timeout server 10s
  timeout check 2s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
frontend clients
  bind ${host}:8080
  default_backend mcp
backend mcp
  balance leastconn
  option httpchk GET /health
  stick-table type string len 64 size 1k expire 1h
  stick on req.hdr(mcp-session-id)
  default-server weight 100 check inter 100ms fall 2 rise 2
${lines.join('\n')}
`;
}

/** A small HTTP server inside the test's own process. */
export interface TestBackend {
  stop(): Promise<void>;
}

/** Starts an HTTP server. @param address host:port on a loopback address that no other test file uses. */
export async function startBackend(address: string, answer: RequestListener): Promise<TestBackend> {
  const [host, port] = address.split(':');
  const server = createServer(answer).listen(Number(port), host);
  await once(server, 'listening');
  return {
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
