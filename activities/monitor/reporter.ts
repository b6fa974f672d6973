import type { Context } from '@temporalio/activity';
import type { Fault } from '../../core/coordination';
import { SwitchoverError, messageOf } from '../../core/errors';
import type { Deps } from '../deps';
import type { Transition } from '../ports';

/** How often a fault that goes on is handed to the coordinator again: nothing is lost when a run ended meanwhile. */
const REASSERT_MS = 5_000;

/** What a monitor tells others: faults to the coordinator, again and again while they last; changes to the journal. */
export class Reporter {
  /** When the fault of a scope was last handed over, ms since the epoch. */
  private readonly reportedAt = new Map<string, number>();

  constructor(
    private readonly deps: Deps,
    private readonly log: Context['log'],
  ) {}

  /** Hands a fault over, unless that was done a moment ago. */
  async fault(fault: Omit<Fault, 'trigger'>): Promise<void> {
    const { scope } = fault;
    if (Date.now() - (this.reportedAt.get(scope) ?? 0) < REASSERT_MS) return;
    this.reportedAt.set(scope, Date.now());
    try {
      await this.deps.operations.openIncident({ ...fault, trigger: 'monitor' });
    } catch (error) {
      if (error instanceof SwitchoverError && error.code === 'LEVER_ENGAGED') return;
      this.reportedAt.delete(scope);
      this.log.error(`the incident for ${scope} could not be opened, it is tried again: ${messageOf(error)}`);
    }
  }

  /** The scope is well: its next fault is handed over at once. */
  well(scope: string): void {
    this.reportedAt.delete(scope);
  }

  /** Notes a change of health; never waited for. */
  changed(transition: Transition): void {
    this.deps.journal?.transition(transition);
  }

  warn(sentence: string): void {
    this.log.warn(sentence);
  }
}
