import { FRESH_MS } from '../core/coordination';

/** Places beyond which those without news are forgotten. */
const PLACES = 1_000;

/**
 * What was last answered about the places that alerts come from. In a storm most alerts say what is being dealt with already: they
 * can be answered as the last one of their place was.
 */
export class Lately<Answer> {
  private readonly answers = new Map<string, { answer: Answer; at: number }>();

  /** @param clock ms; default the process's own */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** What was answered about a place less than {@link FRESH_MS} ago. */
  known(place: string): Answer | undefined {
    const last = this.answers.get(place);
    return last && !this.isOld(last) ? last.answer : undefined;
  }

  learn(place: string, answer: Answer): void {
    this.answers.set(place, { answer, at: this.clock() });
    if (this.answers.size <= PLACES) return;
    for (const [other, last] of this.answers) if (this.isOld(last)) this.answers.delete(other);
  }

  /** What was answered about these places holds no longer. */
  forget(which: (place: string) => boolean): void {
    for (const place of this.answers.keys()) if (which(place)) this.answers.delete(place);
  }

  private isOld({ at }: { at: number }): boolean {
    return this.clock() - at > FRESH_MS;
  }
}
