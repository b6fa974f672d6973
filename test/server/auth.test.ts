import type { InjectOptions } from 'fastify';
import { ROLES } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import { buildApp } from '../../server/app';
import { guard, readTokens } from '../../server/plugins/auth';
import { FakeOperations, reportOf } from './fake-operations';
import { as, config, tokens, withServer } from './harness';

const ANSWER = { vera: 'viewer', otto: 'operator', anna: 'approver', ada: 'admin' } as const;
const node = { node: 'us-east-1/a/n1' };
const decision = (kind: string): InjectOptions => ({
  method: 'POST',
  url: '/api/v1/runs/run-1/decisions',
  payload: { decision: kind, reason: 'because' },
});
const alert = {
  status: 'firing',
  labels: { alertname: 'NodeDown', ...node },
  startsAt: '2030-01-02T03:04:05Z',
  fingerprint: 'f1',
};
const webhook: InjectOptions = {
  method: 'POST',
  url: '/webhooks/alertmanager',
  payload: { version: '4', alerts: [alert] },
};

describe('who may do what', () => {
  const table: [needed: (typeof ROLES)[number], request: InjectOptions][] = [
    ['viewer', { url: '/api/v1/runs' }],
    ['viewer', { url: '/api/v1/runs/run-1' }],
    ['viewer', { url: '/api/v1/runs/run-1/events' }],
    ['viewer', { url: '/api/v1/runbooks' }],
    ['viewer', { url: '/api/v1/runbooks/node-failover' }],
    ['viewer', { url: '/api/v1/topology' }],
    ['viewer', { url: '/api/v1/incidents' }],
    ['viewer', { url: '/api/v1/coordination' }],
    ['viewer', { url: '/api/v1/lever' }],
    ['operator', { method: 'PUT', url: '/api/v1/lever', payload: { engaged: true, reason: 'a test' } }],
    ['operator', { method: 'POST', url: '/api/v1/runs', payload: { runbook: 'node-failover', input: node } }],
    ...['pause', 'resume', 'abort', 'force', 'skip', 'retry', 'acknowledge'].map(
      (kind): [needed: 'operator', request: InjectOptions] => ['operator', decision(kind)],
    ),
    ['approver', decision('approve')],
    ['approver', decision('reject')],
    ['operator', webhook],
  ];

  test.each(table)('%s: %o', async (needed, request) => {
    await withServer(async ({ app, operations }) => {
      operations.put(reportOf());
      for (const [name, role] of Object.entries(ANSWER)) {
        const { statusCode, body } = await app.inject({ ...request, headers: as(name) });
        const allowed = ROLES.indexOf(role) >= ROLES.indexOf(needed);
        expect([name, statusCode < 300 ? 'allowed' : statusCode]).toEqual([name, allowed ? 'allowed' : 403]);
        if (allowed) continue;
        const { code, detail } = JSON.parse(body) as { code: string; detail: string };
        expect(code).toBe('FORBIDDEN');
        expect(detail).toContain(`needs the role ${needed}; "${name}" is ${role}`);
      }
      expect((await app.inject(request)).statusCode).toBe(401);
    });
  });

  test('a refused caller has changed nothing', async () => {
    await withServer(async ({ app, operations }) => {
      operations.put(reportOf());
      await app.inject({ ...decision('approve'), headers: as('otto') });
      await app.inject({ ...webhook, headers: as('vera') });
      expect([operations.told, operations.faults]).toEqual([[], []]);
    });
  });
});

describe('proving who one is', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const api = '/api/v1/incidents';
  const hook = '/webhooks/alertmanager';

  test.each([
    ['nothing', undefined, api, 401, 'carries no token'],
    ['another scheme', 'Digest x', api, 401, 'carries no token'],
    ['an empty token', 'Bearer ', api, 401, 'carries no token'],
    ['an unknown token', 'Bearer nonsense', api, 401, 'not one of this environment'],
    ['the start of a token', 'Bearer secret-of-ad', api, 401, 'not one of this environment'],
    ['a token', 'Bearer secret-of-ada', api, 200, ''],
    ['the scheme in small letters', 'bearer secret-of-ada', api, 200, ''],
    ['basic authentication at the API', basic('x:secret-of-ada'), api, 401, 'carries no token'],
    ['basic authentication at a webhook', basic('x:secret-of-ada'), hook, 200, ''],
    ['basic authentication without a user', basic(':secret-of-ada'), hook, 200, ''],
    ['a wrong password', basic('ada:nonsense'), hook, 401, 'not one of this environment'],
    ['no password', basic('secret-of-ada'), hook, 401, 'not one of this environment'],
    ['a token at a webhook', 'Bearer secret-of-otto', hook, 200, ''],
  ])('%s', async (_, authorization, url, status, detail) => {
    await withServer(async ({ app, log }) => {
      const request: InjectOptions = url === hook ? webhook : { url };
      const answer = await app.inject({ ...request, headers: authorization ? { authorization } : {} });
      expect(answer.statusCode).toBe(status);
      if (status === 401) {
        expect(answer.json<object>()).toMatchObject({ code: 'UNAUTHENTICATED' });
        expect(answer.json<{ detail: string }>().detail).toContain(detail);
        expect(answer.headers['www-authenticate']).toBe('Bearer realm="switchover"');
      }
      expect(JSON.stringify(log) + answer.body).not.toContain('secret-of');
    });
  });

  test('what has no secret is open', async () => {
    await withServer(async ({ app }) => {
      for (const url of ['/healthz', '/readyz', '/metrics', '/docs/json'])
        expect([url, (await app.inject({ url })).statusCode]).toEqual([url, 200]);
    });
  });

  test('a guarded route that does not say who may call it fails at start', async () => {
    const app = await buildApp({ config, operations: new FakeOperations(), tokens, namespace: 'default' });
    const careless = app.register(async (scope) => {
      guard(scope, tokens, ['bearer']);
      scope.get('/careless', async () => 'open to all');
    });
    await expect(careless).rejects.toThrow('GET /careless: config.role does not say who may call it');
    await app.close().catch(() => undefined);
  });
});

describe('tokens of the environment file', () => {
  const token = (name: string, env: string) => ({ name, role: 'viewer' as const, secret: { env } });

  beforeEach(() => {
    process.env['TEST_TOKEN_A'] = ' hidden-value ';
    process.env['TEST_TOKEN_B'] = 'hidden-value';
  });
  afterEach(() => {
    delete process.env['TEST_TOKEN_A'];
    delete process.env['TEST_TOKEN_B'];
  });

  test('are read without surrounding blanks', () => {
    expect(readTokens([token('a', 'TEST_TOKEN_A')])).toEqual([
      { name: 'a', role: 'viewer', secret: 'hidden-value' },
    ]);
  });

  test.each([
    [
      [token('a', 'TEST_TOKEN_A'), token('b', 'TEST_TOKEN_B')],
      'server.tokens.1 (b): has the same secret as "a"',
    ],
    [[token('c', 'TEST_TOKEN_C')], 'server.tokens.0 (c): environment variable TEST_TOKEN_C is not set'],
    [
      [{ name: 'd', role: 'viewer' as const, secret: { file: '/nowhere/token' } }],
      'server.tokens.0 (d): file /nowhere/token cannot be read: Error: ENOENT',
    ],
  ])('%#: are refused with the place named', (given, message) => {
    const read = () => readTokens(given);
    expect(read).toThrow(SwitchoverError);
    expect(read).toThrow(message);
    expect(read).not.toThrow('hidden-value');
  });
});
