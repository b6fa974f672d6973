import { messageOf } from '../../core/errors';

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed before the answer',
  EPIPE: 'connection closed before the answer',
  UND_ERR_SOCKET: 'connection closed before the answer',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host name unknown',
  EINVAL: 'no way there',
};

/** Names of the error by which a passed deadline shows: the first with sockets and requests, the second with fetch. */
const DEADLINE = ['AbortError', 'TimeoutError'];

/**
 * What went wrong on the wire, as a person would say it: `connection refused`, `no answer within 400 ms`.
 * An error of `fetch` hides the reason in its cause; this looks there. Words it does not know stay as they are.
 *
 * @param timeoutMs the deadline of the call that failed; it must be the only thing that aborts that call.
 */
export function trouble(error: unknown, timeoutMs: number): string {
  if (DEADLINE.includes(nameOf(error))) return `no answer within ${timeoutMs} ms`;
  const reason = isObject(error) && isObject(error.cause) ? error.cause : error;
  return WORDS[field(reason, 'code')] ?? (field(reason, 'message') || messageOf(reason));
}

/** Errors of a connection that came to nothing, without anybody having refused it. */
const NO_WAY: readonly string[] = ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EINVAL'];

/** Whether not even the other machine has answered: it is cut off, or gone. */
export function isDark(error: unknown): boolean {
  return NO_WAY.includes(field(error, 'code'));
}

/** The name of an error of any realm; empty for anything else. */
export function nameOf(error: unknown): string {
  return field(error, 'name');
}

function field(error: unknown, name: 'name' | 'code' | 'message'): string {
  const value = isObject(error) ? error[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** By shape: `instanceof Error` is false for an error of another realm, such as those of Node's own modules under jest. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
