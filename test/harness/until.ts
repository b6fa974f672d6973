import { setTimeout as delay } from 'node:timers/promises';

type Met<T> = Exclude<T, undefined | null | false>;

/**
 * Waits until `look` returns something other than undefined, null or false, and returns that.
 * A look that throws counts as "not yet".
 * @param what the condition in words, for the error.
 * @throws Error naming the condition and the last error seen, after `timeoutMs`.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<Met<T>> {
  const began = Date.now();
  const deadline = began + timeoutMs;
  let lastError: unknown;
  while (Date.now() < deadline) {
    try {
      const seen = await look();
      if (isMet(seen)) return seen;
    } catch (error) {
      lastError = error;
    }
    await delay(pauseAfter(Date.now() - began));
  }
  const why = lastError instanceof Error ? ` (${lastError.message})` : '';
  throw new Error(`waited ${timeoutMs} ms in vain until ${what}${why}`, { cause: lastError });
}

/** What is waited for long is looked at less often, ms: looking takes both cores from what is waited for. */
function pauseAfter(waitedMs: number): number {
  return Math.min(250, 10 + waitedMs / 20);
}

function isMet<T>(seen: T): seen is Met<T> {
  return seen !== undefined && seen !== null && seen !== false;
}
