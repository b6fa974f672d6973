import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../core/errors';

/** How long `until` waits between two looks, ms. */
const LOOK_EVERY_MS = 40;

/**
 * Looks until `look` returns without throwing, and gives its answer.
 * @param withinMs after which it gives up
 * @throws Error with the message of the last look, once the time is over
 */
export async function until<T>(look: () => Promise<T>, withinMs: number): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (error instanceof Hopeless) throw error.reason;
      if (performance.now() > deadline)
        throw new Error(`${messageOf(error)} (after ${withinMs / 1000} s)`, { cause: error });
    }
    await pause(LOOK_EVERY_MS);
  }
}

/** Thrown by a look that knows waiting will not help: `until` rethrows `reason` at once. */
export class Hopeless extends Error {
  constructor(readonly reason: Error) {
    super(reason.message);
  }
}

/** GET `url`. @throws Error unless the answer is 200 within `timeoutMs`. @returns the body */
export async function get(url: string, timeoutMs = 1_000): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).catch((error: Error) => {
    throw new Error(`${url}: ${messageOf(error.cause ?? error)}`);
  });
  const body = await response.text();
  if (response.status !== 200)
    throw new Error(`${url}: answered ${response.status} ${body.slice(0, 200).replaceAll(/\s+/g, ' ')}`);
  return body;
}
