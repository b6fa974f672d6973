import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { SwitchoverError } from '../../core/errors';
import { VERDICTS, type ReadinessView } from '../../core/readiness';
import type { Deps } from '../deps';
import { refusals } from '../schemas/problem';
import { ForecastSchema } from '../schemas/run';
import { Time, exactly, object, oneOf } from '../schemas/schema';

const ReadinessSchema = exactly<ReadinessView>()(
  object(
    {
      at: Time,
      everyMs: Type.Number({ description: 'it is evaluated again so often, milliseconds' }),
      runbooks: Type.Array(
        object({
          runbook: Type.String({ examples: ['node-failover'] }),
          verdict: oneOf(VERDICTS, { description: 'not here: the environment has no system that it is for' }),
          shortfalls: Type.Array(
            object({
              verdict: oneOf(['warning', 'unknown', 'not ready']),
              says: Type.String({ description: 'what stands against it' }),
              todo: Type.String({ description: 'what to do about it' }),
            }),
            { description: 'the worst first' },
          ),
          forecast: ForecastSchema,
          objectiveMs: Type.Number(),
          provenAt: Type.Optional(Time),
        }),
      ),
    },
    { description: 'Whether each runbook could be carried out' },
  ),
);

const schema = {
  tags: ['fleet'],
  security: [{ bearer: [] }],
  summary: 'Whether the runbooks could be carried out',
  description:
    'As it was evaluated last, at most five minutes ago; where nobody evaluates every runbook is unknown. Role: viewer.',
  response: {
    200: ReadinessSchema,
    ...refusals('UNAUTHENTICATED', 'FORBIDDEN', 'TEMPORAL_UNREACHABLE'),
  },
};

/** Readiness of the runbooks. */
export const readiness: FastifyPluginAsyncTypebox<Deps> = async (app, { operations }) => {
  app.get('/readiness', { config: { role: 'viewer' }, schema }, async () => {
    const view = await operations.readiness();
    if (view) return view;
    throw new SwitchoverError(
      'TEMPORAL_UNREACHABLE',
      'nobody has evaluated readiness yet: no worker has begun to',
    );
  });
};
