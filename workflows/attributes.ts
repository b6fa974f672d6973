import { SearchAttributeType, TypedSearchAttributes, defineSearchAttributeKey } from '@temporalio/common';
import { regionOf } from '../core/scope';
import type { Mode, RunState } from '../core/run';

/** By these runs are found in the Temporal UI and listed. Eventually consistent: never a source for a decision. */
export const attributes = {
  runbook: defineSearchAttributeKey('Runbook', SearchAttributeType.KEYWORD),
  scope: defineSearchAttributeKey('Scope', SearchAttributeType.KEYWORD),
  region: defineSearchAttributeKey('Region', SearchAttributeType.KEYWORD),
  severity: defineSearchAttributeKey('Severity', SearchAttributeType.KEYWORD),
  runState: defineSearchAttributeKey('RunState', SearchAttributeType.KEYWORD),
  mode: defineSearchAttributeKey('Mode', SearchAttributeType.KEYWORD),
  incident: defineSearchAttributeKey('Incident', SearchAttributeType.KEYWORD),
} as const;

/** The attributes a run has from its first moment on. */
export function initialAttributes(run: {
  runbook: string;
  scope: string;
  mode: Mode;
  state: RunState;
  incident?: string;
}) {
  const region = regionOf(run.scope);
  return new TypedSearchAttributes([
    { key: attributes.runbook, value: run.runbook },
    { key: attributes.scope, value: run.scope },
    { key: attributes.mode, value: run.mode },
    { key: attributes.runState, value: run.state },
    ...(region ? [{ key: attributes.region, value: region }] : []),
    ...(run.incident ? [{ key: attributes.incident, value: run.incident }] : []),
  ]);
}
