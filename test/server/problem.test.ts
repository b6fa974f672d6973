import type { InjectOptions } from 'fastify';
import { ERRORS, SwitchoverError, type ErrorCode } from '../../core/errors';
import { problemOf } from '../../server/plugins/problem';
import type { Problem } from '../../server/schemas/problem';
import { as, withServer } from './harness';

const post = (payload: unknown, rest: InjectOptions = {}): InjectOptions => ({
  method: 'POST',
  url: '/api/v1/runs',
  payload: payload as object,
  ...rest,
});
const typed = (type: string, payload: string) => post(payload, { headers: { 'content-type': type } });
const node = { node: 'us-east-1/a/n1' };
const good = { runbook: 'node-failover', input: node };

describe('what is wrong with a request', () => {
  const table: [what: string, request: InjectOptions, status: number, detail: string][] = [
    ['no body', { method: 'POST', url: '/api/v1/runs' }, 400, 'body: must be object, not null'],
    ['a list', post([]), 400, 'body: must be object, not []'],
    [
      'nothing in it',
      post({}),
      400,
      'body.runbook: is missing (for example "node-failover"); body.input: is missing (for example {"node":"us-east-1/a/n1"})',
    ],
    [
      'who asks, which the token says',
      post({ ...good, by: 'somebody else' }),
      400,
      'body.by: is not a known field; known are runbook, input, mode, plan, reason',
    ],
    [
      'a mode',
      post({ ...good, mode: 'try' }),
      400,
      'body.mode: must be one of plan, execute, drill, not "try"',
    ],
    ['a type', post({ ...good, reason: 3 }), 400, 'body.reason: must be string, not 3: why'],
    ['a query', post(good, { url: '/api/v1/runs?wait=long' }), 400, 'query.wait: must match pattern'],
    [
      'a number in a query',
      { url: '/api/v1/runs?limit=many' },
      400,
      'query.limit: must be integer, not "many"',
    ],
    ['a number too large', { url: '/api/v1/runs?limit=501' }, 400, 'query.limit: must be <= 500, not 501'],
    [
      'an unknown query',
      { url: '/api/v1/runs?size=3' },
      400,
      'query.size: is not a known field; known are limit',
    ],
    [
      'a header',
      post(good, { headers: { 'idempotency-key': 'x'.repeat(201) } }),
      400,
      'header.idempotency-key: must NOT have more than 200 characters',
    ],
    [
      'a decision',
      post({ decision: 'cancel', reason: '' }, { url: '/api/v1/runs/r/decisions' }),
      400,
      'body.decision: must be one of approve, reject, pause, resume, abort, force, skip, retry, acknowledge, not "cancel"; body.reason: must NOT have fewer than 1 characters, not "": why, for the audit',
    ],
    [
      'a word for another decision',
      post({ decision: 'skip', reason: 'why', keep: true }, { url: '/api/v1/runs/r/decisions' }),
      400,
      'body.keep: goes with the decision abort alone, not with skip',
    ],
    ['broken JSON', typed('application/json', '{"runbook":'), 400, 'Body is not valid JSON'],
    ['an empty body called JSON', typed('application/json', ''), 400, 'Body cannot be empty'],
    ['a poisoned body', typed('application/json', '{"__proto__":{"x":1}}'), 400, 'Body is not valid JSON'],
    ['text', typed('text/plain', 'hello'), 415, 'Unsupported Media Type'],
    ['too much', post({ ...good, reason: 'x'.repeat(1_100_000) }), 413, 'Request body is too large'],
    ['an unknown route', { url: '/api/v1/nodes?x=secret' }, 404, 'there is no route GET /api/v1/nodes'],
    ['a method', { method: 'DELETE', url: '/api/v1/runs' }, 404, 'there is no route DELETE /api/v1/runs'],
    ['a broken URL', { url: '/api/v1/runs/%zz' }, 400, "'/api/v1/runs/%zz' is not a valid url component"],
  ];

  test.each(table)('%s', async (_, request, status, detail) => {
    await withServer(async ({ app, operations }) => {
      const answer = await app.inject({ ...request, headers: { ...as('ada'), ...request.headers } });
      const problem = answer.json<Problem>();
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect([answer.statusCode, problem.status, problem.code]).toEqual([status, status, 'BAD_INPUT']);
      expect(problem.detail).toContain(detail);
      expect(problem.hint).toMatch(/\w+.*\.$/);
      expect(operations.starts).toEqual([]);
    });
  });

  test('every wrong field is listed, with what would be right', async () => {
    await withServer(async ({ app }) => {
      const answer = await app.inject({ ...post({ mode: 'try' }), headers: as('ada') });
      expect(answer.json<Problem>().requestId).toBe(answer.headers['x-request-id']);
      expect(answer.json<Problem>().problems).toEqual([
        { path: 'body.runbook', message: 'is missing', example: 'node-failover' },
        { path: 'body.input', message: 'is missing', example: node },
        { path: 'body.mode', message: 'must be one of plan, execute, drill, not "try"' },
      ]);
    });
  });
});

describe('what went wrong behind a request', () => {
  const foreseen = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => code !== 'INTERNAL');

  test.each(foreseen)('%s has the status and hint of the error table', async (code) => {
    await withServer(async ({ app, operations }) => {
      operations.failure = new SwitchoverError(code, 'what happened');
      const answer = await app.inject({ url: '/api/v1/topology', headers: as('ada') });
      expect(answer.statusCode).toBe(ERRORS[code].http);
      expect(answer.json<Problem>()).toMatchObject({
        type: 'about:blank',
        status: ERRORS[code].http,
        detail: 'what happened',
        code,
        hint: ERRORS[code].hint,
      });
      expect(answer.headers['retry-after']).toBe(ERRORS[code].retryable ? '1' : undefined);
    });
  });

  test.each([
    new Error('connect to 10.1.2.3 as root failed'),
    new SwitchoverError('INTERNAL', 'connect to 10.1.2.3 as root failed'),
  ])('an unforeseen %s tells the caller nothing and the log everything', async (failure) => {
    await withServer(async ({ app, operations, log }) => {
      operations.failure = failure;
      const answer = await app.inject({ url: '/api/v1/topology', headers: as('ada') });
      const { requestId, ...problem } = answer.json<Problem>();
      expect(problem).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        code: 'INTERNAL',
        detail: `the request failed unexpectedly; the log has it as ${requestId}`,
        hint: ERRORS.INTERNAL.hint,
      });
      const logged = log.find(({ level, reqId }) => level === 50 && reqId === requestId);
      expect(logged).toMatchObject({ err: { message: 'connect to 10.1.2.3 as root failed' } });
    });
  });

  test.each([
    undefined,
    null,
    'text',
    { statusCode: 404, message: 'not ours' },
    new TypeError('x is not a function'),
  ])('%p is unforeseen', (thrown) => {
    expect(problemOf(thrown, 'id')).toMatchObject({ status: 500, code: 'INTERNAL' });
  });

  test('details that are no list of problems stay inside', () => {
    const error = new SwitchoverError('LOCK_HELD', 'held', { holder: 'run-1', password: 'x' });
    expect(problemOf(error, 'id')).not.toHaveProperty('problems');
  });
});
