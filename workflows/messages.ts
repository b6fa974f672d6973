import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  Answered,
  Coordination,
  Grant,
  Holding,
  Lever,
  LeverChange,
  Release,
  ReportedFault,
  StartRequest,
  Started,
  Symptom,
  Yield,
} from '../core/coordination';
import type { Books, Missed } from '../core/missed';
import type { ReadinessView } from '../core/readiness';
import type { AlertRef, DecisionKind, DecisionRequest, RunReport, Trigger } from '../core/run';

/** The queue of all workflows and of activities that any region may carry out. */
export const TASK_QUEUE = 'switchover';

/** The queue of what has to be done from this very region. */
export function regionQueue(region: string): string {
  return `${TASK_QUEUE}-${region}`;
}

/** The run so far; after its end, its result. */
export const report = defineQuery<RunReport>('report');

/** What an operator may tell a run. Each answers with one sentence: what follows from it. */
export const decisions = {
  approve: defineUpdate<string, [DecisionRequest]>('approve'),
  reject: defineUpdate<string, [DecisionRequest]>('reject'),
  pause: defineUpdate<string, [DecisionRequest]>('pause'),
  resume: defineUpdate<string, [DecisionRequest]>('resume'),
  abort: defineUpdate<string, [DecisionRequest]>('abort'),
  force: defineUpdate<string, [DecisionRequest]>('force'),
  skip: defineUpdate<string, [DecisionRequest]>('skip'),
  retry: defineUpdate<string, [DecisionRequest]>('retry'),
  acknowledge: defineUpdate<string, [DecisionRequest]>('acknowledge'),
} as const satisfies Record<DecisionKind, unknown>;

/** To a run: more alerts of its incident; with the trigger where one of them would have started this very runbook. */
export const alertsAttached = defineSignal<[AlertRef[], Trigger?]>('alertsAttached');

/** To a run that waits: the scope is its own now. */
export const scopeGranted = defineSignal('scopeGranted');

/** To a run: make room at the next step boundary. */
export const yieldTo = defineSignal<[Yield]>('yieldTo');

/** To an automatic run: the safety lever was engaged, or released (null). */
export const leverMoved = defineSignal<[Lever | null]>('leverMoved');

/** The one coordinator of an environment. */
export const coordinatorId = (environment: string) => `coordinator-${environment}`;
export const monitorId = (environment: string, region: string) => `monitor-${environment}-${region}`;

/**
 * Opens an incident and starts its run, or joins the one that already deals with it; for several faults at once. A symptom
 * joins or is answered with NO_RUNBOOK.
 */
export const openIncidents = defineUpdate<Answered[], [(ReportedFault | Symptom)[]]>('openIncidents');

/** Starts a run under its scope's lock, or joins the run of the same runbook that holds it. */
export const startRun = defineUpdate<Started, [StartRequest]>('startRun');

/** Asked by a run that was started past the coordinator, e.g. in the Temporal UI. */
export const acquire = defineUpdate<Grant, [Omit<StartRequest, 'input' | 'by'>]>('acquire');

/** Engages or releases the safety lever; the answer is a sentence. */
export const moveLever = defineUpdate<string, [LeverChange]>('moveLever');

/** A run has begun under the lock that was taken for it: recorded where the coordinator died before it could. */
export const holds = defineUpdate<void, [Holding]>('holds');

/** A run that waits for rescues lets them have its scope; {@link scopeGranted} says when it has it back. */
export const lendScope = defineUpdate<void, [Holding]>('lendScope');

/**
 * A run has ended. An update like all that comes to the coordinator, not a signal: one that comes in while the coordinator
 * begins a new history would keep it from doing so.
 */
export const released = defineUpdate<void, [Release]>('released');

/** The environment file may have changed: read what it says of coordination again. */
export const rulesChanged = defineSignal('rulesChanged');

/** All that the coordinator knows. */
export const coordination = defineQuery<Coordination>('coordination');

/** The one that evaluates readiness in an environment, and the one that keeps its journal's books. */
export const readinessId = (environment: string) => `readiness-${environment}`;
export const bookkeeperId = (environment: string) => `bookkeeper-${environment}`;

/** How the runbooks stand, as it was last evaluated; null before the first time. */
export const readiness = defineQuery<ReadinessView | null>('readiness');

/** Look at everything now; the answer is how the runbooks stand then. */
export const lookAgain = defineUpdate<ReadinessView>('lookAgain');

/** Who holds what, and who waits for whom and why, in sentences. */
export const explanation = defineQuery<string[]>('explain');

/** The one timekeeper of an environment. */
export const timekeeperId = (environment: string) => `timekeeper-${environment}`;

/** To the timekeeper: catalogue or environment file may have changed, plan the schedules again. */
export const schedulesChanged = defineSignal('schedulesChanged');

/** To the timekeeper: a run that was due is over, or was not to be had. */
export const tickEnded = defineSignal<[{ schedule: string; missed?: Missed }]>('tickEnded');

/** Runs that were due and have not been. */
export const missedRuns = defineQuery<Books>('missedRuns');
