import { Type, type Static } from '@sinclair/typebox';
import { PRECEDENCE, type Incident, type Lock } from '../../core/coordination';
import {
  DECISIONS,
  MODES,
  RUN_STATES,
  TRIGGERS,
  type AlertRef,
  type Change,
  type Decision,
  type Forecast,
  type RunReport,
  type StepRecord,
} from '../../core/run';
import type { RunSummary } from '../../operations';
import { Time, exactly, named, object, oneOf } from './schema';

const RunId = Type.String({ examples: ['node-failover-us-east-1-a-n1-0102-030405'] });
const RunbookId = Type.String({ examples: ['node-failover'] });
const ScopePath = Type.String({ examples: ['node/us-east-1/a/n1'] });

export const AlertSchema = exactly<AlertRef>()(
  object(
    {
      source: Type.String({ examples: ['alertmanager'] }),
      fingerprint: Type.String(),
      summary: Type.String(),
      faultAt: Time,
    },
    { $id: 'Alert' },
  ),
);

export const StepSchema = exactly<StepRecord>()(
  object(
    {
      id: Type.Integer(),
      title: Type.String(),
      kind: oneOf(['look', 'choose', 'act', 'run', 'watch', 'undo', 'escalate']),
      state: oneOf(['running', 'done', 'unchanged', 'would change', 'failed', 'skipped', 'refused']),
      sentence: Type.Optional(Type.String({ description: 'what it did, or why not' })),
      before: Type.Optional(Type.Unknown({ description: 'values observed before' })),
      after: Type.Optional(Type.Unknown({ description: 'values observed after' })),
      startedAt: Time,
      endedAt: Type.Optional(Time),
      attempts: Type.Integer({ description: 'tries by the operator or the runbook' }),
      actedAt: Type.Optional(Time),
      run: Type.Optional(Type.String({ description: 'of a step that is another run: that run' })),
      nested: Type.Optional(named<RunReport>('RunReport')),
    },
    { $id: 'Step' },
  ),
);

const ChangesSchema = Type.Array(
  exactly<Change>()(
    object({
      step: Type.String({ examples: ['Move the database › Fence d1'] }),
      sentence: Type.String(),
    }),
  ),
);

const DecisionSchema = exactly<Decision>()(
  object({
    kind: oneOf(DECISIONS),
    by: Type.String(),
    reason: Type.String(),
    keep: Type.Optional(Type.Boolean()),
    at: Time,
  }),
);

export const ForecastSchema = exactly<Forecast>()(
  object(
    {
      runs: Type.Integer({ description: 'runs that it is taken from; 0: no history yet' }),
      rtoMs: Type.Optional(Type.Number({ description: 'the 95th percentile of these' })),
      loss: Type.Optional(Type.String({ description: 'what would be lost' })),
      rpoMs: Type.Optional(Type.Number()),
      doubt: Type.Optional(Type.String({ description: 'what stood against the runbook' })),
    },
    { description: 'what it was expected to come to as it began' },
  ),
);

export const ReportSchema = exactly<RunReport>()(
  object(
    {
      run: RunId,
      runbook: RunbookId,
      scope: ScopePath,
      mode: oneOf(MODES),
      state: oneOf(RUN_STATES),
      sentence: Type.String({ description: 'the run in one sentence' }),
      input: Type.Record(Type.String(), Type.Unknown()),
      by: Type.String(),
      trigger: oneOf(TRIGGERS),
      reason: Type.Optional(Type.String()),
      incident: Type.Optional(Type.String()),
      under: Type.Optional(Type.String({ description: 'the run whose step this one is' })),
      startedAt: Time,
      endedAt: Type.Optional(Time),
      clock: object(
        {
          faultAt: Type.Optional(Time),
          isolatedAt: Type.Optional(Time),
          provenAt: Type.Optional(Time),
        },
        { description: 'milestones of the recovery-time clock' },
      ),
      objective: object({ rtoMs: Type.Number(), rpoMs: Type.Optional(Type.Number()) }),
      actual: object({
        rtoMs: Type.Optional(Type.Number()),
        rpoMs: Type.Optional(Type.Number()),
        sessionsLost: Type.Optional(Type.Number()),
        rowsLost: Type.Optional(Type.Number()),
      }),
      forecast: Type.Optional(ForecastSchema),
      steps: Type.Array(named<StepRecord>('Step')),
      decisions: Type.Array(DecisionSchema),
      forced: Type.Optional(
        object(
          { by: Type.String(), reason: Type.String(), allows: Type.String() },
          { description: 'who has given up what it does gracefully, and what that allows' },
        ),
      ),
      noReturn: Type.Optional(
        Type.Array(Type.String(), { description: 'why there is no going back, where there is none' }),
      ),
      approvalsMissing: Type.Optional(Type.Integer()),
      alerts: Type.Array(named<AlertRef>('Alert')),
      plan: Type.Optional(
        object({
          mutating: Type.Integer(),
          readOnly: Type.Integer(),
          changes: Type.Array(Type.String()),
        }),
      ),
      compared: Type.Optional(
        object(
          { plan: RunId, agreed: Type.Integer(), unplanned: ChangesSchema, notDone: ChangesSchema },
          { description: 'what a run that was started with a plan did of it' },
        ),
      ),
    },
    { $id: 'RunReport', description: 'A run: what was asked, what was done and seen, and how it stands' },
  ),
);

export const SummarySchema = exactly<RunSummary>()(
  object(
    {
      run: RunId,
      runbook: RunbookId,
      scope: ScopePath,
      mode: Type.String(),
      state: oneOf(RUN_STATES),
      startedAt: Time,
      endedAt: Type.Optional(Time),
    },
    { $id: 'RunSummary' },
  ),
);

export const StartedSchema = object(
  {
    run: RunId,
    joined: Type.Boolean({ description: 'true: the run was there already' }),
    links: object({
      self: Type.String(),
      events: Type.String({ description: 'its reports as server-sent events' }),
      decisions: Type.String(),
      ui: Type.Optional(Type.String({ description: 'the run in the Temporal UI' })),
    }),
  },
  { $id: 'Started' },
);

export const LockSchema = exactly<Lock>()(
  object(
    {
      run: RunId,
      runbook: RunbookId,
      trigger: oneOf(TRIGGERS),
      precedence: oneOf(PRECEDENCE),
      since: Time,
      yieldsTo: Type.Optional(Type.String({ description: 'the run it was asked to make room for' })),
    },
    { $id: 'Lock', description: 'The run that has a scope to itself' },
  ),
);

export const IncidentSchema = exactly<Incident>()(
  object(
    {
      id: Type.String({ examples: ['INC-20300102-0001'] }),
      scope: ScopePath,
      runbook: RunbookId,
      input: Type.Record(Type.String(), Type.Unknown()),
      run: RunId,
      faultAt: Time,
      openedAt: Time,
      alerts: Type.Array(named<AlertRef>('Alert')),
      arrivals: Type.Integer({ description: 'alerts that arrived, repeats included' }),
      places: Type.Optional(
        Type.Array(ScopePath, { description: 'scopes below its own that failed as part of it' }),
      ),
    },
    { $id: 'Incident' },
  ),
);

export type StartedAnswer = Static<typeof StartedSchema>;
