import { Type, type Static } from '@sinclair/typebox';
import { ERRORS, isErrorCode, type ErrorCode } from '../../core/errors';
import { named, object, oneOf } from './schema';

const codes = Object.keys(ERRORS).filter(isErrorCode);

export const ProblemSchema = object(
  {
    type: Type.String({ examples: ['about:blank'] }),
    title: Type.String({ description: 'the name of the HTTP status', examples: ['Bad Request'] }),
    status: Type.Integer({ examples: [400] }),
    detail: Type.String({
      description: 'what happened, where and why',
      examples: ['body.runbook: is missing (for example "node-failover")'],
    }),
    code: oneOf(codes, { description: 'a code of the error table' }),
    hint: Type.String({ description: 'what to do next', examples: [ERRORS.BAD_INPUT.hint] }),
    requestId: Type.String({ description: 'the log has the request under this id' }),
    problems: Type.Optional(
      Type.Array(
        object({ path: Type.String(), message: Type.String(), example: Type.Optional(Type.Unknown()) }),
        { description: 'each thing wrong with the input' },
      ),
    ),
  },
  { $id: 'Problem' },
);

export type Problem = Static<typeof ProblemSchema>;

/** The problem responses of a route that may fail with these codes, by status. */
export function refusals(...list: ErrorCode[]) {
  const byStatus: Record<number, object> = {};
  for (const status of new Set(list.map((code) => ERRORS[code].http))) {
    const here = list.filter((code) => ERRORS[code].http === status);
    byStatus[status] = {
      description: here.map((code) => `${code}: ${ERRORS[code].hint}`).join(' '),
      content: { 'application/problem+json': { schema: named<Problem>('Problem') } },
    };
  }
  return byStatus;
}
