import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Role } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import { DECISIONS, type DecisionKind } from '../../core/run';
import type { Deps } from '../deps';
import { demand } from '../plugins/auth';
import { refusals } from '../schemas/problem';
import { object, oneOf } from '../schemas/schema';

/** Decisions that need more than an operator: two pairs of eyes on what is risky. */
const NEEDED: Partial<Record<DecisionKind, Role>> = { approve: 'approver', reject: 'approver' };

const schema = {
  tags: ['runs'],
  summary: 'Tell a run what to do',
  description:
    'Answers with what follows from it. Role: approver for approve and reject, operator for the others; the name ' +
    'recorded is that of the token.',
  security: [{ bearer: [] }],
  params: object({ run: Type.String({ minLength: 1 }) }),
  body: object({
    decision: oneOf(DECISIONS),
    reason: Type.String({
      minLength: 1,
      examples: ['the node was drained by hand'],
      description: 'why, for the audit',
    }),
    keep: Type.Optional(
      Type.Boolean({ description: 'with abort: leave what was done as it is instead of undoing it' }),
    ),
  }),
  response: {
    200: object(
      {
        run: Type.String(),
        decision: oneOf(DECISIONS),
        sentence: Type.String({ description: 'what follows' }),
      },
      { description: 'The run took the decision' },
    ),
    ...refusals(
      'BAD_INPUT',
      'UNAUTHENTICATED',
      'FORBIDDEN',
      'UNKNOWN_RUN',
      'DECISION_REFUSED',
      'TEMPORAL_UNREACHABLE',
    ),
  },
};

/** The decisions of operators and approvers. */
export const decisions: FastifyPluginAsyncTypebox<Deps> = async (app, { operations }) => {
  // Which role it takes depends on the decision; the least is asked for at the door, the rest below.
  app.post('/runs/:run/decisions', { config: { role: 'viewer' }, schema }, async (request) => {
    const { decision, reason, keep } = request.body;
    const { run } = request.params;
    demand(request.caller, NEEDED[decision] ?? 'operator', `to ${decision} a run`);
    if (keep !== undefined && decision !== 'abort')
      throw new SwitchoverError(
        'BAD_INPUT',
        `body.keep: goes with the decision abort alone, not with ${decision}`,
      );
    const sentence = await operations.decide(run, decision, {
      by: request.caller.name,
      reason,
      ...(keep === undefined ? {} : { keep }),
    });
    return { run, decision, sentence };
  });
};
