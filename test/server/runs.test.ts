import type { InjectOptions } from 'fastify';
import { ERRORS } from '../../core/errors';
import { as, withServer } from './harness';
import { reportOf } from './fake-operations';

const node = { node: 'us-east-1/a/n1' };
const start = (rest: InjectOptions = {}): InjectOptions => ({
  method: 'POST',
  url: '/api/v1/runs',
  payload: { runbook: 'node-failover', input: node },
  ...rest,
  headers: { ...as('otto'), ...rest.headers },
});

describe('starting a run', () => {
  test('201 with where to go on, then 200 for the one that joined', async () => {
    await withServer(async ({ app }) => {
      const run = 'run-us-east-1/a/n1';
      const self = '/api/v1/runs/run-us-east-1%2Fa%2Fn1';
      const links = {
        self,
        events: `${self}/events`,
        decisions: `${self}/decisions`,
        ui: 'http://127.150.0.11:8233/namespaces/default/workflows/run-us-east-1%2Fa%2Fn1',
      };
      const first = await app.inject(start());
      expect([first.statusCode, first.headers.location, first.json()]).toEqual([
        201,
        self,
        { run, joined: false, links },
      ]);
      const second = await app.inject(start());
      expect([second.statusCode, second.json()]).toEqual([200, { run, joined: true, links }]);
    });
  });

  test('the run is asked for by the name of the token, with key, mode and reason', async () => {
    await withServer(async ({ app, operations }) => {
      const payload = { runbook: 'node-failover', input: node, mode: 'plan', reason: 'have a look' };
      await app.inject(start({ payload, headers: { 'idempotency-key': 'build-7' } }));
      await app.inject(start());
      expect(operations.starts).toEqual([
        { ...payload, by: 'otto', door: 'the API', key: 'build-7' },
        { runbook: 'node-failover', input: node, by: 'otto', door: 'the API' },
      ]);
    });
  });

  test('is counted by its door', async () => {
    await withServer(async ({ app }) => {
      await app.inject(start());
      await app.inject(start());
      const { body } = await app.inject({ url: '/metrics' });
      for (const result of ['started', 'joined'])
        expect(body).toContain(
          `switchover_runs_total{door="api",runbook="node-failover",result="${result}"} 1`,
        );
    });
  });
});

describe('waiting for a run', () => {
  test.each(['30', '30s', '1m', '5000ms'])('wait=%s: the report, once it is over', async (wait) => {
    await withServer(async ({ app, operations }) => {
      const key = 'waited-for';
      operations.put(reportOf({ run: key, state: 'running' }));
      const answer = app.inject(
        start({ url: `/api/v1/runs?wait=${wait}`, headers: { 'idempotency-key': key } }),
      );
      const over = reportOf({ run: key, state: 'recovered' });
      operations.put(reportOf({ run: key, state: 'watching' }));
      setImmediate(() => operations.put(over));
      const { statusCode, headers, json } = await answer;
      expect([statusCode, headers.location, json()]).toEqual([200, `/api/v1/runs/${key}`, over]);
    });
  });

  test('202 where it takes longer, and nobody looks at the run any more', async () => {
    await withServer(async ({ app, operations }) => {
      const answer = await app.inject(start({ url: '/api/v1/runs?wait=20ms' }));
      expect(answer.statusCode).toBe(202);
      expect(answer.json<object>()).toMatchObject({ run: 'run-us-east-1/a/n1', joined: false });
      expect(answer.headers.location).toBe('/api/v1/runs/run-us-east-1%2Fa%2Fn1');
      expect(operations.following).toBe(0);
    });
  });

  test('wait=0 does not wait', async () => {
    await withServer(async ({ app }) => {
      expect((await app.inject(start({ url: '/api/v1/runs?wait=0' }))).statusCode).toBe(201);
    });
  });

  test('more than ten minutes is refused', async () => {
    await withServer(async ({ app, operations }) => {
      const answer = await app.inject(start({ url: '/api/v1/runs?wait=11m' }));
      expect(answer.json<object>()).toMatchObject({
        status: 400,
        detail: 'query.wait: is at most 10m, not 11m; a run that goes on longer is watched at its events',
      });
      expect(operations.starts).toEqual([]);
    });
  });
});

describe('looking at runs', () => {
  test('the newest ones, as many as asked for, of one runbook', async () => {
    await withServer(async ({ app, operations }) => {
      operations.put(reportOf());
      const url = '/api/v1/runs?limit=5&runbook=node-failover';
      const answer = await app.inject({ url, headers: as('vera') });
      expect(answer.json<object>()).toMatchObject({ runs: [{ run: 'run-1', state: 'recovered' }] });
      await app.inject({ url: '/api/v1/runs', headers: as('vera') });
      expect(operations.lists).toEqual([{ limit: 5, runbook: 'node-failover' }, {}]);
    });
  });

  test.each([
    ['', 'application/json; charset=utf-8', '"run":"odd/id"'],
    ['?format=json', 'application/json; charset=utf-8', '"run":"odd/id"'],
    [
      '?format=markdown',
      'text/markdown; charset=utf-8',
      '### RECOVERED: node-failover on node/us-east-1/a/n1',
    ],
    ['?format=text', 'text/plain; charset=utf-8', '### RECOVERED: node-failover on node/us-east-1/a/n1'],
  ])('its report%s', async (query, type, content) => {
    await withServer(async ({ app, operations }) => {
      operations.put(reportOf({ run: 'odd/id' }));
      const answer = await app.inject({ url: `/api/v1/runs/odd%2Fid${query}`, headers: as('vera') });
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, type]);
      expect(answer.body).toContain(content);
    });
  });

  test('an unknown one is a 404 that says how to find those there are', async () => {
    await withServer(async ({ app }) => {
      const answer = await app.inject({ url: '/api/v1/runs/nobody', headers: as('vera') });
      expect(answer.json<object>()).toMatchObject({
        status: 404,
        code: 'UNKNOWN_RUN',
        detail: 'there is no run "nobody" in environment test',
        hint: ERRORS.UNKNOWN_RUN.hint,
      });
    });
  });
});

describe('deciding', () => {
  const decide = (payload: object): InjectOptions => ({
    method: 'POST',
    url: '/api/v1/runs/run-1/decisions',
    payload,
    headers: as('anna'),
  });

  test('reaches the run under the name of the token, and answers what follows', async () => {
    await withServer(async ({ app, operations }) => {
      operations.put(reportOf({ state: 'waiting for approval' }));
      const answer = await app.inject(decide({ decision: 'approve', reason: 'seen the plan' }));
      expect([answer.statusCode, answer.json()]).toEqual([
        200,
        { run: 'run-1', decision: 'approve', sentence: 'approve it is' },
      ]);
      await app.inject(decide({ decision: 'abort', reason: 'false alarm', keep: true }));
      expect(operations.told).toEqual([
        { run: 'run-1', kind: 'approve', request: { by: 'anna', reason: 'seen the plan' } },
        { run: 'run-1', kind: 'abort', request: { by: 'anna', reason: 'false alarm', keep: true } },
      ]);
    });
  });

  test('about an unknown run is a 404', async () => {
    await withServer(async ({ app }) => {
      const answer = await app.inject(decide({ decision: 'pause', reason: 'wait' }));
      expect(answer.json<object>()).toMatchObject({ status: 404, code: 'UNKNOWN_RUN' });
    });
  });
});
