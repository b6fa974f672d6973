import { SwitchoverError } from '../core/errors';

/** The evidence that a member of a store takes no writes, and will not by itself take any again. */
export interface Evidence {
  member: string;
  /** What showed it. */
  said: string;
  /** ISO time at which it was seen. */
  at: string;
}

/** What is seen of a former primary right before somebody takes over. */
export interface SecondLook {
  fenced: Evidence | null;
  /** Another member that takes writes. */
  other: { member: string; said: string } | undefined;
  /** How the former primary is, in words. */
  now: string;
}

/**
 * Fence before promote: asked right before somebody takes over. The evidence alone does not do: the old primary is looked at again,
 * and nobody else may take writes.
 * @throws NOT_FENCED saying what is missing
 */
export async function requireFenced(
  primary: string,
  evidence: Evidence | undefined,
  look: () => Promise<SecondLook>,
): Promise<void> {
  const refuse = (why: string): never => {
    throw new SwitchoverError('NOT_FENCED', `nobody takes over from ${primary}: ${why}`);
  };
  if (!evidence) return refuse('there is no evidence that it is fenced');
  if (evidence.member !== primary) return refuse(`the evidence is of ${evidence.member}`);
  const { fenced, other, now } = await look();
  if (other) return refuse(`${other.member} takes writes already (${other.said})`);
  if (!fenced) return refuse(`it was fenced at ${evidence.at}, but is not any more (${now})`);
}
