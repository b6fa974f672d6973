import { setTimeout as delay } from 'node:timers/promises';
import { SwitchoverError } from '../core/errors';

const LOOK_EVERY_MS = 50;

/** Looks until it is met, every `everyMs`. @throws VERIFY_FAILED saying what is the trouble, after `withinMs` */
export async function until(
  trouble: string,
  withinMs: number,
  met: () => Promise<boolean | undefined>,
  everyMs = LOOK_EVERY_MS,
): Promise<void> {
  for (const end = Date.now() + withinMs; !(await met()); await delay(everyMs)) {
    if (Date.now() > end)
      throw new SwitchoverError('VERIFY_FAILED', `${trouble} after ${withinMs / 1_000} s`);
  }
}
