import { getExternalWorkflowHandle } from '@temporalio/workflow';
import type { SignalDefinition } from '@temporalio/common';
import type { AlertRef, Trigger } from '../../core/run';
import { alertsAttached } from '../messages';

/**
 * Signals to runs. Alerts for one run that come in together travel together. A run that cannot be reached may be over:
 * then the coordinator is told to look.
 */
export class Mail {
  private alerts = new Map<string, { list: AlertRef[]; trigger?: Trigger }>();
  private underWay: Promise<string | undefined>[] = [];

  constructor(private readonly onUnreachable: (runs: string[]) => Promise<void>) {}

  /** Adds an alert to the run's next delivery. `trigger`: it would have started this very runbook. */
  attach(run: string, alert: AlertRef, trigger: Trigger | undefined): void {
    const { list = [], ...known } = this.alerts.get(run) ?? {};
    this.alerts.set(run, { ...known, list: [...list, alert], ...(trigger ? { trigger } : {}) });
  }

  send<Args extends unknown[]>(run: string, signal: SignalDefinition<Args>, ...args: Args): void {
    const sent = getExternalWorkflowHandle(run).signal(signal, ...args);
    this.underWay.push(
      sent.then(
        () => undefined,
        () => run,
      ),
    );
  }

  /** Returns when all that was sent has arrived, or has not. */
  async deliver(): Promise<void> {
    for (const [run, { list, trigger }] of this.alerts) this.send(run, alertsAttached, list, trigger);
    this.alerts = new Map();
    const sent = this.underWay;
    this.underWay = [];
    const unreachable = (await Promise.all(sent)).filter((run) => run !== undefined);
    if (unreachable.length > 0) await this.onUnreachable(unreachable);
  }
}
