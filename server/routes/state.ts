import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Deps } from '../deps';
import { refusals } from '../schemas/problem';
import { object } from '../schemas/schema';

const about = { tags: ['server'], security: [] };
const Status = object({ status: Type.Literal('ok') });

/** What load balancers and Prometheus ask this server. Open to all: nothing here is a secret, and quiet in the log. */
export const state: FastifyPluginAsyncTypebox<Deps> = async (app, { operations, metrics }) => {
  const quiet = { logLevel: 'warn' } as const;

  app.get(
    '/healthz',
    { ...quiet, schema: { ...about, summary: 'Is the process alive', response: { 200: Status } } },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      ...quiet,
      schema: {
        ...about,
        summary: 'Can it serve',
        description: 'Whether Temporal answers.',
        response: { 200: Status, ...refusals('TEMPORAL_UNREACHABLE') },
      },
    },
    async () => {
      await operations.ready();
      return { status: 'ok' as const };
    },
  );

  app.get(
    '/metrics',
    {
      ...quiet,
      schema: {
        ...about,
        summary: 'Metrics for Prometheus',
        response: {
          200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } },
        },
      },
    },
    async (_, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
};
