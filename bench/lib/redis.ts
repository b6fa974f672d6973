import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { until } from '../../sandbox/conditions';
import { tool } from '../../sandbox/tools';
import { BLOCK, alone } from './sandbox';

const HOST = `127.${BLOCK}.0.12`;
const START_MS = 10_000;

/**
 * Works with a Redis of the benchmark's own: a process apart, empty, in memory only, which ends with this one however
 * this one ends.
 * @param work is given its URL, and a connection
 * @throws PORT_TAKEN while another benchmark is at work
 */
export async function withRedis<T>(work: (url: string, redis: Redis) => Promise<T>): Promise<T> {
  return alone(async () => {
    const options = ['--bind', HOST, '--port', '6379', '--save', '', '--appendonly', 'no'];
    const server = spawn('setpriv', ['--pdeathsig', 'KILL', tool('redis-server'), ...options], {
      stdio: 'ignore',
    });
    const url = `redis://${HOST}:6379`;
    const redis = new Redis(url, { retryStrategy: () => 50 });
    redis.on('error', () => undefined); // refused while it starts: `until` says so
    try {
      await until(() => redis.ping(), START_MS);
      return await work(url, redis);
    } finally {
      redis.disconnect();
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
  });
}
