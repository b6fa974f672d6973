import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { findRunbook, type Runbook } from '../../core/runbook';
import { RunbookSchema } from '../../core/runbook-schema';
import type { Deps } from '../deps';
import { refusals } from '../schemas/problem';
import { object } from '../schemas/schema';

const Described = Type.Composite(
  [
    RunbookSchema,
    object({
      links: object({
        self: Type.String(),
        start: Type.Optional(Type.String({ description: 'its form in the Temporal UI' })),
      }),
    }),
  ],
  { additionalProperties: false },
);

const about = { tags: ['runbooks'], security: [{ bearer: [] }] };

const listSchema = {
  ...about,
  summary: 'All runbooks',
  description: 'With the input each one takes, an example, and the alerts that start it. Role: viewer.',
  response: {
    200: object({ runbooks: Type.Array(Described) }, { description: 'The catalogue' }),
    ...refusals('UNAUTHENTICATED', 'FORBIDDEN'),
  },
};

const showSchema = {
  ...about,
  summary: 'One runbook',
  description: 'Role: viewer.',
  params: object({ id: Type.String({ examples: ['node-failover'] }) }),
  response: {
    200: { ...Described, description: 'The runbook' },
    ...refusals('UNAUTHENTICATED', 'FORBIDDEN', 'UNKNOWN_RUNBOOK'),
  },
};

/** The catalogue. */
export const runbooks: FastifyPluginAsyncTypebox<Deps> = async (app, { operations, links }) => {
  const described = (runbook: Runbook) => ({ ...runbook, links: links.runbook(runbook.id) });

  app.get('/runbooks', { config: { role: 'viewer' }, schema: listSchema }, async () => ({
    runbooks: operations.catalogue.map(described),
  }));

  app.get('/runbooks/:id', { config: { role: 'viewer' }, schema: showSchema }, async ({ params }) =>
    described(findRunbook(operations.catalogue, params.id)),
  );
};
