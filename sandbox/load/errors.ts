import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';

/**
 * Why a call failed, as its client saw it: `timeout`; `refused` (nobody listens); `reset` (the connection broke);
 * `session-not-found` (404); `http-<status>`; `tool-error` (the tool said no); `rpc-<code>` (a JSON-RPC error);
 * `count-regressed` (an answer from an older state); `network-<code>` and `other` for the rest.
 */
export type FailureClass = string;

/** A call that was answered, but not with what was asked for. */
export class BadAnswer extends Error {
  constructor(
    readonly failure: 'tool-error' | 'count-regressed',
    message: string,
  ) {
    super(message);
  }
}

const REQUEST_TIMEOUT: number = ErrorCode.RequestTimeout;
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ERR_STREAM_PREMATURE_CLOSE']);
const TIMED_OUT = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/**
 * Names the class of anything a call can reject with. System errors are told by their shape, not by `instanceof`,
 * which fails for errors from another realm, as under jest.
 */
export function classify(error: unknown): FailureClass {
  if (error instanceof BadAnswer) return error.failure;
  if (error instanceof StreamableHTTPError)
    return error.code === 404 ? 'session-not-found' : `http-${error.code}`;
  if (error instanceof McpError) return error.code === REQUEST_TIMEOUT ? 'timeout' : `rpc-${error.code}`;
  const code = networkCode(error);
  if (code === undefined) return 'other';
  if (code === 'ECONNREFUSED') return 'refused';
  if (BROKEN.has(code)) return 'reset';
  return TIMED_OUT.has(code) ? 'timeout' : `network-${code}`;
}

/** `fetch` wraps the system's error, sometimes twice, in causes. */
function networkCode(error: unknown): string | undefined {
  if (!isObject(error)) return undefined;
  return typeof error['code'] === 'string' ? error['code'] : networkCode(error['cause']);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
