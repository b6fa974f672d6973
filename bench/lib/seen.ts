import { wait } from '../../sandbox/scenario';

/** Waits until there is a value; gives up without one after `withinMs`, unless `stop` is aborted: that is thrown. */
export async function seen(
  look: () => number | undefined,
  withinMs: number,
  stop: AbortSignal,
): Promise<void> {
  const value = async () => {
    if (look() === undefined) throw new Error('not yet');
  };
  await wait(value, withinMs, stop).catch(() => stop.throwIfAborted());
}
