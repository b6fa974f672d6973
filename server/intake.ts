import { setTimeout as delay } from 'node:timers/promises';
import { ERRORS, SwitchoverError } from '../core/errors';
import type { Inbox } from './inbox';
import type { Lately } from './lately';

/** Who sends something that is safe is answered after this at the latest, ms: what becomes of it shows elsewhere. */
const PATIENCE_MS = 1_000;

/** While more than this is being dealt with there is a storm: who sends something is answered as soon as it is safe. */
const STORM = 10;

/** Where there is no storm, what is dealt with within this is not kept first, ms: writing it would be in the way of what a fault waits for. */
const KEPT_AFTER_MS = 50;

/** What comes within this about places that are being dealt with is handed over together, ms: a storm must not keep those busy who end it. */
const TOGETHER_MS = 250;

/** Dealt with at the same time at most: what is more and safe has its turn later, which bounds the memory of a burst. */
const AT_ONCE = 500;

/** How often it is looked for what is due, ms. */
const SWEEP_MS = 500;

/** What an item asks for. */
export interface Matter<Answer> {
  /** Items of one place are answered alike. */
  place: string;
  /** May be repeated. */
  deal: () => Promise<Answer>;
}

export interface IntakeOptions<Item, Answer> {
  inbox: Inbox<Item>;
  lately: Lately<Answer>;
  /** What an item asks for; what throws is nothing that could be dealt with. */
  matterOf: (item: Item) => Matter<Answer>;
  /** An answer as it holds for what comes after it. */
  lasting: (answer: Answer) => Answer;
  /** The answer about something that is safe and not dealt with yet. */
  kept: Answer;
  /** Told of what was answered and then refused by whom it was handed over to. */
  warn: (error: unknown) => void;
}

/**
 * Takes items in. Each is dealt with, kept meanwhile unless that is over soon, and answered as soon as either is through: by what came of it,
 * or, where it is safe and dealing with it takes long or there is a storm, by what its place was last answered, else by `kept`. What was answered is
 * dealt with whatever happens: by this process, or by the next one that finds it due.
 */
export class Intake<Item, Answer> {
  private readonly underWay = new Set<Promise<unknown>>();
  private next: Promise<unknown> | undefined;
  private closing = false;

  constructor(private readonly options: IntakeOptions<Item, Answer>) {
    this.sweepLater();
  }

  /** @throws what dealing with it throws, where that is known in time and does not go away by itself, or where it could not be kept */
  async take(item: Item): Promise<Answer> {
    const { inbox, lately, kept, warn } = this.options;
    const matter = this.options.matterOf(item);
    const known = lately.known(matter.place);
    if (this.underWay.size >= AT_ONCE && (await inbox.keep(item))) {
      void inbox.later(item);
      return known ?? kept;
    }
    const patience = known === undefined && this.underWay.size < STORM ? PATIENCE_MS : 0;
    // Dealing is begun first: it is what a fault waits for.
    const dealing = known === undefined ? this.deal(matter) : this.dealTogether(matter);
    const waited = patience > 0 ? delay(patience, undefined, { ref: false }) : undefined;
    const safe = patience > 0 ? this.keepUnless(dealing, item) : inbox.keep(item);
    const dealt = this.settle(item, safe, dealing);
    let answered = false;
    dealt.catch((error: unknown) => answered && warn(error));
    const soon = async () => {
      if (!(await safe)) return dealt;
      await waited;
      return known ?? kept;
    };
    return Promise.race([dealt, soon()]).finally(() => (answered = true));
  }

  /** Takes nothing more up that is due, and waits until what is under way is dealt with, for so long at most, ms. */
  async close(graceMs: number): Promise<void> {
    this.closing = true;
    const all = Promise.allSettled(this.underWay);
    await Promise.race([all, delay(graceMs, undefined, { ref: false })]);
    await this.options.inbox.close();
  }

  /** Keeps an item that is not dealt with soon. @returns whether it is safe */
  private async keepUnless(dealing: Promise<Answer>, item: Item): Promise<boolean> {
    const over = dealing.then(
      () => true,
      () => false,
    );
    const soon = delay(KEPT_AFTER_MS, false, { ref: false });
    return !(await Promise.race([over, soon])) && this.options.inbox.keep(item);
  }

  private async deal({ place, deal }: Matter<Answer>): Promise<Answer> {
    const { lately, lasting } = this.options;
    try {
      const answer = await deal();
      lately.learn(place, lasting(answer));
      return answer;
    } catch (error) {
      lately.forget((other) => other === place);
      throw error;
    }
  }

  private async dealTogether(matter: Matter<Answer>): Promise<Answer> {
    await (this.next ??= delay(TOGETHER_MS).finally(() => (this.next = undefined)));
    return this.deal(matter);
  }

  /** Sees to it that what is dealt with is kept no longer, and what may go well later is. */
  private settle(item: Item, safe: Promise<boolean>, dealing: Promise<Answer>): Promise<Answer> {
    const { inbox, kept: promised } = this.options;
    const settled = dealing.then(
      (answer) => {
        void safe.then((kept) => (kept ? inbox.done(item) : undefined));
        return answer;
      },
      async (error: unknown) => {
        const passes = error instanceof SwitchoverError && ERRORS[error.code].retryable;
        if (!(await safe)) throw error;
        if (!passes) {
          void inbox.done(item);
          throw error;
        }
        void inbox.later(item);
        return promised;
      },
    );
    this.underWay.add(settled);
    const forget = () => void this.underWay.delete(settled);
    settled.then(forget, forget);
    return settled;
  }

  private sweepLater(): void {
    if (this.closing) return;
    setTimeout(() => void this.takeUp().finally(() => this.sweepLater()), SWEEP_MS).unref();
  }

  /** Deals with what is due: what failed before, what a burst had to put off, what a process that is gone has left. */
  private async takeUp(): Promise<void> {
    const { inbox, matterOf, warn } = this.options;
    const room = AT_ONCE - this.underWay.size;
    if (room <= 0 || this.closing) return;
    for (const item of await inbox.due(room)) {
      const dealing = (async () => this.deal(matterOf(item)))();
      void this.settle(item, Promise.resolve(true), dealing).catch(warn);
    }
  }
}
