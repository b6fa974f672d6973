import { once } from 'node:events';
import { get, request as send, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { SwitchoverError } from '../../core/errors';
import { until } from '../harness/until';
import { reportOf } from './fake-operations';
import { as, withServer, type Server } from './harness';

const running = reportOf({ state: 'running' });
const over = reportOf();

/** The fields of a frame; a comment has its text alone. */
interface Frame {
  event?: string;
  id?: string;
  data?: unknown;
  comment?: string;
}

interface Stream {
  headers: IncomingHttpHeaders;
  /** Null at the end. */
  next(): Promise<Frame | null>;
  leave(): void;
}

/** Listens on this test's own address; what inject cannot show is a client that goes away. */
async function listen(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.150.0.20', port: 0 });
}

async function open(base: string, headers: Record<string, string> = {}): Promise<Stream> {
  const request = get(`${base}/api/v1/runs/run-1/events`, {
    agent: false,
    headers: { ...as('vera'), ...headers },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
  let text = '';
  return {
    headers: response.headers,
    leave: () => void request.destroy(),
    async next() {
      while (!text.includes('\n\n')) {
        const { done, value } = await chunks.next();
        if (done) return null;
        text += value;
      }
      const end = text.indexOf('\n\n');
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      return fieldsOf(lines);
    },
  };
}

function fieldsOf(lines: string[]): Frame {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    fields[line.slice(0, colon) || 'comment'] = line.slice(colon + 2);
  }
  return fields['data'] ? { ...fields, data: JSON.parse(fields['data']) as unknown } : fields;
}

/** A server on a real socket with one run under way. */
async function withStream(use: (server: Server & { base: string }) => Promise<void>): Promise<void> {
  await withServer(async (server) => {
    server.operations.put(running);
    await use({ ...server, base: await listen(server.app) });
  });
}

test('reports with growing ids, then the end, then silence', async () => {
  await withStream(async ({ operations, base }) => {
    const stream = await open(base);
    expect(stream.headers['content-type']).toBe('text/event-stream');
    expect(stream.headers['cache-control']).toBe('no-cache');
    expect(await stream.next()).toEqual({ event: 'report', id: '1', data: running });
    const paused = reportOf({ state: 'paused' });
    operations.put(paused);
    expect(await stream.next()).toEqual({ event: 'report', id: '2', data: paused });
    operations.put(over);
    expect(await stream.next()).toEqual({ event: 'report', id: '3', data: over });
    expect(await stream.next()).toEqual({
      event: 'end',
      id: '4',
      data: { run: 'run-1', state: 'recovered' },
    });
    expect(await stream.next()).toBeNull();
  });
});

test('a run that is over: its report and the end', async () => {
  await withServer(async ({ app, operations }) => {
    operations.put(over);
    const { body } = await app.inject({ url: '/api/v1/runs/run-1/events', headers: as('vera') });
    expect(body.match(/^event: .*/gm)).toEqual(['event: report', 'event: end']);
  });
});

test('a client that comes back begins with the present, its ids go on', async () => {
  await withStream(async ({ base }) => {
    const stream = await open(base, { 'last-event-id': '41' });
    expect(await stream.next()).toEqual({ event: 'report', id: '42', data: running });
    stream.leave();
  });
});

test('a silent run is heard of every 15 s', async () => {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask', 'performance', 'Date'],
  });
  try {
    await withStream(async ({ base }) => {
      const stream = await open(base);
      await stream.next();
      jest.advanceTimersByTime(15_000);
      expect(await stream.next()).toEqual({ comment: 'still here' });
      stream.leave();
    });
  } finally {
    jest.useRealTimers();
  }
});

test('an unknown run is a 404, not a stream', async () => {
  await withServer(async ({ app }) => {
    const answer = await app.inject({ url: '/api/v1/runs/nobody/events', headers: as('vera') });
    expect(answer.json<object>()).toMatchObject({ status: 404, code: 'UNKNOWN_RUN' });
  });
});

test('trouble on the way is an event, after which the client connects again', async () => {
  await withStream(async ({ operations, base }) => {
    const stream = await open(base);
    await stream.next();
    operations.failure = new SwitchoverError('TEMPORAL_UNREACHABLE', 'Temporal does not answer');
    operations.put(running);
    expect(await stream.next()).toMatchObject({
      event: 'problem',
      id: '2',
      data: { code: 'TEMPORAL_UNREACHABLE', detail: 'Temporal does not answer' },
    });
    expect(await stream.next()).toBeNull();
  });
});

test('many watch as one, and when the last has left nobody looks any more', async () => {
  await withStream(async ({ operations, base }) => {
    const streams = await Promise.all(Array.from({ length: 5 }, () => open(base)));
    await Promise.all(streams.map((stream) => stream.next()));
    expect(operations.following).toBe(1);
    for (const { leave } of streams) leave();
    await until('nobody looks at the run', () => operations.following === 0);
  });
});

test('closing the server ends the streams', async () => {
  await withStream(async ({ app, base }) => {
    const stream = await open(base);
    await stream.next();
    await app.close();
    expect(await stream.next()).toBeNull();
  });
});

test('a caller that waits for a run and leaves is no longer waited for', async () => {
  await withStream(async ({ operations, base }) => {
    const waiting = send(`${base}/api/v1/runs?wait=5m`, {
      agent: false,
      method: 'POST',
      headers: { ...as('otto'), 'content-type': 'application/json', 'idempotency-key': 'run-1' },
    });
    waiting.on('error', () => undefined);
    waiting.end(JSON.stringify({ runbook: 'node-failover', input: { node: 'us-east-1/a/n1' } }));
    await until('the run is looked at', () => operations.following === 1);
    waiting.destroy();
    await until('nobody looks at the run', () => operations.following === 0);
  });
});
