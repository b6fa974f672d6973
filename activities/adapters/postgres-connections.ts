import { Client, Pool, type ClientBase, type ClientConfig } from 'pg';
import type { DatabaseConfig } from '../../core/config';

/** How long a connection is kept, s: what only a new one shows, such as a server that takes no more of them, is seen by then. */
const KEPT_S = 5;
/** As many questions may be asked of a server at once. */
const AT_ONCE = 4;

/** Asks a server. Its time-outs bound the wait for a connection, and the answer. */
export type Asking = <T>(server: ClientConfig, question: (client: ClientBase) => Promise<T>) => Promise<T>;

/** A server of the database, as its clients are to be told. `timeoutMs`: for the connection, and for each answer: a hung server accepts connections. */
export function serverOf(
  { url, postgres }: DatabaseConfig,
  address: string,
  password: string,
  timeoutMs: number,
): ClientConfig {
  const [host = '', port = ''] = address.split(':');
  return {
    host,
    port: Number(port),
    user: postgres.user,
    password,
    database: new URL(url).pathname.slice(1),
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  };
}

/** One question on a connection of its own. */
export async function onConnection<T>(
  server: ClientConfig,
  question: (client: ClientBase) => Promise<T>,
): Promise<T> {
  const client = new Client(server);
  client.on('error', () => undefined); // connect() and query() say the same
  try {
    await client.connect();
    return await question(client);
  } finally {
    void client.end().catch(() => undefined);
  }
}

/**
 * Connections to PostgreSQL for who asks several times a second: a new one costs the server more than the question. Each is used for some
 * seconds, and for nothing after a question that went wrong.
 */
export function keptConnections(keptS = KEPT_S): Asking {
  const pools = new Map<string, Pool>();
  return async (server, question) => {
    const pool = poolOf(pools, server, keptS);
    const client = await pool.connect();
    try {
      const answer = await question(client);
      client.release();
      return answer;
    } catch (error) {
      client.release(true);
      throw error;
    }
  };
}

function poolOf(pools: Map<string, Pool>, server: ClientConfig, keptS: number): Pool {
  const { host, port, user, database } = server;
  const name = JSON.stringify([host, port, user, database]);
  const found = pools.get(name);
  if (found) return found;
  const pool = new Pool({ ...server, max: AT_ONCE, maxLifetimeSeconds: keptS, allowExitOnIdle: true });
  pool.on('error', () => undefined); // one that breaks while nobody uses it is not used again
  pools.set(name, pool);
  return pool;
}
