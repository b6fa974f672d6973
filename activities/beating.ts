import { heartbeat } from '@temporalio/activity';

/** A quarter of the heartbeat time-out of `workflows/proxies.ts`, ms. */
const BEAT_MS = 500;

/**
 * An activity that heartbeats for as long as it goes on: a dead worker is noticed within the heartbeat time-out, while a
 * system that is slow to answer is not taken for one, which would have the work begun a second time beside the first. What the work tells
 * of its progress travels with the beats, and shows in the Temporal UI.
 */
export function beating<Input, Output>(
  work: (input: Input, tell: (progress: string) => void) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    let progress: string | undefined;
    const beats = setInterval(() => (progress === undefined ? heartbeat() : heartbeat(progress)), BEAT_MS);
    try {
      return await work(input, (told) => (progress = told));
    } finally {
      clearInterval(beats);
    }
  };
}
