import { SwitchoverError } from '../core/errors';

/** One asker, waiting for its answer. */
interface Waiting<Ask, Answer> {
  ask: Ask;
  /** By the process's own clock, ms. */
  since: number;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

export interface BatchOptions<Ask, Answer> {
  /** Carries a batch; its answers are in the order of the asks. When it throws, every asker of the batch is told. */
  send: (asks: Ask[]) => Promise<Answer[]>;
  /** Batches under way at once. */
  inFlight: number;
  /** Asks in a batch at most. */
  size: number;
  /** Asks that wait at most: what is more is told at once to come again, which bounds the memory of a burst. */
  waiting: number;
  /** Who has waited longer has given up by now, ms: not sent any more, so that coming again does not double the work. */
  patienceMs: number;
}

/**
 * Sends together what comes in together, in one turn of the event loop or while `inFlight` batches are under way: no delay
 * without load, few calls under it. Order is kept within a batch only.
 */
export class Batcher<Ask, Answer> {
  private waiting: Waiting<Ask, Answer>[] = [];
  private busy = 0;
  private due: NodeJS.Immediate | undefined;

  constructor(private readonly options: BatchOptions<Ask, Answer>) {}

  /** @throws TEMPORAL_UNREACHABLE where too many wait already, or it was not this one's turn in time: ask again */
  ask(ask: Ask): Promise<Answer> {
    const { waiting: limit } = this.options;
    if (this.waiting.length >= limit) return Promise.reject(tooMany(`${limit} are waiting already`));
    return new Promise((resolve, reject) => {
      this.waiting.push({ ask, since: performance.now(), resolve, reject });
      this.due ??= setImmediate(() => {
        this.due = undefined;
        this.sendNext();
      });
    });
  }

  private sendNext(): void {
    const { inFlight, size, patienceMs } = this.options;
    const late = performance.now() - patienceMs;
    while (this.busy < inFlight) {
      while (this.waiting[0] && this.waiting[0].since < late)
        this.waiting.shift()!.reject(tooMany(`not taken within ${patienceMs} ms`));
      if (this.waiting.length === 0) return;
      this.busy += 1;
      void this.carry(this.waiting.splice(0, size)).finally(() => {
        this.busy -= 1;
        this.sendNext();
      });
    }
  }

  private async carry(batch: Waiting<Ask, Answer>[]): Promise<void> {
    try {
      const answers = await this.options.send(batch.map(({ ask }) => ask));
      batch.forEach(({ resolve }, i) => resolve(answers[i]!));
    } catch (error) {
      batch.forEach(({ reject }) => reject(error));
    }
  }
}

function tooMany(why: string): SwitchoverError {
  return new SwitchoverError('TEMPORAL_UNREACHABLE', `more comes in than can be handed over: ${why}`);
}
