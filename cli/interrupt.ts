import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turns the first signal that asks this process to end into an abort, for work that leaves nothing behind; the same
 * signal again ends the process at once. The abort's reason is the exit status a shell expects, 128 and the signal's number.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) process.once(name, () => controller.abort(128 + constants.signals[name]));
  return controller.signal;
}
