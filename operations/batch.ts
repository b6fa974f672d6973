/** One asker, waiting for its answer. */
interface Waiting<Ask, Answer> {
  ask: Ask;
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
}

/**
 * Sends what comes in alone at once, and what comes in while `inFlight` batches are under way together in the next one:
 * no delay without load, few calls under it. Order is kept within a batch only.
 */
export class Batcher<Ask, Answer> {
  private waiting: Waiting<Ask, Answer>[] = [];
  private busy = 0;

  constructor(private readonly options: BatchOptions<Ask, Answer>) {}

  ask(ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ ask, resolve, reject });
      this.sendNext();
    });
  }

  private sendNext(): void {
    const { inFlight, size } = this.options;
    if (this.busy >= inFlight || this.waiting.length === 0) return;
    const batch = this.waiting.splice(0, size);
    this.busy += 1;
    void this.carry(batch).finally(() => {
      this.busy -= 1;
      this.sendNext();
    });
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
