import type { AlertRef } from '../core/run';
import type { Opened } from '../core/coordination';
import { SwitchoverError } from '../core/errors';
import { matchAlert, scopeOf, type Runbook } from '../core/runbook';
import { scopeOfLabels } from '../core/scope';
import { checkRequest } from '../core/runbook-schema';
import type { RunOperations } from '../operations/bounded';
import type { Metrics } from './metrics';

/** An alert as every monitoring system's webhook translates it. */
export interface Alert extends AlertRef {
  labels: Readonly<Record<string, string>>;
  firing: boolean;
}

/** What became of an alert: a run deals with it, or why none does. */
export type Verdict = Opened | { ignored: string };

/**
 * Hands alerts over to the runs that answer them. An alert that is sent again joins what its first copy opened, so
 * handing over as often as one likes is safe.
 */
export class AlertDesk {
  constructor(
    private readonly operations: Pick<RunOperations, 'catalogue' | 'openIncident' | 'noteSymptom'>,
    private readonly metrics: Pick<Metrics, 'alerts' | 'runs'>,
  ) {}

  /** @throws BAD_INPUT where labels give no valid input; TEMPORAL_UNREACHABLE: send it again */
  async take(alert: Alert): Promise<Verdict> {
    let result = 'failed';
    try {
      const verdict = await this.decide(alert);
      result = 'ignored' in verdict ? 'ignored' : verdict.joined ? 'joined' : 'opened';
      return verdict;
    } finally {
      this.metrics.alerts.inc({ source: alert.source, result });
    }
  }

  /** An alert that nothing answers is evidence where something around its place is being dealt with already. */
  private async note(labels: Alert['labels'], alert: AlertRef): Promise<Verdict> {
    const ignored = `no runbook answers its labels; ${answered(this.operations.catalogue)}`;
    const scope = scopeOfLabels(labels);
    if (!scope) return { ignored };
    try {
      return await this.operations.noteSymptom({ scope, alert });
    } catch (error) {
      if (error instanceof SwitchoverError && error.code === 'NO_RUNBOOK') return { ignored };
      throw error;
    }
  }

  private async decide({ labels, firing, ...alert }: Alert): Promise<Verdict> {
    if (!firing) return { ignored: 'resolved: a run proves by itself that service is back' };
    const match = matchAlert(this.operations.catalogue, labels);
    if (!match) return this.note(labels, alert);
    const { runbook, input } = match;
    try {
      checkRequest(runbook, { input });
      const scope = scopeOf(runbook, input);
      const opened = await this.operations.openIncident({
        runbook: runbook.id,
        input,
        scope,
        trigger: 'alert',
        alert,
      });
      const result = opened.joined ? 'joined' : 'started';
      this.metrics.runs.inc({ door: alert.source, runbook: runbook.id, result });
      return opened;
    } catch (error) {
      if (!(error instanceof SwitchoverError)) throw error;
      if (error.code === 'LEVER_ENGAGED') return { ignored: error.message };
      const which = `alert ${labels['alertname'] ?? ''} (${alert.fingerprint})`;
      const how = error.code === 'BAD_INPUT' ? `; ${mapping(runbook)}` : '';
      throw new SwitchoverError(error.code, `${which}: ${error.message}${how}`, error.details);
    }
  }
}

/** Where a runbook's input comes from, for whoever sent labels that do not give it. */
function mapping({ alerts }: Runbook): string {
  const fields = alerts.flatMap(({ input }) =>
    Object.entries(input).map(([field, label]) => `input.${field} is taken from label "${label}"`),
  );
  return [...new Set(fields)].join(', ');
}

/** The alerts that start something, for whoever sent another. */
function answered(catalogue: readonly Runbook[]): string {
  const matches = catalogue.flatMap(({ id, alerts }) =>
    alerts.map(({ match }) => {
      const labels = Object.entries(match).map(([label, value]) => `${label}="${value}"`);
      return `${labels.join(' and ')} (${id})`;
    }),
  );
  return `answered are ${matches.join(', ')}`;
}
