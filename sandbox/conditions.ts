import { setTimeout as pause } from 'node:timers/promises';
import { SwitchoverError, messageOf } from '../core/errors';

/** How long `until` waits between two looks, ms: longer the longer it has waited, for looking takes time from what is waited for. */
const LOOK_EVERY_MS = 40;
const LOOK_AT_LEAST_MS = 100;

/**
 * Looks until `look` returns without throwing, and gives its answer.
 * @param withinMs after which it gives up
 * @throws SANDBOX with the message of the last look, once the time is over · {@link Hopeless} as soon as a look throws it
 */
export async function until<T>(look: () => Promise<T>, withinMs: number): Promise<T> {
  const began = performance.now();
  const deadline = began + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      if (performance.now() > deadline) {
        throw new SwitchoverError('SANDBOX', `${messageOf(error)} (after ${withinMs / 1000} s)`);
      }
    }
    await pause(Math.min(LOOK_AT_LEAST_MS, LOOK_EVERY_MS + (performance.now() - began) / 50));
  }
}

/** Thrown by a look that knows waiting will not help. */
export class Hopeless extends SwitchoverError {
  constructor(message: string) {
    super('SANDBOX', message);
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
