import { getExternalWorkflowHandle, sleep } from '@temporalio/workflow';
import type { SignalDefinition } from '@temporalio/common';
import type { AlertRef, Trigger } from '../../core/run';
import { alertsAttached } from '../messages';

/** Alerts that join a run at work reach it at most so often, ms: a storm of them must not keep it from its work. */
const ALERTS_EVERY_MS = 250;

/**
 * Signals to runs; whoever sends one does not wait for its arrival. A run that cannot be reached may be over: then the
 * coordinator is told to look.
 */
export class Mail {
  private readonly alerts = new Map<string, { list: AlertRef[]; trigger?: Trigger }>();
  private alertsSentAt = 0;
  private collecting = false;
  private underWay = 0;

  constructor(private readonly onUnreachable: (run: string) => Promise<void>) {}

  /** Adds an alert to the run's next delivery. `trigger`: it would have started this very runbook. */
  attach(run: string, alert: AlertRef, trigger: Trigger | undefined): void {
    const { list = [], ...known } = this.alerts.get(run) ?? {};
    this.alerts.set(run, { ...known, list: [...list, alert], ...(trigger ? { trigger } : {}) });
    void this.collect();
  }

  send<Args extends unknown[]>(run: string, signal: SignalDefinition<Args>, ...args: Args): void {
    void this.carry(run, () => getExternalWorkflowHandle(run).signal(signal, ...args));
  }

  /** Whether all that was sent has arrived, or has not. */
  get idle(): boolean {
    return !this.collecting && this.underWay === 0;
  }

  /** Alerts that come in together travel together. */
  private async collect(): Promise<void> {
    if (this.collecting) return;
    this.collecting = true;
    const rest = this.alertsSentAt + ALERTS_EVERY_MS - Date.now();
    await (rest > 0 ? sleep(rest) : Promise.resolve());
    this.alertsSentAt = Date.now();
    this.collecting = false;
    for (const [run, { list, trigger }] of this.alerts) this.send(run, alertsAttached, list, trigger);
    this.alerts.clear();
  }

  private async carry(run: string, signal: () => Promise<void>): Promise<void> {
    this.underWay += 1;
    try {
      await signal().catch(() => this.onUnreachable(run));
    } catch {
      // It is looked up again with all that have a claim.
    } finally {
      this.underWay -= 1;
    }
  }
}
