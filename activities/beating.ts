import { heartbeat } from '@temporalio/activity';

/** A quarter of the heartbeat time-out of `workflows/proxies.ts`, ms. */
const BEAT_MS = 500;

/**
 * An activity that heartbeats for as long as it goes on: a dead worker is noticed within the heartbeat time-out, while a
 * system that is slow to answer is not taken for one, which would have the work begun a second time beside the first.
 */
export function beating<Input, Output>(
  work: (input: Input) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    const beats = setInterval(() => heartbeat(), BEAT_MS);
    try {
      return await work(input);
    } finally {
      clearInterval(beats);
    }
  };
}
