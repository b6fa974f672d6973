import { evaluate, type ReadinessChange, type ReadinessView } from '../../core/readiness';
import type { WorldSeen } from '../../core/readiness';
import { catalogue } from '../../operations';
import { beating } from '../beating';
import type { Deps } from '../deps';
import { lookAtWorld } from './looks';

/** Runs from longer ago prove nothing and foretell nothing, ms: a year. */
const PAST_MS = 365 * 86_400_000;

/** An evaluation, and what the next one is to know. */
export interface Evaluated {
  view: ReadinessView;
  /** As the journal told it last; left out where it never did. */
  history?: WorldSeen['history'];
}

/** Evaluates whether the runbooks could be carried out, and tells of it. */
export function readinessActivities(deps: Deps) {
  return {
    /** Looks at everything and judges every runbook. @param ask.history what was known of the past, for a journal that is away */
    evaluateReadiness: beating(async ({ history }: Pick<Evaluated, 'history'>): Promise<Evaluated> => {
      const since = new Date(Date.now() - PAST_MS).toISOString();
      const seen = await lookAtWorld(deps, history, since);
      const view = evaluate(catalogue, deps.config, seen);
      return { view, ...(seen.history ? { history: seen.history } : {}) };
    }),

    /** Writes changes of readiness into the journal, where there is one. @throws JOURNAL_UNREACHABLE */
    recordReadiness: async (changes: ReadinessChange[]): Promise<void> => {
      await deps.books?.readiness(changes);
    },

    /** Tells the first whom one calls what cannot be carried out any more. */
    tellUnready: async ({
      body,
      subject,
      key,
    }: {
      subject: string;
      body: string;
      key: string;
    }): Promise<void> => {
      const { to, webhook } = deps.config.escalation[0]!;
      await deps.notifier.notify(
        { to, webhook, run: `readiness-${deps.config.environment}`, subject, body },
        key,
      );
    },
  };
}
