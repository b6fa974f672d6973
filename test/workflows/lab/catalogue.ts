import { Type } from '@sinclair/typebox';
import type { Runbook } from '../../../core/runbook';

const declared: Omit<Runbook, 'id' | 'onFailure' | 'approvals'> = {
  title: 'Lab',
  what: 'Plays the lines of its input, one step of a run a line.',
  kind: 'failover',
  scope: { kind: 'node', input: 'node' },
  objective: 'node',
  risk: 'low',
  input: Type.Object({ node: Type.String(), lines: Type.Array(Type.Any()) }, { additionalProperties: false }),
  example: { node: 'us-east-1/a/n1', lines: [] },
  alerts: [],
};

/** Stands in for `runbooks/catalogue.json` in the lab's bundle. */
const catalogue: readonly Runbook[] = [
  { ...declared, id: 'lab-ask', onFailure: 'ask', approvals: {} },
  { ...declared, id: 'lab-undo', onFailure: 'undo', approvals: {} },
  {
    ...declared,
    id: 'lab-forced',
    onFailure: 'ask',
    approvals: {},
    forced: 'what is done gracefully is given up for the forced way',
  },
  {
    ...declared,
    id: 'lab-approval',
    onFailure: 'undo',
    approvals: { unknown: { quorum: 2, timeout: '30m' } },
  },
  {
    ...declared,
    id: 'lab-planned',
    kind: 'fleet',
    onFailure: 'undo',
    approvals: {},
    // The environment file has to say for which node.
    schedules: [{ cron: '* * * * * * *', overlap: 'buffer all', catchUp: '1m', pauseOnFailure: true }],
  },
  {
    ...declared,
    id: 'lab-fleet',
    kind: 'fleet',
    onFailure: 'ask',
    approvals: {},
    scope: { kind: 'zone', input: 'zone' },
    input: Type.Object({ zone: Type.String(), lines: Type.Array(Type.Any()) }),
    example: { zone: 'us-east-1/a', lines: [] },
  },
  {
    ...declared,
    id: 'component-drill',
    kind: 'drill',
    scope: { kind: 'drill' },
    onFailure: 'undo',
    approvals: {},
    input: Type.Object({ node: Type.String(), seconds: Type.Optional(Type.Integer()) }),
  },
  {
    ...declared,
    id: 'lab-waits',
    kind: 'deploy',
    onFailure: 'ask',
    whenRescued: 'waits',
    approvals: { unknown: { quorum: 1, timeout: '30m' } },
    scope: { kind: 'zone', input: 'zone' },
    input: Type.Object({ zone: Type.String(), lines: Type.Array(Type.Any()) }),
    example: { zone: 'us-east-1/a', lines: [] },
  },
  {
    ...declared,
    id: 'lab-zone',
    onFailure: 'ask',
    forced: 'what is done gracefully is given up for the forced way',
    approvals: {},
    scope: { kind: 'zone', input: 'zone' },
    whenDegraded: true,
    input: Type.Object({ zone: Type.String(), lines: Type.Optional(Type.Array(Type.Any())) }),
    example: { zone: 'us-east-1/a' },
  },
];

export default catalogue;
