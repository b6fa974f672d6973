import { Redis } from 'ioredis';
import { startProcess, type TestProcess } from './process';
import { until } from './until';

/** A Redis of one test file: real, empty, in memory only. */
export interface TestRedis {
  url: string;
  /** A connection for looking into it. */
  client: Redis;
  process: TestProcess;
  /** Closes the connection and ends the server. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis that keeps nothing on disk and ends with the test's process.
 * @param host loopback address that no other test file uses; the port is 6379.
 * @throws Error with the server's own words when it does not answer within 10 s.
 */
export async function startRedis(host: string): Promise<TestRedis> {
  const server = startProcess('redis-server', [
    '--bind',
    host,
    '--port',
    '6379',
    '--save',
    '',
    '--appendonly',
    'no',
    '--repl-diskless-load',
    'swapdb',
  ]);
  const url = `redis://${host}:6379`;
  const client = new Redis(url, { retryStrategy: () => 20 });
  client.on('error', () => undefined); // refused while it starts: `until` reports it
  const ended = server.exited.then(() => {
    throw new Error(`redis-server on ${host} ended:\n${server.output()}`);
  });
  try {
    await Promise.race([
      // Another test file's on the same address would answer as well.
      until(`Redis on ${host} answers`, async () =>
        (await client.info('server')).includes(`process_id:${server.pid}\r`),
      ),
      ended,
    ]);
  } catch (error) {
    client.disconnect();
    await server.kill();
    throw error;
  }
  return {
    url,
    client,
    process: server,
    async stop() {
      client.disconnect();
      await server.kill();
    },
  };
}
