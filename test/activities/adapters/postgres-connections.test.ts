import type { ClientBase } from 'pg';
import { keptConnections } from '../../../activities/adapters/postgres-connections';
import { startPostgres, type TestPostgres } from '../../harness/postgres';
import { until } from '../../harness/until';

/** Connections that are used again, to a real PostgreSQL. */
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres('127.130.32.1');
});
afterAll(() => postgres.stop());

const server = () => {
  const { hostname, port, username, pathname } = new URL(postgres.url);
  const database = pathname.slice(1);
  return { host: hostname, port: Number(port), user: username, database, query_timeout: 300 };
};
/** Which of the server's processes answers. */
const pid = async (client: ClientBase): Promise<number> =>
  (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;

it('one question after the other is on one connection, and on a new one after a while', async () => {
  const ask = keptConnections(1);
  const first = await ask(server(), pid);
  expect(await ask(server(), pid)).toBe(first);
  await until('it is a new one', async () => (await ask(server(), pid)) !== first);
});

it('what goes wrong is told, and nothing is asked on that connection again', async () => {
  const ask = keptConnections();
  const first = await ask(server(), pid);
  await expect(ask(server(), (client) => client.query('SELECT pg_sleep(5)'))).rejects.toThrow('timeout');
  const second = await ask(server(), pid);
  expect(second).not.toBe(first);
  await expect(ask(server(), (client) => client.query('SELECT no_such'))).rejects.toThrow('no_such');
  expect(await ask(server(), pid)).not.toBe(second);
});

it('one that the server ends while nobody asks is not used again', async () => {
  const ask = keptConnections();
  const first = await ask(server(), pid);
  await keptConnections()(server(), (client) => client.query('SELECT pg_terminate_backend($1)', [first]));
  await until('it is asked anew', async () => (await ask(server(), pid)) !== first);
});
