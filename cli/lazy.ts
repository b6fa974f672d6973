/** Takes the exit status of the command that was called. */
export type Finish = (status: number) => void;

/**
 * A command's action that loads its command when it is called, so that starting the program loads none of them.
 * @param work answers with the exit status; nothing counts as 0.
 */
export function lazily<Args extends unknown[]>(
  finish: Finish,
  work: (...args: Args) => Promise<number | void>,
): (...args: Args) => Promise<void> {
  return async (...args) => finish((await work(...args)) ?? 0);
}
