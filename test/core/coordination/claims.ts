import type { Claim, Precedence } from '../../../core/coordination';

export const AT = '2026-11-21T12:05:33.412Z';

/** Some time after {@link AT}, ISO. */
export const later = (ms: number): string => new Date(Date.parse(AT) + ms).toISOString();

/** A claim of `run`; what is not said does not matter to the test. */
export function claimOf(run: string, scope: string, precedence: Precedence = 'failover'): Claim {
  const trigger = precedence === 'manual' ? 'manual' : precedence === 'planned' ? 'schedule' : 'alert';
  return { run, scope, precedence, trigger, runbook: `${scope.split('/')[0]}-failover`, since: AT };
}
