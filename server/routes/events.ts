import { PassThrough, Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { isOver, type RunReport } from '../../core/run';
import type { Deps } from '../deps';
import { gone } from '../gone';
import { problemOf } from '../plugins/problem';
import { refusals } from '../schemas/problem';
import { object } from '../schemas/schema';

/** Shorter than what proxies take for a dead connection. */
const HEARTBEAT_MS = 15_000;

const schema = {
  tags: ['runs'],
  summary: 'Watch a run',
  description:
    'Server-sent events: `report` with the whole report each time it changed, `end` when the run is over, `problem` ' +
    'when it can no longer be looked at (connect again). Role: viewer.',
  security: [{ bearer: [] }],
  params: object({ run: Type.String({ minLength: 1 }) }),
  headers: Type.Object({
    'last-event-id': Type.Optional(Type.String({ description: 'sent by clients that connect again' })),
  }),
  response: {
    200: {
      description: 'The stream',
      content: { 'text/event-stream': { schema: Type.Unsafe<Readable>({ type: 'string' }) } },
    },
    ...refusals('UNAUTHENTICATED', 'FORBIDDEN', 'UNKNOWN_RUN', 'TEMPORAL_UNREACHABLE'),
  },
};

/** Live reports. */
export const events: FastifyPluginAsyncTypebox<Deps> = async (app, { feeds }) => {
  app.get('/runs/:run/events', { config: { role: 'viewer' }, schema }, async (request, reply) => {
    const reports = feeds.watch(request.params.run, gone(reply));
    // Looked at before the stream begins, so that an unknown run is a 404 and not an event.
    const first = await reports.next();
    const after = Number(request.headers['last-event-id']) || 0;
    const stream = Readable.from(frames(first, reports, after, request.id)).pipe(new PassThrough());
    const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
    stream.once('close', () => clearInterval(heartbeat));
    return reply
      .type('text/event-stream')
      .headers({ 'cache-control': 'no-cache', 'x-accel-buffering': 'no' })
      .send(stream);
  });
};

async function* frames(
  first: IteratorResult<RunReport, void>,
  rest: AsyncGenerator<RunReport, void>,
  after: number,
  requestId: string,
): AsyncGenerator<string> {
  let id = after;
  const reportFrame = (report: RunReport) => frame('report', report, ++id);
  try {
    let last = first.value ?? undefined;
    if (last) yield reportFrame(last);
    for await (const report of rest) {
      last = report;
      yield reportFrame(report);
    }
    if (last && isOver(last.state)) yield frame('end', { run: last.run, state: last.state }, ++id);
  } catch (error) {
    yield frame('problem', problemOf(error, requestId), ++id);
  }
}

function frame(event: string, data: object, id: number): string {
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
