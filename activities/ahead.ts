import { setTimeout as delay } from 'node:timers/promises';
import type { Intent } from '../core/run';

/** What was seen before a run existed is not acted upon where its start took longer than this, ms. */
const FRESH_MS = 100;

/** How long the result of an act waits for its run, ms. */
const KEPT_MS = 10_000;

/**
 * An act that whoever starts a run may begin for it: it looks while the run is being started, and changes something once the
 * run exists. The run asks with the same key and gets what came of that. Asked in another process, later, or again, the act
 * is carried out anew, and finds the world as wanted where it was done before.
 * @param act waits for `exists` before it changes anything, and throws what that throws
 */
export function ahead<Ask extends { how: Intent }, Answer>(
  act: (ask: Ask, exists?: Promise<unknown>) => Promise<Answer>,
) {
  const begun = new Map<string, Promise<Answer>>();
  return {
    /** @param exists rejects where there is no such run: nothing is done then */
    begin(ask: Ask, exists: Promise<unknown>): void {
      const late = new Error('what was seen is out of date');
      const soon = Promise.race([
        exists,
        delay(FRESH_MS, undefined, { ref: false }).then(() => Promise.reject(late)),
      ]);
      soon.catch(() => undefined); // where nothing is to be done nobody waits for it
      const answer = act(ask, soon).catch(async (error: unknown) => {
        if (error !== late) throw error;
        await exists;
        return act(ask);
      });
      answer.catch(() => undefined); // who asks for it is told
      begun.set(ask.how.key, answer);
      setTimeout(() => begun.delete(ask.how.key), KEPT_MS).unref();
    },
    act(ask: Ask): Promise<Answer> {
      const answer = begun.get(ask.how.key);
      begun.delete(ask.how.key);
      return answer ?? act(ask);
    },
  };
}
