import { millis, type EscalationLevel } from '../core/config';
import type { Grant, StartRequest } from '../core/coordination';
import { SwitchoverError } from '../core/errors';
import { parseScope } from '../core/scope';
import { findNode, regionConfig } from '../core/topology';
import { coordinatorId } from '../workflows/messages';
import type { Deps } from './deps';
import type { Notice } from './ports';

/** What a run has to know of its environment before its first step. */
export interface Briefing {
  /** Workflow id of the environment's coordinator. */
  coordinator: string;
  /** The objective the run is measured against, milliseconds. */
  rtoMs: number;
  escalation: EscalationLevel[];
  restarts: number;
  /** Weights, percent, through which traffic comes back. */
  ramp: number[];
}

/** Activities every run needs, whatever its runbook. */
export function engineActivities(deps: Deps) {
  const { config } = deps;
  return {
    /** @throws UNKNOWN_TARGET where the scope names nothing of the environment. */
    async briefing({ objective, scope }: { objective: string; scope: string }): Promise<Briefing> {
      checkTarget(deps, scope);
      const promised = (config.objectives as Record<string, { rto: string } | undefined>)[objective];
      if (!promised)
        throw new SwitchoverError(
          'BAD_CONFIG',
          `objectives.${objective}: is missing (for example {"rto": "5s"})`,
        );
      const { restarts, ramp } = config.policies;
      const coordinator = coordinatorId(config.environment);
      return { coordinator, rtoMs: millis(promised.rto), escalation: config.escalation, restarts, ramp };
    },

    /** Takes the scope's lock for a run that was started past the coordinator. */
    async acquireScope(claim: Omit<StartRequest, 'input' | 'by'>): Promise<Grant> {
      return deps.operations.acquire(claim);
    },

    async notifyPeople({ notice, key }: { notice: Notice; key: string }): Promise<void> {
      await deps.notifier.notify(notice, key);
    },
  };
}

function checkTarget({ config }: Deps, scope: string): void {
  const parsed = parseScope(scope);
  if (parsed?.kind === 'node') findNode(config, parsed.path.join('/'));
  else if (parsed?.path[0]) regionConfig(config, parsed.path[0]);
}
