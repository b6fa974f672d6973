import { getExternalWorkflowHandle, sleep } from '@temporalio/workflow';
import type { SignalDefinition } from '@temporalio/common';
import type { AlertRef, Trigger } from '../../core/run';
import { alertsAttached } from '../messages';

/** Alerts that join a run at work reach it at most so often, ms: a storm of them must not keep it from its work. */
const ALERTS_EVERY_MS = 250;

/** Alerts for a run that have not been sent yet. */
interface Letter {
  alerts: AlertRef[];
  /** One of them would have started this very runbook. */
  trigger?: Trigger;
}

/** By run. */
export type Letters = Record<string, Letter>;

/**
 * Signals to runs; whoever sends one does not wait for its arrival. A run that cannot be reached may be over: then the
 * coordinator is told to look.
 */
export class Mail {
  private underWay = 0;
  private closing = false;

  constructor(
    /** What was not sent before; from now on, what is not sent yet. */
    readonly letters: Letters,
    private readonly onUnreachable: (run: string) => Promise<void>,
  ) {
    for (const [run, letter] of Object.entries(letters)) void this.deliver(run, letter);
  }

  /** From now on alerts are kept for whoever goes on. */
  close(): void {
    this.closing = true;
  }

  /** Whether all that was sent has arrived, or has not. */
  get idle(): boolean {
    return this.underWay === 0;
  }

  /** Adds an alert to the run's next delivery. `trigger`: it would have started this very runbook. */
  attach(run: string, alert: AlertRef, trigger: Trigger | undefined): void {
    const known = this.letters[run];
    const letter = known ?? { alerts: [] };
    letter.alerts.push(alert);
    if (trigger) letter.trigger = trigger;
    if (known) return;
    this.letters[run] = letter;
    void this.deliver(run, letter);
  }

  send<Args extends unknown[]>(run: string, signal: SignalDefinition<Args>, ...args: Args): void {
    void this.carry(run, () => getExternalWorkflowHandle(run).signal(signal, ...args));
  }

  /** The first alert goes at once, with those that came with it; what comes soon after goes together. */
  private async deliver(run: string, letter: Letter): Promise<void> {
    await Promise.resolve();
    while (letter.alerts.length > 0 && !this.closing) {
      this.send(run, alertsAttached, letter.alerts, letter.trigger);
      letter.alerts = [];
      delete letter.trigger;
      await sleep(ALERTS_EVERY_MS);
    }
    if (letter.alerts.length === 0) delete this.letters[run];
  }

  private async carry(run: string, signal: () => Promise<void>): Promise<void> {
    this.underWay += 1;
    try {
      await signal().catch(() => this.onUnreachable(run));
    } finally {
      this.underWay -= 1;
    }
  }
}
