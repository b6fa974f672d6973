import type { EscalationLevel } from './config';
import type { ErrorCode } from './errors';

/** What a run is for: `plan` predicts, `execute` acts, `drill` acts on a fault of its own making. */
export const MODES = ['plan', 'execute', 'drill'] as const;
export type Mode = (typeof MODES)[number];

/** Where a run stands (DESIGN section 3). The second line are ends: a run in one of them is over. */
export const RUN_STATES = [
  ...([
    'waiting for lock',
    'waiting for approval',
    'running',
    'paused',
    'needs attention',
    'rolling back',
    'watching',
  ] as const),
  ...([
    'planned',
    'succeeded',
    'recovered',
    'rolled back',
    'escalated',
    'refused',
    'aborted',
    'absorbed',
    'interrupted',
    'inconclusive',
    'failed',
  ] as const),
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** The states that end a run, with the exit status of a command line that waited for it (DESIGN section 10). */
export const OUTCOMES = {
  planned: 0,
  succeeded: 0,
  recovered: 0,
  failed: 1,
  'rolled back': 3,
  aborted: 3,
  interrupted: 3,
  escalated: 4,
  refused: 5,
  absorbed: 5,
  inconclusive: 7,
} as const satisfies Partial<Record<RunState, number>>;
export type Outcome = keyof typeof OUTCOMES;

/** Whether a run in this state is over. */
export function isOver(state: RunState): state is Outcome {
  return Object.hasOwn(OUTCOMES, state);
}

/** Who or what asked for a run. `unknown`: started in the Temporal UI, which names nobody. */
export const TRIGGERS = ['manual', 'alert', 'monitor', 'schedule', 'unknown'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** The one JSON object every runbook takes, whichever door it came through. */
export interface RunRequest<Input = Record<string, unknown>> {
  input: Input;
  /** Default `execute`. */
  mode?: Mode;
  /** Why, in a person's words; ends up in the audit and the report. */
  reason?: string;
  /** Who, where the door does not know better. */
  by?: string;
}

/** What a door vouches for when it starts a run. Travels as memo, which no start form can fill in. */
export interface Warrant {
  /** Who: a token's name, a system's name. */
  by: string;
  trigger: Trigger;
  /** The incident the run answers. */
  incident?: { id: string; faultAt: string; alerts: AlertRef[] };
  /** Runs that have to make room first: this one begins when the coordinator says that it has its scope. */
  waitsFor?: string[];
  /** Why automation has to ask a person before it acts this time. */
  doubt?: string;
  /** The run whose step this one is. */
  under?: string;
  /** Set by the coordinator: it holds the scope's lock for the run, and has checked the request. */
  granted?: Briefing;
}

/** What a run has to know of its environment before its first step. */
export interface Briefing {
  /** The objective the run is measured against, milliseconds. */
  rtoMs: number;
  escalation: EscalationLevel[];
  /** How often a node is restarted before it is replaced. */
  restarts: number;
  /** Weights, percent, through which traffic comes back. */
  ramp: number[];
  /** How long a zone that is whole again is held out, milliseconds. */
  zoneHoldMs: number;
}

/** An alert that led to a run or was attached to one. */
export interface AlertRef {
  /** `monitor`, `alertmanager`, … */
  source: string;
  /** Same fault, same source → same fingerprint. */
  fingerprint: string;
  summary: string;
  /** ISO time at which the fault was first observed by the source. */
  faultAt: string;
}

/** How an act is to be carried out; handed to every mutating activity. */
export interface Intent {
  /** In `plan` the activity looks, compares, and predicts instead of acting. */
  mode: Mode;
  /** The same on every retry of the step: run and step. */
  key: string;
}

/** What an act did, would do (plan), or found already done. The sentence is shown everywhere (STYLE rule 1). */
export interface Deed<Evidence = unknown> {
  /** False: the world was already so, nothing was sent. In plan mode: whether it would be sent. */
  changed: boolean;
  sentence: string;
  before?: Evidence;
  after?: Evidence;
  /** ISO time at which the act was sent, where one was. */
  at?: string;
}

/** What a look found. */
export interface Finding<Value = unknown> {
  sentence: string;
  value: Value;
}

/** Why something must not be done. `code` is GUARD_REFUSED unless a narrower one fits. */
export interface Refusal {
  guard: string;
  sentence: string;
  code?: ErrorCode;
}

export type StepState = 'running' | 'done' | 'unchanged' | 'would change' | 'failed' | 'skipped' | 'refused';

/** One line of a run's timeline. */
export interface StepRecord {
  /** Position, 1-based; undo steps come after the steps they undo. */
  id: number;
  title: string;
  /** `run`: another runbook, carried out as a step of this one. */
  kind: 'look' | 'choose' | 'act' | 'run' | 'watch' | 'undo' | 'escalate';
  state: StepState;
  sentence?: string;
  /** Observed values before and after, as the activity returned them. */
  before?: unknown;
  after?: unknown;
  startedAt: string;
  endedAt?: string;
  /** Tries by the operator or the runbook, 1 = the first. Retries of an activity inside a try are not counted. */
  attempts: number;
  /** When the act was sent, by the clock of the worker that sent it. */
  actedAt?: string;
  /** Of a step that is another run: its id, and its report once it is over. */
  run?: string;
  nested?: RunReport;
}

/** What an operator may tell a run. */
export const DECISIONS = [
  'approve',
  'reject',
  'pause',
  'resume',
  'abort',
  'skip',
  'retry',
  'acknowledge',
] as const;
export type DecisionKind = (typeof DECISIONS)[number];

/** A decision as sent: who and why are never optional. */
export interface DecisionRequest {
  by: string;
  reason: string;
  /** With `abort`: leave what was done as it is instead of undoing it. */
  keep?: boolean;
}

/** A decision as recorded. */
export interface Decision extends DecisionRequest {
  kind: DecisionKind;
  at: string;
}

/** Milestones of the RTO clock, ISO times (DESIGN section 3: from first observation to proven healthy for clients). */
export interface Clock {
  faultAt?: string;
  /** The load balancer no longer sends it traffic. */
  isolatedAt?: string;
  /** Full service again, proven from the client's side. */
  provenAt?: string;
}

/** The result of a run: what the CLI prints with `--json`, the API returns and the pages show. */
export interface RunReport {
  run: string;
  runbook: string;
  scope: string;
  mode: Mode;
  state: RunState;
  /** The run in one sentence; while it goes on, what it is doing or waiting for. */
  sentence: string;
  input: Record<string, unknown>;
  by: string;
  trigger: Trigger;
  reason?: string;
  incident?: string;
  /** The run whose step this one is. */
  under?: string;
  startedAt: string;
  endedAt?: string;
  clock: Clock;
  /** Milliseconds; `rto` against `rtoMs` of the clock, sessions and acknowledged rows of the database against 0. */
  objective: { rtoMs: number };
  actual: { rtoMs?: number; sessionsLost?: number; rowsLost?: number };
  steps: StepRecord[];
  decisions: Decision[];
  /** What a run waiting for approval still needs. */
  approvalsMissing?: number;
  alerts: AlertRef[];
  /** Plan mode: what an execution would do. */
  plan?: { mutating: number; readOnly: number; changes: string[] };
}
