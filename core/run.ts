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
  /** The plan that this run carries out, where it was started with one. */
  planned?: Planned;
  /** Who has forced that one already, and why: this one begins forced, where it can be. */
  forced?: Forced;
  /** The door that it was asked for at: `the API`, `the command line`; left out where the trigger says it. */
  door?: string;
  /** Set by the coordinator: it holds the scope's lock for the run, and has checked the request. */
  granted?: Briefing;
  /** Set by the coordinator: the run's first act is begun as soon as the run exists, so that nothing may come before it. */
  begun?: boolean;
}

/** Who has forced a run, and why. */
export interface Forced {
  by: string;
  reason: string;
}

/** What a run begun now would come to, by what is known of runs before it and of the stores at this moment. */
export interface Forecast {
  /** How many runs that came to a good end it is taken from: 0, no history yet. */
  runs: number;
  /** Milliseconds from fault to proven, at the 95th percentile of these. */
  rtoMs?: number;
  /** What would be lost, in words: `no acknowledged row`; left out where nobody can tell or the question does not arise. */
  loss?: string;
  /** The same as time, milliseconds. */
  rpoMs?: number;
  /** What stands against the runbook, in a sentence; left out where it was ready. */
  doubt?: string;
}

/** What a run has to know of its environment before its first step. */
export interface Briefing {
  /** The objective the run is measured against, milliseconds. */
  rtoMs: number;
  /** As the last evaluation of readiness had it; left out where this worker knows of none. */
  forecast?: Forecast;
  /** And for how long before the fault data may be lost, milliseconds, where the objective says so. */
  rpoMs?: number;
  escalation: EscalationLevel[];
  /** How often a node is restarted before it is replaced. */
  restarts: number;
  /** Weights, percent, through which traffic comes back. */
  ramp: number[];
  /** How long a zone that is whole again is held out, milliseconds. */
  zoneHoldMs: number;
  /** Regions that have workers of their own, as far as was known; left out where nobody knew. */
  attended?: string[];
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
  'force',
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

/** A change, as a plan predicts it or as a run made it. */
export interface Change {
  /** The titles of its step and of those around it: `Move the database › Fence d1`. */
  step: string;
  /** What would be changed, or was. */
  sentence: string;
}

/** What somebody agreed to before a run was started. */
export interface Planned {
  /** The run that made the plan. */
  plan: string;
  changes: Change[];
}

/** What a run did of its plan. */
export interface Compared {
  plan: string;
  /** Changes that were predicted, and made or found made: so they are by a try that could not tell of it any more. */
  agreed: number;
  /** That were made and not predicted. */
  unplanned: Change[];
  /** That were predicted and not made. */
  notDone: Change[];
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
  objective: { rtoMs: number; rpoMs?: number };
  /** `rpoMs`: of how long before the fault what was committed is lost, where that was measured. */
  actual: { rtoMs?: number; rpoMs?: number; sessionsLost?: number; rowsLost?: number };
  /** What it was expected to come to as it began. */
  forecast?: Forecast;
  steps: StepRecord[];
  decisions: Decision[];
  /** Who has said that what it does gracefully is given up, and what that allows. */
  forced?: Forced & { allows: string };
  /** Why there is no going back, where an act that cannot be undone was begun; newest last. */
  noReturn?: string[];
  /** What a run waiting for approval still needs. */
  approvalsMissing?: number;
  alerts: AlertRef[];
  /** Plan mode: what an execution would do. */
  plan?: { mutating: number; readOnly: number; changes: string[] };
  /** Of a run that was started with a plan, once it is over: what it did of it. */
  compared?: Compared;
}
