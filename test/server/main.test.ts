import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Config } from '../../core/config';
import { tool } from '../../sandbox/tools';
import type { Alert } from '../../server/alerts';
import { postgresInbox } from '../../server/postgres-inbox';
import { startPostgres } from '../harness/postgres';
import { startProcess, type TestProcess } from '../harness/process';
import { until } from '../harness/until';
import { alert, payload } from './alerts';
import { as, config, withServer } from './harness';

/** The server as a process of its own, as it is built and run. */
const MAIN = path.join(__dirname, '../../dist/server/main.js');
const LISTEN = '127.150.0.10:8080';
const TEMPORAL = { ip: '127.150.0.31', port: '7233' };
const BASE = `http://${LISTEN}`;

let folder: string;
const started: TestProcess[] = [];

beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'switchover-server-'))));
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.kill()));
  rmSync(folder, { recursive: true });
});

/** Starts the server with this environment file; its tokens are in a file and a variable. */
function serve(
  change: Partial<Config['server']> = {},
  journal?: Config['journal'],
  secrets: NodeJS.ProcessEnv = {},
): TestProcess {
  const file = path.join(folder, 'switchover.yaml');
  const token = path.join(folder, 'token');
  writeFileSync(token, 'secret-of-otto\n');
  const tokens: Config['server']['tokens'] = [
    { name: 'vera', role: 'viewer', secret: { env: 'TOKEN_OF_VERA' } },
    { name: 'otto', role: 'operator', secret: { file: token } },
  ];
  writeFileSync(
    file,
    JSON.stringify({
      ...config,
      ...(journal ? { journal } : {}),
      server: { ...config.server, listen: LISTEN, tokens, ...change },
    }),
  );
  const server = startProcess(process.execPath, [MAIN], {
    SWITCHOVER_CONFIG: file,
    TOKEN_OF_VERA: 'secret-of-vera',
    TEMPORAL_ADDRESS: `${TEMPORAL.ip}:${TEMPORAL.port}`,
    ...secrets,
  });
  started.push(server);
  return server;
}

function startTemporalServer(): TestProcess {
  const { ip, port } = TEMPORAL;
  const args = ['server', 'start-dev', '--ip', ip, '--port', port, '--headless', '--log-level', 'never'];
  const temporal = startProcess(tool('temporal'), args, { HOME: folder });
  started.push(temporal);
  return temporal;
}

const get = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${BASE}${url}`, { headers: { connection: 'close', ...headers } });
const ready = async () => (await get('/readyz')).status;
const alive = () => until('the server is alive', async () => (await get('/healthz')).status === 200, 20_000);

test('serves without Temporal, is ready once it is there, no longer when it is gone, and again', async () => {
  const server = serve();
  await alive();
  const answer = await get('/readyz');
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 'TEMPORAL_UNREACHABLE' });
  expect((await get('/api/v1/runs', as('vera'))).status).toBe(503);
  expect((await get('/api/v1/runbooks', as('otto'))).status).toBe(200);

  const temporal = startTemporalServer();
  await until('it is ready', async () => (await ready()) === 200, 30_000);
  await temporal.kill();
  expect(await ready()).toBe(503);
  startTemporalServer();
  await until('it is ready again', async () => (await ready()) === 200, 30_000);

  const lines = server
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string });
  expect(new Set(lines.map(({ name }) => name))).toEqual(new Set(['server']));
  expect(server.output()).not.toContain('secret-of');
});

test('an alert that was answered without Temporal outlives the server that answered it', async () => {
  const postgres = await startPostgres('127.150.0.32');
  try {
    const server = serve({}, { url: { env: 'JOURNAL' } }, { JOURNAL: postgres.url });
    await alive();
    const answer = await fetch(`${BASE}/webhooks/alertmanager`, {
      method: 'POST',
      headers: { ...as('otto'), 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(payload(alert())),
    });
    expect([answer.status, await answer.json()]).toEqual([202, { kept: expect.any(String) }]);
    server.signal('SIGKILL');
    await server.exited;
    await postgres.query('update alert_inbox set due_at = now()'); // as it is 15 s later
    const inbox = postgresInbox<Alert>(postgres.url, 'test', () => undefined);
    await withServer(async ({ operations }) => {
      await until('it is handed over', () => operations.faults.length > 0);
      expect(operations.faults).toMatchObject([
        { scope: 'node/us-east-1/a/n1', alert: { fingerprint: 'f1' } },
      ]);
      await until('it is kept no longer', async () => {
        const [row] = await postgres.query('select count(*)::int as kept from alert_inbox');
        return row!['kept'] === 0;
      });
    }, inbox);
  } finally {
    await postgres.stop();
  }
});

test('ends on SIGTERM, also when somebody is connected and asks nothing', async () => {
  const server = serve();
  await alive();
  const silent = connect({ host: '127.150.0.10', port: 8080 });
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  server.signal('SIGTERM');
  expect(await server.exited).toBe(0);
  expect(server.output()).toContain('SIGTERM: finishing what is being answered');
  silent.destroy();
});

describe('does not start, and says why', () => {
  test.each<[what: string, change: object, output: string]>([
    [
      'with a wrong environment file',
      { listen: 'here', port: 1 },
      'switchover.yaml: 2 problem(s): server.port: is not a known field; known are listen, tokens, temporalUi; server.listen: must match pattern',
    ],
    [
      'without a secret',
      { tokens: [{ name: 'ada', role: 'admin', secret: { env: 'NOT_SET' } }] },
      'switchover server: server.tokens.0 (ada): environment variable NOT_SET is not set\nCorrect the environment file',
    ],
  ])('%s', async (_, change, output) => {
    const server = serve(change);
    expect(await server.exited).toBe(2);
    expect(server.output()).toContain(output);
  });

  test('where its address is taken', async () => {
    const other = createServer().listen({ host: '127.150.0.10', port: 8080 });
    await once(other, 'listening');
    try {
      const server = serve();
      expect(await server.exited).toBe(2);
      expect(server.output()).toContain(
        'switchover server: server.listen: 127.150.0.10:8080 is taken by another process',
      );
    } finally {
      other.close();
    }
  });
});
