import { messageOf } from '../../core/errors';

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed before the answer',
  EPIPE: 'connection closed before the answer',
  UND_ERR_SOCKET: 'connection closed before the answer',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host name unknown',
};

/** Error names by which a passed deadline shows: Node's sockets and requests say the first, fetch the second. */
const DEADLINE = new Set(['AbortError', 'TimeoutError']);

/**
 * What went wrong on the wire, as a person would say it: `connection refused`, `no answer within 400 ms`.
 * An error in `fetch` hides the reason in its cause; this looks there. Words it does not know stay as they are.
 *
 * @param timeoutMs the deadline of the call that failed; it must be the only thing that aborts that call.
 */
export function trouble(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return messageOf(error);
  if (DEADLINE.has(error.name)) return `no answer within ${timeoutMs} ms`;
  const reason = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in reason ? String(reason.code) : '';
  return WORDS[code] ?? messageOf(reason);
}
