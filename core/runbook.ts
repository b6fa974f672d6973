import { SwitchoverError } from './errors';
import type { Runbook } from './runbook-schema';
import { scopeOfPlace } from './scope';

export type { Runbook };

/** What a system is called of which an environment has one, where its runbook does not say. */
const ONLY = 'main';

/** The name of the runbook's workflow type: `node-failover` → `nodeFailover`. */
export function workflowType(id: string): string {
  return id.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The scope a run with this (valid) input locks. */
export function scopeOf(runbook: Runbook, input: Record<string, unknown>): string {
  const { kind, input: field, name = ONLY } = runbook.scope;
  if (field === undefined) return kind === 'global' ? kind : `${kind}/${name}`;
  const { required = [] } = runbook.input as { required?: string[] };
  if (!required.includes(field) && input[field] === undefined) return 'global';
  const path = String(input[field]);
  return kind === 'place' ? scopeOfPlace(path) : `${kind}/${path}`;
}

/** The entry of the environment's objectives that a run with this (valid) input is measured against. */
export function objectiveOf(
  { objective, objectiveInput: field }: Runbook,
  input: Record<string, unknown>,
): string {
  return field === undefined ? objective : `${objective}-${String(input[field])}`;
}

/** The runbook of this id. @throws UNKNOWN_RUNBOOK */
export function findRunbook(catalogue: readonly Runbook[], id: string): Runbook {
  const found = catalogue.find((runbook) => runbook.id === id);
  if (found) return found;
  throw new SwitchoverError(
    'UNKNOWN_RUNBOOK',
    `"${id}" is not a runbook; there are ${catalogue.map((runbook) => runbook.id).join(', ')}`,
  );
}

/** The runbook that answers an alert with these labels, with its input; null where none does. */
export function matchAlert(
  catalogue: readonly Runbook[],
  labels: Readonly<Record<string, string>>,
): { runbook: Runbook; input: Record<string, unknown> } | null {
  for (const runbook of catalogue) {
    for (const { match, input } of runbook.alerts) {
      if (!Object.entries(match).every(([label, value]) => labels[label] === value)) continue;
      return {
        runbook,
        input: Object.fromEntries(Object.entries(input).map(([field, label]) => [field, labels[label]])),
      };
    }
  }
  return null;
}
