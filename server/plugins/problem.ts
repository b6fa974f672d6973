import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, SwitchoverError, type ErrorCode } from '../../core/errors';
import type { Problem } from '../schemas/problem';

/** Answers every error, and every unknown route, as problem+json (RFC 9457) with the error table's code and hint. */
export function installProblems(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>(answerProblem);
  app.setNotFoundHandler((request: FastifyRequest, reply) =>
    send(reply, {
      ...problemWith(
        'BAD_INPUT',
        `there is no route ${request.method} ${request.url.split('?')[0]}`,
        request.id,
      ),
      ...statusOf(404),
      hint: 'All routes are described at /docs.',
    }),
  );
}

/** Answers an error, and logs it: what is the server's trouble with all that is known, what is the caller's by its code. */
export function answerProblem(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error, request.id);
  if (problem.status >= 500) request.log.error({ err: error, code: problem.code }, problem.detail);
  else request.log.info({ code: problem.code }, problem.detail);
  return send(reply, problem);
}

/**
 * What a caller is told about anything thrown. An unforeseen error says no more than where to look: its text may hold
 * what is none of the caller's business.
 * @param requestId under which the server's log has the rest.
 */
export function problemOf(error: unknown, requestId: string): Problem {
  if (error instanceof SwitchoverError && error.code !== 'INTERNAL') {
    const { code, message, details } = error;
    return { ...problemWith(code, message, requestId), ...(isList(details) ? { problems: details } : {}) };
  }
  const refused = refusedByFastify(error);
  if (refused) {
    const { statusCode, message } = refused;
    return {
      ...problemWith('BAD_INPUT', message, requestId),
      ...statusOf(statusCode),
      hint: HINTS[statusCode] ?? 'Send one JSON object as described at /docs.',
    };
  }
  return problemWith(
    'INTERNAL',
    `the request failed unexpectedly; the log has it as ${requestId}`,
    requestId,
  );
}

const HINTS: Partial<Record<number, string>> = {
  413: 'Send less in one request.',
  415: 'Send JSON, with the header Content-Type: application/json.',
};

function problemWith(code: ErrorCode, detail: string, requestId: string): Problem {
  const { http, hint } = ERRORS[code];
  return { type: 'about:blank', ...statusOf(http), detail, code, hint, requestId };
}

/** Fastify's own refusals (no JSON, too large, …) carry a client-error status and say nothing about the server. */
function refusedByFastify(error: unknown): { statusCode: number; message: string } | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('statusCode' in error)) return undefined;
  const { code, statusCode, message } = error;
  const theirs = String(code).startsWith('FST_') && typeof statusCode === 'number' && statusCode < 500;
  return theirs ? { statusCode, message } : undefined;
}

function statusOf(status: number): { title: string; status: number } {
  return { title: STATUS_CODES[status] ?? 'Error', status };
}

function send(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="switchover"');
  if (ERRORS[problem.code].retryable) void reply.header('retry-after', '1');
  return reply.code(problem.status).type('application/problem+json').send(problem);
}

function isList(details: unknown): details is NonNullable<Problem['problems']> {
  return Array.isArray(details) && details.every((item) => typeof item?.path === 'string');
}
