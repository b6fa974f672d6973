import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { MISSED, type Missed } from '../../core/missed';
import { schedulesOf } from '../../core/schedules';
import type { ScheduleView } from '../../operations/schedules';
import type { Deps } from '../deps';
import { refusals } from '../schemas/problem';
import type { StartedAnswer } from '../schemas/run';
import { Time, exactly, named, object, oneOf } from '../schemas/schema';

const MissedSchema = exactly<Missed>()(
  object({
    schedule: Type.String(),
    at: Time,
    kind: oneOf(MISSED),
    why: Type.String({ description: 'what kept it from being carried out' }),
  }),
);

const ViewSchema = exactly<ScheduleView>()(
  object({
    name: Type.String({ examples: ['backup-full'] }),
    runbook: Type.String(),
    times: Type.String({ description: 'when it is due', examples: ['0 2 * * * UTC'] }),
    input: Type.Record(Type.String(), Type.Unknown()),
    mode: Type.String(),
    paused: Type.Optional(Type.String({ description: 'there while it is paused: by whom and why' })),
    next: Type.Optional(Time),
    last: Type.Optional(object({ due: Time, run: Type.String() })),
    missed: object({ count: Type.Integer(), latest: Type.Array(MissedSchema) }),
  }),
);

const OffSchema = object({ name: Type.String(), runbook: Type.String(), why: Type.String() });

const about = { tags: ['schedules'], security: [{ bearer: [] }] };
const failures = refusals('UNAUTHENTICATED', 'FORBIDDEN', 'TEMPORAL_UNREACHABLE');
const params = object({ name: Type.String({ examples: ['backup-full'] }) });
const body = object({ reason: Type.String({ minLength: 1, examples: ['the disk is full'] }) });

const listSchema = {
  ...about,
  summary: 'What is carried out by itself, and when',
  description:
    'Next and last run of each schedule, whether it is paused and why, what it has missed. Role: viewer.',
  response: {
    200: object(
      { schedules: Type.Array(ViewSchema), off: Type.Array(OffSchema) },
      { description: '`off`: schedules of the catalogue that this environment does without' },
    ),
    ...failures,
  },
};

const moveSchema = (summary: string) => ({
  ...about,
  summary,
  description: 'The name recorded is that of the token. Role: operator.',
  params,
  body,
  response: {
    200: object({ sentence: Type.String({ description: 'what follows' }) }, { description: 'Done' }),
    ...refusals('BAD_INPUT', 'UNKNOWN_SCHEDULE'),
    ...failures,
  },
});

const triggerSchema = {
  ...about,
  summary: 'Carry out now what a schedule carries out',
  description:
    'In the name of the token, under the same lock, windows and limits as any run. Role: operator.',
  params,
  body,
  response: {
    202: { ...named<StartedAnswer>('Started'), description: 'Started, or joined to the run that is at it' },
    ...refusals('BAD_INPUT', 'UNKNOWN_SCHEDULE', 'LOCK_HELD', 'NOT_NOW', 'LEVER_ENGAGED'),
    ...failures,
  },
};

/** What is carried out by itself. */
export const schedules: FastifyPluginAsyncTypebox<Deps> = async (app, { config, operations, links }) => {
  const { off } = schedulesOf(operations.catalogue, config);

  app.get('/schedules', { config: { role: 'viewer' }, schema: listSchema }, async () => ({
    schedules: await operations.schedules(),
    off,
  }));

  for (const [verb, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    const schema = moveSchema(paused ? 'Pause a schedule' : 'Let a paused schedule go on');
    app.post(`/schedules/:name/${verb}`, { config: { role: 'operator' }, schema }, async (request) => ({
      sentence: await operations.moveSchedule({
        name: request.params.name,
        paused,
        by: request.caller.name,
        reason: request.body.reason,
      }),
    }));
  }

  app.post(
    '/schedules/:name/trigger',
    { config: { role: 'operator' }, schema: triggerSchema },
    async (request, reply) => {
      const { name } = request.params;
      const started = await operations.triggerSchedule({
        name,
        by: request.caller.name,
        reason: request.body.reason,
      });
      return reply.code(202).send({ ...started, links: links.run(started.run) });
    },
  );
};
