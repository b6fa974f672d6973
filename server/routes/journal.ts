import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { SwitchoverError } from '../../core/errors';
import type { RecoveryRow } from '../../core/journal';
import type { Deps } from '../deps';
import { refusals } from '../schemas/problem';
import { Time, exactly, object } from '../schemas/schema';

const DAY_MS = 86_400_000;

const RowSchema = exactly<RecoveryRow>()(
  object({
    runbook: Type.String({ examples: ['zone-failover'] }),
    level: Type.String({ description: 'the kind of what failed', examples: ['zone'] }),
    region: Type.Optional(Type.String({ examples: ['us-east-1'] })),
    count: Type.Integer({ description: 'faults that were answered' }),
    recovered: Type.Integer({ description: 'of these, proven to have recovered' }),
    mttrP50Ms: Type.Optional(Type.Number()),
    mttrP95Ms: Type.Optional(Type.Number()),
    mtbfMs: Type.Optional(Type.Number({ description: 'between one fault and the next' })),
    objectiveMs: Type.Number(),
    rtoAchieved: Type.Integer({ description: 'recovered within their objective' }),
    rpoAchieved: Type.Integer({ description: 'lost nothing, of those that have counted it' }),
    rpoCounted: Type.Integer(),
  }),
);

const mttrSchema = {
  tags: ['reports'],
  security: [{ bearer: [] }],
  summary: 'How faults were recovered from',
  description:
    'MTTR, MTBF and objectives met, by runbook, level and region, of executed runs; a run is in it within seconds of its end. Role: viewer.',
  querystring: object({
    days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 3_650, default: 90, description: 'of the last so many days' }),
    ),
  }),
  response: {
    200: object({ since: Time, rows: Type.Array(RowSchema) }, { description: 'By level' }),
    ...refusals('BAD_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN', 'JOURNAL_UNREACHABLE'),
  },
};

/** Reports of many runs, out of the journal. */
export const journal: FastifyPluginAsyncTypebox<Deps> = async (app, { operations, reader, config }) => {
  app.get('/reports/mttr', { config: { role: 'viewer' }, schema: mttrSchema }, async ({ query }) => {
    if (!reader)
      throw new SwitchoverError('JOURNAL_UNREACHABLE', `environment ${config.environment} has no journal`);
    const since = new Date(Date.now() - (query.days ?? 90) * DAY_MS).toISOString();
    const failovers = operations.catalogue.filter(({ kind }) => kind === 'failover').map(({ id }) => id);
    return { since, rows: await reader.recovery(failovers, since) };
  });
};
