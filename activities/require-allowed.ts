import { SwitchoverError } from '../core/errors';
import type { Refusal } from '../core/run';

/**
 * Does nothing where no guard has anything against an act.
 * @param seen what was seen, for the sentence
 * @throws GUARD_REFUSED naming the guard, and why it refuses
 */
export function requireAllowed(refusal: Refusal | null | undefined, seen?: string): void {
  if (!refusal) return;
  const because = seen === undefined ? '' : `; ${seen}`;
  throw new SwitchoverError('GUARD_REFUSED', `${refusal.guard}: ${refusal.sentence}${because}`);
}
