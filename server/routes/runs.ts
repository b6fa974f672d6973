import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { millis } from '../../core/time';
import { SwitchoverError } from '../../core/errors';
import { timeline } from '../../core/report';
import { MODES, isOver, type RunReport } from '../../core/run';
import type { RunSummary } from '../../operations';
import type { Deps } from '../deps';
import type { Feeds } from '../feeds';
import { gone } from '../gone';
import { refusals } from '../schemas/problem';
import type { StartedAnswer } from '../schemas/run';
import { named, object, oneOf } from '../schemas/schema';

const LONGEST_WAIT = '10m';

const RunPath = object({ run: Type.String({ minLength: 1, description: 'the run: its workflow id' }) });

const startSchema = {
  tags: ['runs'],
  summary: 'Start a run',
  description:
    'Starts a run of a runbook, or joins the one that the key names or that already works on the scope. With `wait` ' +
    'the answer is the report of the run once it is over (200), or 202 where that takes longer. Role: operator.',
  security: [{ bearer: [] }],
  headers: Type.Object({
    'idempotency-key': Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'the same key and body give the same run' }),
    ),
  }),
  querystring: object({
    wait: Type.Optional(
      Type.String({
        pattern: '^\\d+(ms|s|m)?$',
        examples: ['30s'],
        description: 'how long to wait for the end, such as 30s or 30; at most 10m',
      }),
    ),
  }),
  body: object({
    runbook: Type.String({ examples: ['node-failover'] }),
    input: Type.Record(Type.String(), Type.Unknown(), {
      examples: [{ node: 'us-east-1/a/n1' }],
      description: 'what the runbook asks for; see its input schema',
    }),
    mode: Type.Optional(
      oneOf(MODES, { description: 'plan predicts, execute acts (default), drill rehearses' }),
    ),
    plan: Type.Optional(
      Type.String({ description: 'the run that planned this one: the report tells where it deviates' }),
    ),
    reason: Type.Optional(Type.String({ description: 'why; it ends up in the audit and the report' })),
  }),
  response: {
    200: Type.Union([named<StartedAnswer>('Started'), named<RunReport>('RunReport')], {
      description: 'Joined; or, with wait, the report of the run, which is over',
    }),
    201: { ...named<StartedAnswer>('Started'), description: 'Started' },
    202: { ...named<StartedAnswer>('Started'), description: 'Waited in vain: the run goes on' },
    ...refusals(
      'BAD_INPUT',
      'UNAUTHENTICATED',
      'FORBIDDEN',
      'UNKNOWN_RUNBOOK',
      'UNKNOWN_RUN',
      'UNKNOWN_TARGET',
      'KEY_REUSED',
      'LOCK_HELD',
      'TEMPORAL_UNREACHABLE',
    ),
  },
};

const listSchema = {
  tags: ['runs'],
  summary: 'The newest runs',
  description: 'A run shows up here within about a second of its start. Role: viewer.',
  security: [{ bearer: [] }],
  querystring: object({
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 500, default: 20, description: 'at most so many, 1 to 500' }),
    ),
    runbook: Type.Optional(Type.String({ examples: ['node-failover'] })),
  }),
  response: {
    200: object({ runs: Type.Array(named<RunSummary>('RunSummary')) }, { description: 'Newest first' }),
    ...refusals('BAD_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN', 'UNKNOWN_RUNBOOK', 'TEMPORAL_UNREACHABLE'),
  },
};

const showSchema = {
  tags: ['runs'],
  summary: 'The report of a run',
  description:
    'As far as the run is; `format=markdown` or `text` gives the page a person reads. Role: viewer.',
  security: [{ bearer: [] }],
  params: RunPath,
  querystring: object({ format: Type.Optional(oneOf(['json', 'markdown', 'text'])) }),
  response: {
    200: {
      description: 'The run',
      content: {
        'application/json': { schema: named<RunReport>('RunReport') },
        'text/markdown': { schema: Type.String() },
        'text/plain': { schema: Type.String() },
      },
    },
    ...refusals('BAD_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN', 'UNKNOWN_RUN', 'TEMPORAL_UNREACHABLE'),
  },
};

/** Runs: start, list, report. */
export const runs: FastifyPluginAsyncTypebox<Deps> = async (app, { operations, feeds, links, metrics }) => {
  app.post('/runs', { config: { role: 'operator' }, schema: startSchema }, async (request, reply) => {
    const { body, headers, query, caller } = request;
    const key = headers['idempotency-key'];
    const waitMs = query.wait === undefined ? 0 : waitOf(query.wait);
    const { run, joined } = await operations.start({
      ...body,
      by: caller.name,
      door: 'the API',
      ...(key ? { key } : {}),
    });
    metrics.runs.inc({ door: 'api', runbook: body.runbook, result: joined ? 'joined' : 'started' });
    const answer = { run, joined, links: links.run(run) };
    void reply.header('location', answer.links.self);
    if (waitMs === 0) return reply.code(joined ? 200 : 201).send(answer);
    const report = await outcome(feeds, run, AbortSignal.any([gone(reply), AbortSignal.timeout(waitMs)]));
    return report ? reply.code(200).send(report) : reply.code(202).send(answer);
  });

  app.get('/runs', { config: { role: 'viewer' }, schema: listSchema }, async ({ query }) => ({
    runs: await operations.list(query),
  }));

  app.get('/runs/:run', { config: { role: 'viewer' }, schema: showSchema }, async (request, reply) => {
    const report = await operations.show(request.params.run);
    const { format = 'json' } = request.query;
    if (format === 'json') return report;
    return reply
      .type(`text/${format === 'text' ? 'plain' : 'markdown'}; charset=utf-8`)
      .send(timeline(report));
  });
};

/** @throws BAD_INPUT where that is too long for one request */
function waitOf(wait: string): number {
  const asked = /^\d+$/.test(wait) ? Number(wait) * 1000 : millis(wait);
  if (asked <= millis(LONGEST_WAIT)) return asked;
  throw new SwitchoverError(
    'BAD_INPUT',
    `query.wait: is at most ${LONGEST_WAIT}, not ${wait}; a run that goes on longer is watched at its events`,
  );
}

/** The report of the run once it is over; null where `signal` comes first. */
async function outcome(feeds: Feeds, run: string, signal: AbortSignal): Promise<RunReport | null> {
  for await (const report of feeds.watch(run, signal)) if (isOver(report.state)) return report;
  return null;
}
