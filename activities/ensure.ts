import { SwitchoverError } from '../core/errors';
import type { Deed, Intent, Refusal } from '../core/run';
import { requireAllowed } from './require-allowed';

/** One change of the world, told so that it can be predicted, repeated and verified. */
export interface Change<State> {
  look: () => Promise<State>;
  /** The sentence that says the world is as wanted, or null while it is not. Asked before the act and after it. */
  already: (seen: State) => string | null;
  /** The guard: why this must not be done to the world as seen, or null. Asked in a plan too. */
  refuse?: (seen: State) => Refusal | null;
  /** What would be done, for a plan: "take a-n1 out of …". */
  intention: (seen: State) => string;
  /** What the act has to wait for. What it throws ends the act before anything is done. */
  ready?: Promise<unknown> | undefined;
  act: (seen: State) => Promise<void>;
  /** What was done, with what was seen before and after. */
  done: (before: State, after: State) => string;
}

/**
 * Look, compare, ask the guard, act, verify. Where the world is as wanted already nothing is sent, so a repeated step has no second
 * effect. In plan mode the act is predicted instead.
 * @throws GUARD_REFUSED where the guard has a reason against it: nothing was done then; VERIFY_FAILED where the act went through but the world does not show it.
 */
export async function ensure<State>(how: Intent, change: Change<State>): Promise<Deed<State>> {
  const before = await change.look();
  const already = change.already(before);
  if (already !== null) return { changed: false, sentence: already, before };
  const refusal = change.refuse?.(before);
  requireAllowed(refusal);
  if (how.mode === 'plan') return { changed: true, sentence: `would ${change.intention(before)}`, before };
  await change.ready;
  const at = new Date().toISOString();
  await change.act(before);
  const after = await change.look();
  if (change.already(after) === null) {
    throw new SwitchoverError(
      'VERIFY_FAILED',
      `did ${change.intention(before)}, but it shows ${JSON.stringify(after)}`,
    );
  }
  return { changed: true, sentence: change.done(before, after), before, after, at };
}
