import type { Decision, Mode, RunReport, RunState, StepRecord, Trigger } from './run';
import { isOver } from './run';
import { kindOf, regionOf } from './scope';

/**
 * What the journal keeps of runs (DESIGN section 8, REQUIREMENTS S1, M2): pure readings of their reports. Who writes them is
 * activities/adapters/postgres-records.ts.
 */

/** A run that is over, as reports of many runs need it. Times ISO, durations in ms. */
export interface RunRecord {
  run: string;
  runbook: string;
  scope: string;
  /** The kind of its scope: `zone`, `database`. */
  level: string;
  region?: string;
  mode: Mode;
  state: RunState;
  trigger: Trigger;
  by: string;
  startedAt: string;
  endedAt: string;
  faultAt?: string;
  /** From the fault to proven, where the run has a clock; of those that have none see {@link workMs}. */
  rtoMs?: number;
  objectiveMs: number;
  /** From its first step to its last: what it waited for locks and approvals before is left out. */
  workMs: number;
  sessionsLost?: number;
  rowsLost?: number;
  /** Whether it did anything: one that found nothing to do has proven nothing. */
  acted: boolean;
}

/** One line of the audit: who did what, when and why. */
export interface AuditEntry {
  /** The same thing has the same key, however often it is handed over. */
  key: string;
  /** ISO time. */
  at: string;
  kind: 'started' | 'decided' | 'ended' | 'lever';
  by: string;
  /** What was done, in a sentence that names its door. */
  what: string;
  reason?: string;
  run?: string;
}

/** A move of the safety lever. */
export interface LeverMove {
  engaged: boolean;
  by: string;
  reason: string;
  /** ISO time. */
  at: string;
}

/** What is known of a run besides its report. */
export interface Origin {
  /** The door that it was asked for at, where that is known. */
  door?: string;
}

/** Doors by what stands behind a run, where nobody says it better. */
const DOORS: Record<Trigger, string> = {
  alert: 'a webhook',
  monitor: 'the monitor',
  schedule: 'a schedule',
  manual: 'a command line or the API',
  unknown: 'the Temporal UI',
};

/** Kinds of steps that change the world. */
const ACTS: readonly StepRecord['kind'][] = ['act', 'run'];

/** The run as the journal keeps it; null while it goes on. */
export function recordOf(report: RunReport): RunRecord | null {
  const { state, endedAt, actual, clock, objective, steps, scope } = report;
  if (!isOver(state) || endedAt === undefined) return null;
  const region = regionOf(scope);
  const { run, runbook, mode, trigger, by, startedAt } = report;
  return {
    run,
    runbook,
    scope,
    level: kindOf(scope),
    ...(region === undefined ? {} : { region }),
    mode,
    state,
    trigger,
    by,
    startedAt,
    endedAt,
    ...(clock.faultAt === undefined ? {} : { faultAt: clock.faultAt }),
    ...(actual.rtoMs === undefined ? {} : { rtoMs: actual.rtoMs }),
    objectiveMs: objective.rtoMs,
    workMs: worked(steps),
    ...(actual.sessionsLost === undefined ? {} : { sessionsLost: actual.sessionsLost }),
    ...(actual.rowsLost === undefined ? {} : { rowsLost: actual.rowsLost }),
    acted: mode !== 'plan' && steps.some(({ kind, state: end }) => ACTS.includes(kind) && end === 'done'),
  };
}

/** Everything of a run that the audit has, as far as the run is: that it was started, each decision, and how it ended. */
export function auditOf(report: RunReport, origin: Origin = {}): AuditEntry[] {
  const { run, runbook, scope, mode, by, trigger, reason, startedAt, decisions } = report;
  const { under, incident, state, sentence, endedAt } = report;
  const door = under === undefined ? (origin.door ?? DOORS[trigger]) : `its run ${under}`;
  const about = incident === undefined ? '' : `, incident ${incident}`;
  const ended = isOver(state) && endedAt !== undefined;
  return [
    {
      key: `${run}/started`,
      at: startedAt,
      kind: 'started',
      by,
      what: `started ${runbook} on ${scope} (${mode}) through ${door}${about}`,
      ...(reason === undefined ? {} : { reason }),
      run,
    },
    ...decisions.map((decision, i) => decided(run, decision, i + 1)),
    ...(ended
      ? [
          {
            key: `${run}/ended`,
            at: endedAt,
            kind: 'ended' as const,
            by: runbook,
            what: `${state}: ${sentence}`,
            run,
          },
        ]
      : []),
  ];
}

/** The audit's line of a move of the lever. */
export function auditOfLever({ engaged, by, reason, at }: LeverMove): AuditEntry {
  const what = engaged ? 'engaged the safety lever' : 'released the safety lever';
  return { key: `lever/${at}`, at, kind: 'lever', by, what, reason };
}

function decided(run: string, { kind, by, reason, at, keep }: Decision, nth: number): AuditEntry {
  const what = keep ? `${kind}, leaving what was done` : kind;
  return { key: `${run}/decided/${nth}`, at, kind: 'decided', by, what, reason, run };
}

function worked(steps: readonly StepRecord[]): number {
  const times = steps.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt ?? startedAt]).map(Date.parse);
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
}

/** What the runs of a runbook came to so far. */
export interface History {
  /** How many runs and drills acted and reached their end. */
  runs: number;
  /** Of these, milliseconds at the 95th percentile: fault to proven, else of their work. Undefined for none. */
  p95Ms?: number;
  /** When the last of them ended; ISO time. */
  provenAt?: string;
}

/** Recovery of one runbook at one level over a period (M2). Durations in ms; left out where there is nothing to say. */
export interface RecoveryRow {
  runbook: string;
  level: string;
  region?: string;
  /** Executed runs that acted or failed: faults that were answered. */
  count: number;
  /** Of these, that were proven to have recovered. */
  recovered: number;
  mttrP50Ms?: number;
  mttrP95Ms?: number;
  /** Between one fault and the next. */
  mtbfMs?: number;
  objectiveMs: number;
  /** Runs within their objective. */
  rtoAchieved: number;
  /** Runs that lost nothing, of those that have counted what they lost. */
  rpoAchieved: number;
  rpoCounted: number;
}
