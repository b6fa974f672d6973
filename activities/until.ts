import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { SwitchoverError, type ErrorCode } from '../core/errors';

const LOOK_EVERY_MS = 50;

/** Looks until it is met, every `everyMs`. @throws VERIFY_FAILED saying what is the trouble, after `withinMs` */
export function until(
  trouble: string,
  withinMs: number,
  met: () => Promise<boolean | undefined>,
  everyMs = LOOK_EVERY_MS,
): Promise<void> {
  return wait({ trouble, withinMs, everyMs, code: 'VERIFY_FAILED', rest: delay }, met);
}

/**
 * The same for what takes long, and goes on by itself: it is waited for once, and only for as long as the run wants it.
 * @throws NOT_IN_TIME after `withinMs` · CancelledFailure once the run is aborted, or makes room for another one
 */
export function untilInTime(
  trouble: string,
  withinMs: number,
  met: () => Promise<boolean | undefined>,
): Promise<void> {
  return wait({ trouble, withinMs, everyMs: LOOK_EVERY_MS, code: 'NOT_IN_TIME', rest: whileWanted }, met);
}

/** Waits. @throws CancelledFailure once the run is aborted, or makes room for another one */
export function whileWanted(ms: number): Promise<void> {
  return Context.current().sleep(ms);
}

interface Wait {
  trouble: string;
  withinMs: number;
  everyMs: number;
  code: ErrorCode;
  rest: (ms: number) => Promise<unknown>;
}

async function wait(
  { trouble, withinMs, everyMs, code, rest }: Wait,
  met: () => Promise<boolean | undefined>,
) {
  for (const end = Date.now() + withinMs; !(await met()); await rest(everyMs)) {
    if (Date.now() > end) throw new SwitchoverError(code, `${trouble} after ${withinMs / 1_000} s`);
  }
}
