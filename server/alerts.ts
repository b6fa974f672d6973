import type { AlertRef } from '../core/run';
import { overlap, type Opened } from '../core/coordination';
import { SwitchoverError } from '../core/errors';
import { matchAlert, scopeOf, type Runbook } from '../core/runbook';
import { scopeOfLabels } from '../core/scope';
import { checkRequest } from '../core/runbook-schema';
import type { RunOperations } from '../operations/bounded';
import type { Matter } from './intake';
import type { Lately } from './lately';
import type { Metrics } from './metrics';

/** An alert as every monitoring system's webhook translates it. */
export interface Alert extends AlertRef {
  labels: Readonly<Record<string, string>>;
  firing: boolean;
}

/** Under this and the scope {@link Lately} knows what symptoms of a place are answered. */
const SYMPTOMS = 'symptoms of ';

type Match = NonNullable<ReturnType<typeof matchAlert>>;

/** What became of an alert: a run deals with it, or why none does, or why that is not known yet. */
export type Verdict = Opened | { ignored: string } | { kept: string };

/**
 * Hands alerts over to the runs that answer them. An alert that is sent again joins what its first copy opened, so
 * handing over as often as one likes is safe.
 */
export class AlertDesk {
  constructor(
    private readonly operations: Pick<RunOperations, 'catalogue' | 'openIncident' | 'noteSymptom'>,
    private readonly metrics: Pick<Metrics, 'alerts' | 'runs'>,
    private readonly lately: Lately<Verdict>,
  ) {}

  /** Who is to deal with an alert, and how it is handed over. @throws BAD_INPUT where labels give no valid input */
  matterOf(alert: Alert): Matter<Verdict> {
    const { labels } = alert;
    const match = matchAlert(this.operations.catalogue, labels);
    if (match) return this.faultOf(match, alert);
    const scope = scopeOfLabels(labels);
    const place = scope ? `${SYMPTOMS}${scope}` : 'nowhere';
    return { place, deal: () => this.counted(alert, () => this.note(scope, refOf(alert))) };
  }

  /** Says what is so of alerts that nobody has to deal with; undefined for all others. */
  dismiss(alert: Alert): Verdict | undefined {
    if (alert.firing) return undefined;
    this.metrics.alerts.inc({ source: alert.source, result: 'ignored' });
    return { ignored: 'resolved: a run proves by itself that service is back' };
  }

  private faultOf(match: Match, alert: Alert): Matter<Verdict> {
    const { runbook, input } = match;
    const scope = this.scopeOf(match, alert);
    const open = async (): Promise<Verdict> => {
      const fault = { runbook: runbook.id, input, scope, trigger: 'alert' as const, alert: refOf(alert) };
      try {
        const opened = await this.operations.openIncident(fault);
        if (!opened.joined) this.lately.forget((place) => explained(place, scope));
        const result = opened.joined ? 'joined' : 'started';
        this.metrics.runs.inc({ door: alert.source, runbook: runbook.id, result });
        return opened;
      } catch (error) {
        if (error instanceof SwitchoverError && error.code === 'LEVER_ENGAGED')
          return { ignored: error.message };
        throw explainedTo(error, alert, runbook);
      }
    };
    return { place: `${runbook.id} ${scope}`, deal: () => this.counted(alert, open) };
  }

  private scopeOf({ runbook, input }: Match, alert: Alert): string {
    try {
      checkRequest(runbook, { input });
      return scopeOf(runbook, input);
    } catch (error) {
      this.metrics.alerts.inc({ source: alert.source, result: 'failed' });
      throw explainedTo(error, alert, runbook);
    }
  }

  /** An alert that nothing answers is evidence where something around its place is being dealt with already. */
  private async note(scope: string | undefined, alert: AlertRef): Promise<Verdict> {
    const ignored = `no runbook answers its labels; ${answered(this.operations.catalogue)}`;
    if (!scope) return { ignored };
    try {
      return await this.operations.noteSymptom({ scope, alert });
    } catch (error) {
      if (error instanceof SwitchoverError && error.code === 'NO_RUNBOOK') return { ignored };
      throw error;
    }
  }

  private async counted({ source }: Alert, deal: () => Promise<Verdict>): Promise<Verdict> {
    let result = 'failed';
    try {
      const verdict = await deal();
      result = 'run' in verdict ? (verdict.joined ? 'joined' : 'opened') : 'ignored';
      return verdict;
    } finally {
      this.metrics.alerts.inc({ source, result });
    }
  }
}

function refOf({ source, fingerprint, summary, faultAt }: Alert): AlertRef {
  return { source, fingerprint, summary, faultAt };
}

/** The error about an alert that a runbook answers, for whoever sent it. */
function explainedTo(error: unknown, { labels, fingerprint }: Alert, runbook: Runbook): unknown {
  if (!(error instanceof SwitchoverError)) return error;
  const how = error.code === 'BAD_INPUT' ? `; ${mapping(runbook)}` : '';
  const which = `alert ${labels['alertname'] ?? ''} (${fingerprint})`;
  return new SwitchoverError(error.code, `${which}: ${error.message}${how}`, error.details);
}

/** Whether the symptoms of a place may belong to an incident of this scope. */
function explained(place: string, scope: string): boolean {
  return place.startsWith(SYMPTOMS) && overlap(place.slice(SYMPTOMS.length), scope);
}

/** What opened an incident is joined by whatever comes after it. */
export function joining(verdict: Verdict): Verdict {
  return 'run' in verdict ? { ...verdict, joined: true } : verdict;
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
