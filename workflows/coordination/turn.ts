/**
 * Work that is done in turn: what comes while something is under way waits for it.
 *
 * The coordinator has to decide like that. Local activities that run beside each other end one by one when they happen, but
 * all at once when history is replayed, and what follows them would then be decided in another order.
 */
export class Turn {
  private last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => undefined);
    return done;
  }
}
