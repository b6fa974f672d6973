import type { Notifier } from '../ports';
import { trouble } from './trouble';

/** Longest wait for the receiver, ms; the ladder's next rung is minutes away. */
const TIMEOUT_MS = 5_000;

/**
 * Posts a notice as JSON `{key, to, run, subject, body, text}` to its webhook. `text` is what chat systems show;
 * `key` is also sent as `Idempotency-Key`.
 *
 * @throws Error, to be tried again, when the receiver does not answer within 5 s or with 2xx. It names the
 * receiver's host only: the path of a chat webhook is a secret.
 */
export function webhookNotifier(): Notifier {
  return {
    async notify({ webhook, ...notice }, key) {
      const what = `notice to ${notice.to} at ${new URL(webhook).host}`;
      const response = await fetch(webhook, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ key, ...notice, text: `${notice.subject}\n${notice.body}` }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch((error: unknown) => {
        throw new Error(`${what}: ${trouble(error, TIMEOUT_MS)}`);
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`${what}: HTTP ${response.status}`);
    },
  };
}
