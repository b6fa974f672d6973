import { Redis } from 'ioredis';
import { flags, tool } from '../tools';
import type { Context, Part } from './part';

export const REDIS = 'Redis';

/** The session store of the fleet where it is one Redis alone; in memory only. Its process title would overwrite the mark that tells whose it is. */
export function redis({ at, dir }: Context): Part {
  const [host = '', port = ''] = at.redis.split(':');
  const options = flags({
    bind: host,
    port,
    dir,
    save: '',
    appendonly: 'no',
    'protected-mode': 'no',
    'set-proc-title': 'no',
  });
  const command = () => [tool('redis-server'), ...options];
  return {
    name: REDIS,
    after: [],
    programs: [{ name: 'redis', command, listens: [at.redis] }],
    ready: () => ping(`redis://${at.redis}`),
  };
}

async function ping(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined); // connect() says the same
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}
