import { createHash } from 'node:crypto';
import {
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import {
  nothingOpen,
  runId,
  type Answered,
  type Coordination,
  type Fault,
  type Grant,
  type Holding,
  type LeverChange,
  type Opened,
  type Release,
  type ReportedFault,
  type StartRequest,
  type Started,
  type Symptom,
} from '../core/coordination';
import { SwitchoverError, isErrorCode } from '../core/errors';
import { isOver, type DecisionKind, type DecisionRequest, type RunReport, type RunState } from '../core/run';
import { findRunbook, scopeOf, type Runbook } from '../core/runbook';
import { checkRequest } from '../core/runbook-schema';
import type { Missed } from '../core/missed';
import type { Way } from '../core/ways';
import { sendDecision } from './decide';
import { attributes } from '../workflows/attributes';
import {
  TASK_QUEUE,
  acquire,
  coordination,
  coordinatorId,
  explanation,
  holds,
  lendScope,
  moveLever,
  openIncidents,
  released,
  report,
  rulesChanged,
  schedulesChanged,
  startRun,
  tickEnded,
  timekeeperId,
} from '../workflows/messages';
import type { RunSummary, StartAsk } from './asks';
import { Batcher } from './batch';
import { Happenings } from './happenings';
import { launch } from './launch';
import { plannedBy } from './planned';
import { listSchedules, pauseSchedule, tickOf, type ScheduleMove, type ScheduleView } from './schedules';
import { waysFrom, waysId } from './ways';

export type { RunSummary, StartAsk } from './asks';
export { TASK_QUEUE } from '../workflows/messages';
export { catalogue, connect, loadConfig, temporalOptions } from './connect';

/** A run that is followed is looked at so often though nothing happens, ms: its workers, or Temporal, may be away. */
const SILENCE_MS = 2_000;

/** How long a batch of faults may take. */
const FAULTS_MS = 10_000;

/**
 * All that a door may do with runs. Server, CLI and monitor use this and nothing else of Temporal, so that every door
 * checks, joins and reports alike.
 */
export class Operations {
  /** A storm of faults travels in few updates: Temporal takes ten at once from all doors together. */
  private readonly faults = new Batcher<ReportedFault | Symptom, Answered>({
    send: (faults) =>
      this.client.withDeadline(Date.now() + FAULTS_MS, () => this.coordinate(openIncidents, faults)),
    inFlight: 1,
    size: 100,
    waiting: 2_000,
    patienceMs: FAULTS_MS / 2,
  });

  constructor(
    private readonly client: Client,
    protected readonly environment: string,
    readonly catalogue: readonly Runbook[],
  ) {}

  /**
   * Starts a run, or joins the one that the key names or that already works on the scope.
   * @throws BAD_INPUT, UNKNOWN_RUNBOOK, UNKNOWN_TARGET, LOCK_HELD, KEY_REUSED, UNKNOWN_RUN for a plan that there is not; nothing was
   * started then.
   */
  async start(ask: StartAsk): Promise<Started> {
    const runbook = findRunbook(this.catalogue, ask.runbook);
    const { input, mode = 'execute', by, door, reason, trigger = 'manual', under, as } = ask;
    checkRequest(runbook, { input, mode, by, ...(reason === undefined ? {} : { reason }) });
    const scope = scopeOf(runbook, input);
    const digest = createHash('sha256')
      .update(JSON.stringify([runbook.id, input, mode]))
      .digest('hex')
      .slice(0, 16);
    const named = under?.as ?? as ?? (ask.key && keyedRun(runbook.id, ask.key));
    const run = named || runId(runbook.id, scope, new Date().toISOString());
    if (named && (await this.exists(run, digest))) return { run, joined: true };
    const because = reason === undefined ? {} : { reason };
    const beneath = {
      ...(under && { under: under.run, ...(under.forced && { forced: under.forced }) }),
      ...(door === undefined ? {} : { door }),
    };
    if (mode === 'plan') {
      const warrant = { by, trigger, ...beneath };
      await launch(this.client, {
        run,
        runbook: runbook.id,
        scope,
        request: { input, mode, ...because },
        warrant,
        digest,
      });
      return { run, joined: false };
    }
    const planned =
      ask.plan === undefined ? undefined : plannedBy(await this.show(ask.plan), runbook.id, input);
    const request: StartRequest = {
      run,
      runbook: runbook.id,
      input,
      scope,
      mode,
      trigger,
      by,
      digest,
      ...because,
      ...beneath,
      ...(planned && { planned }),
    };
    return this.coordinate(startRun, request);
  }

  /** Does what is asked, and gives up waiting for Temporal when the signal says so. */
  async until<Answer>(signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
    return this.client.withAbortSignal(signal, ask);
  }

  /** Adds an alert that no runbook answers to the open incident it is part of. @throws NO_RUNBOOK where there is none */
  async noteSymptom(symptom: Symptom): Promise<Opened> {
    return opened(await this.faults.ask(symptom));
  }

  /** Opens an incident or joins the one that covers its scope. @throws LEVER_ENGAGED: kept until it is released, and as {@link start} */
  async openIncident(fault: Fault): Promise<Opened> {
    checkRequest(findRunbook(this.catalogue, fault.runbook), { input: fault.input });
    return opened(await this.faults.ask({ ...fault, reportedAt: new Date().toISOString() }));
  }

  /** Asks for the lock of a scope, on behalf of a run that was started past the coordinator. */
  async acquire(claim: Omit<StartRequest, 'input' | 'by'>): Promise<Grant> {
    return this.coordinate(acquire, claim);
  }

  /** Tells the coordinator of a run at work whose lock it may not have recorded. */
  async recordHolding(holding: Holding): Promise<void> {
    await this.coordinate(holds, holding);
  }

  /** Lets rescues have the scope of a run that goes on after them. */
  async lendScope(holding: Holding): Promise<void> {
    await this.coordinate(lendScope, holding);
  }

  /** Gives back what a run that is over has. */
  async giveBack(release: Release): Promise<void> {
    await this.coordinate(released, release);
  }

  /** Engages or releases the safety lever; the answer is one sentence. @throws BAD_INPUT */
  async moveLever(change: LeverChange): Promise<string> {
    return this.coordinate(moveLever, change);
  }

  /** Tells a run something; the answer is one sentence. @throws UNKNOWN_RUN, DECISION_REFUSED, BAD_INPUT */
  async decide(run: string, kind: DecisionKind, request: DecisionRequest): Promise<string> {
    try {
      return await sendDecision(this.client.workflow.getHandle(run), kind, request);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) {
        const { state } = await this.show(run);
        throw new SwitchoverError('DECISION_REFUSED', `${run} is over (${state}); it takes no decisions`);
      }
      throw asSwitchoverError(error);
    }
  }

  /** The report of a run, as far as it is. @throws UNKNOWN_RUN; BAD_INPUT and the like where the run failed at once. */
  async show(run: string): Promise<RunReport> {
    const handle = this.client.workflow.getHandle(run);
    const description = await this.describe(run);
    if (!description)
      throw new SwitchoverError('UNKNOWN_RUN', `there is no run "${run}" in environment ${this.environment}`);
    switch (description.status.name) {
      case 'COMPLETED':
        return (await handle.result()) as RunReport;
      case 'RUNNING':
      case 'PAUSED':
        return handle.query(report);
      case 'FAILED':
        await handle.result().catch((error: unknown) => {
          throw asSwitchoverError(error);
        });
    }
    const last = await handle.query(report);
    return {
      ...last,
      state: 'aborted',
      sentence: `the workflow was ${description.status.name.toLowerCase()} in Temporal while ${last.sentence}`,
    };
  }

  /** The newest runs first. @param limit at most this many. */
  async list({ limit = 20, runbook }: { limit?: number; runbook?: string } = {}): Promise<RunSummary[]> {
    const which = runbook ? `Runbook = "${findRunbook(this.catalogue, runbook).id}"` : 'Runbook IS NOT NULL';
    const found: RunSummary[] = [];
    for await (const execution of this.client.workflow.list({ query: which, pageSize: limit })) {
      const { workflowId, startTime, closeTime, typedSearchAttributes: values } = execution;
      const state = (values.get(attributes.runState) ?? 'running') as RunState;
      found.push({
        run: workflowId,
        runbook: values.get(attributes.runbook) ?? execution.type,
        scope: values.get(attributes.scope) ?? '',
        mode: values.get(attributes.mode) ?? 'execute',
        state: closeTime && !isOver(state) ? closedState(execution.status.name) : state,
        startedAt: startTime.toISOString(),
        ...(closeTime ? { endedAt: closeTime.toISOString() } : {}),
      });
      if (found.length >= limit) break;
    }
    return found;
  }

  /**
   * The report again each time it changed, until the run is over.
   * @throws as {@link show}, at the latest {@link SILENCE_MS} after workers or Temporal stopped answering
   */
  async *follow(run: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<RunReport> {
    const happenings = new Happenings(this.client, run);
    try {
      for (let last = ''; !signal?.aborted; await happenings.next(SILENCE_MS, signal)) {
        const now = await this.show(run);
        const text = JSON.stringify(now);
        if (text !== last) yield now;
        if (isOver(now.state)) return;
        last = text;
      }
    } finally {
      happenings.close();
    }
  }

  /** The report of a run that is over. @throws TIMED_OUT; the run goes on then. */
  async wait(run: string, timeoutMs: number): Promise<RunReport> {
    let last: RunReport | undefined;
    for await (last of this.follow(run, { signal: AbortSignal.timeout(timeoutMs) }));
    if (last && isOver(last.state)) return last;
    throw new SwitchoverError(
      'TIMED_OUT',
      `${run} is not over after ${timeoutMs} ms: it is ${last?.state ?? 'unknown'}`,
      last,
    );
  }

  /** The report of a run once it is over, however long that takes. @throws as {@link show} */
  async outcome(run: string): Promise<RunReport> {
    // However it ended: what came of it is in its report.
    await this.client.workflow
      .getHandle(run)
      .result()
      .catch(() => undefined);
    const seen = await this.show(run);
    if (isOver(seen.state)) return seen;
    throw new SwitchoverError('TEMPORAL_UNREACHABLE', `${run} could not be followed to its end`);
  }

  /** Locks and open incidents; empty where nothing ever happened. */
  async coordination(): Promise<Coordination> {
    try {
      return await this.client.workflow.getHandle(coordinatorId(this.environment)).query(coordination);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return nothingOpen();
      throw error;
    }
  }

  /** Who holds what, who waits for whom and why; a sentence each. */
  async explain(): Promise<string[]> {
    try {
      return await this.client.workflow.getHandle(coordinatorId(this.environment)).query(explanation);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return [];
      throw error;
    }
  }

  /** Sees to it that the environment has its coordinator, and that it knows the environment file of today. */
  async keepCoordinated(): Promise<void> {
    await this.client.workflow.signalWithStart('coordinator', {
      ...this.coordinator(),
      signal: rulesChanged,
    });
  }

  /** Sees to it that somebody probes the ways out of each region, as far as it has workers. */
  async keepWaysWatched(regions: readonly string[]): Promise<void> {
    await Promise.all(
      regions.map((region) =>
        this.client.workflow.start('wayMonitor', {
          workflowId: waysId(this.environment, region),
          taskQueue: TASK_QUEUE,
          args: [{ region }],
          workflowIdConflictPolicy: 'USE_EXISTING',
          staticSummary: `Probes the ways from ${region} to other regions`,
        }),
      ),
    );
  }

  /** The ways between regions as they were seen last; of a region that nobody looks from there are none. */
  async ways(regions: readonly string[]): Promise<Way[]> {
    const all = await Promise.all(regions.map((one) => waysFrom(this.client, this.environment, one)));
    return all.flat();
  }

  /** Sees to it that the environment has its timekeeper, which keeps the schedules as they are planned today. `everyMs`: how often it looks */
  async keepTime(everyMs = 60_000): Promise<void> {
    await this.client.workflow.signalWithStart('timekeeper', {
      ...this.timekeeper(everyMs),
      signal: schedulesChanged,
    });
  }

  /** Tells the timekeeper what came of a run that was due. */
  async reportTick(ended: { schedule: string; missed?: Missed }): Promise<void> {
    await this.client.workflow.signalWithStart('timekeeper', {
      ...this.timekeeper(),
      signal: tickEnded,
      signalArgs: [ended],
    });
  }

  /** The environment's schedules as they stand. */
  async schedules(): Promise<ScheduleView[]> {
    return listSchedules(this.client, this.environment);
  }

  /** Pauses a schedule or lets it go on; the answer is a sentence. @throws UNKNOWN_SCHEDULE */
  async moveSchedule(move: ScheduleMove): Promise<string> {
    return pauseSchedule(this.client, this.environment, move);
  }

  /** Starts what a schedule starts, now and in a person's name. @throws UNKNOWN_SCHEDULE, and as {@link start} */
  async triggerSchedule({ name, by, reason }: Omit<ScheduleMove, 'paused'>): Promise<Started> {
    const { runbook, input, mode } = await tickOf(this.client, this.environment, name);
    return this.start({ runbook, input, mode, by, reason });
  }

  /** One update to the coordinator, which is started where it does not run: start-or-join in one call. */
  private async coordinate<Answer, Ask>(update: UpdateDefinition<Answer, [Ask]>, ask: Ask): Promise<Answer> {
    const coordinator = this.coordinator();
    const options = { args: [ask] as [Ask] };
    try {
      // With a start in the same call an update that meets the coordinator between two histories would wait for 1 s and more.
      return await this.client.workflow.getHandle(coordinator.workflowId).executeUpdate(update, options);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw asSwitchoverError(error);
    }
    const startWorkflowOperation = new WithStartWorkflowOperation('coordinator', {
      ...coordinator,
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    try {
      return await this.client.workflow.executeUpdateWithStart(update, {
        ...options,
        startWorkflowOperation,
      });
    } catch (error) {
      throw asSwitchoverError(error);
    }
  }

  private timekeeper(everyMs = 60_000) {
    return {
      workflowId: timekeeperId(this.environment),
      taskQueue: TASK_QUEUE,
      args: [{ everyMs }],
      staticSummary: `Keeps the schedules of ${this.environment}`,
    };
  }

  private coordinator() {
    return {
      workflowId: coordinatorId(this.environment),
      taskQueue: TASK_QUEUE,
      // When the worker dies amid an answer, another gives it before the door gives up.
      workflowTaskTimeout: '3s',
      staticSummary: `Locks and incidents of ${this.environment}`,
    } as const;
  }

  /** Whether the keyed run exists. @throws KEY_REUSED where it was started by another request. */
  private async exists(run: string, digest: string): Promise<boolean> {
    const description = await this.describe(run);
    if (!description) return false;
    if (description.memo?.['digest'] === digest) return true;
    throw new SwitchoverError(
      'KEY_REUSED',
      `this Idempotency-Key started ${run} with another runbook, input or mode`,
    );
  }

  private async describe(run: string): Promise<WorkflowExecutionDescription | null> {
    try {
      return await this.client.workflow.getHandle(run).describe();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }
}

function opened(answer: Answered): Opened {
  if (!('error' in answer)) return answer;
  const { code, sentence } = answer.error;
  throw new SwitchoverError(isErrorCode(code) ? code : 'INTERNAL', sentence);
}

function keyedRun(runbook: string, key: string): string {
  return `${runbook}-key-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

function closedState(status: string): RunState {
  return status === 'FAILED' || status === 'TIMED_OUT' ? 'failed' : 'aborted';
}

/** The error a workflow meant, out of the wrappers Temporal puts around it. */
export function asSwitchoverError(error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { type, details } = cause as Error & { type?: string; details?: unknown[] };
    if (isErrorCode(type)) return new SwitchoverError(type, cause.message, details?.[0]);
  }
  return error instanceof WorkflowUpdateFailedError
    ? new SwitchoverError('INTERNAL', String(error.cause ?? error))
    : error;
}
