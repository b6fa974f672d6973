import type { Deed, Intent } from '../../core/run';
import type { Undo } from './way-back';

/** A step that changes the world. `act` and `undo` look first and do nothing where the world is already so. */
export interface Act<Evidence> {
  title: string;
  act: (how: Intent) => Promise<Deed<Evidence>>;
  /** Registered before the act is begun, so a half-done act is undone too. */
  undo?: Undo;
  /**
   * Of an act that is not gone back on, why: `d2 takes writes that d1 does not have`. Once it was begun, what fails or is refused is
   * asked a person about instead of being undone, and so is an abort.
   */
  noReturn?: string;
}

/** One of several ways to the same end. */
export interface Way<T> {
  name: string;
  go: () => Promise<T>;
}

/** One part of an examination. */
export interface Part {
  /** What it is about, as `near repository`. */
  title: string;
  /** Titles of the parts without which it would prove nothing. */
  needs?: readonly string[];
  go: () => Promise<void>;
}
