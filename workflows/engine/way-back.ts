import { CancellationScope } from '@temporalio/workflow';
import type { Deed, Intent, StepRecord } from '../../core/run';
import type { Ledger } from './ledger';
import { summarize } from './interceptors';
import { causeOf } from './outcome';

export interface Undo {
  title: string;
  act: (how: Intent, step: StepRecord) => Promise<Deed>;
}

/** What an act leaves for the way back. */
export interface Trace {
  undo?: Undo | undefined;
  noReturn?: string | undefined;
}

/**
 * The way back from what a run has done: the undo of every act that was begun, newest first, and the acts that cannot be undone. Past
 * one of these nothing is undone any more: it would lead back onto a dead side.
 */
export class WayBack {
  private readonly undos: Undo[] = [];

  constructor(private readonly ledger: Ledger) {}

  /** How many acts were begun that have an undo. */
  get count(): number {
    return this.undos.length;
  }

  /** Why there is no going back; undefined where there is. */
  get noReturn(): string | undefined {
    return this.ledger.report.noReturn?.join('; ');
  }

  /** What an abort leaves as it is for that reason, in words. */
  get left(): string {
    const titles = this.undos.map(({ title }) => title).toReversed();
    return titles.length > 0 ? `not done then: ${titles.join(', ')}` : 'nothing else would have to be undone';
  }

  /** To be called before the act is begun, so that a half-done one counts too. */
  note({ undo, noReturn }: Trace): void {
    if (undo) this.undos.push(undo);
    const { report } = this.ledger;
    if (noReturn === undefined || report.noReturn?.includes(noReturn)) return;
    (report.noReturn ??= []).push(noReturn);
  }

  /** The act that was noted last was refused before it did anything. */
  forget({ undo, noReturn }: Trace): void {
    const { report } = this.ledger;
    if (undo && this.undos.at(-1) === undo) this.undos.pop();
    if (noReturn === undefined || report.noReturn?.at(-1) !== noReturn) return;
    report.noReturn.pop();
    if (report.noReturn.length === 0) delete report.noReturn;
  }

  /**
   * Undoes what was done, newest first. Nothing interrupts it and no failure stops it: each is reported.
   * @returns whether everything could be undone.
   */
  async go(intent: (step: StepRecord) => Intent): Promise<boolean> {
    return CancellationScope.nonCancellable(async () => {
      let whole = true;
      for (let undo = this.undos.pop(); undo; undo = this.undos.pop()) {
        const step = this.ledger.open(undo.title, 'undo');
        summarize(undo.title);
        try {
          const deed = await undo.act(intent(step), step);
          this.ledger.close(step, deed.changed ? 'done' : 'unchanged', deed);
        } catch (error) {
          whole = false;
          this.ledger.close(step, 'failed', causeOf(error));
        }
      }
      return whole;
    });
  }
}
