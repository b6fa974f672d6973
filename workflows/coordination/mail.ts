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

/**
 * Signals to runs; whoever sends one does not wait for its arrival. A run that cannot be reached may be over: then the
 * coordinator is told to look.
 */
export class Mail {
  private readonly letters = new Map<string, Letter>();
  private underWay = 0;

  constructor(private readonly onUnreachable: (run: string) => Promise<void>) {}

  /** Whether all that was sent has arrived, or has not. */
  get idle(): boolean {
    return this.letters.size === 0 && this.underWay === 0;
  }

  /** Adds an alert to the run's next delivery. `trigger`: it would have started this very runbook. */
  attach(run: string, alert: AlertRef, trigger: Trigger | undefined): void {
    const known = this.letters.get(run);
    const letter = known ?? { alerts: [] };
    letter.alerts.push(alert);
    if (trigger) letter.trigger = trigger;
    if (known) return;
    this.letters.set(run, letter);
    void this.deliver(run, letter);
  }

  send<Args extends unknown[]>(run: string, signal: SignalDefinition<Args>, ...args: Args): void {
    void this.carry(run, () => getExternalWorkflowHandle(run).signal(signal, ...args));
  }

  /** The first alert goes at once, with those that came with it; what comes soon after goes together. */
  private async deliver(run: string, letter: Letter): Promise<void> {
    await Promise.resolve();
    while (letter.alerts.length > 0) {
      this.send(run, alertsAttached, letter.alerts, letter.trigger);
      letter.alerts = [];
      delete letter.trigger;
      await sleep(ALERTS_EVERY_MS);
    }
    this.letters.delete(run);
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
