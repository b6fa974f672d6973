import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import type { DecisionKind, DecisionRequest } from '../core/run';
import type { Fault, LeverChange, Symptom } from '../core/coordination';
import { SwitchoverError } from '../core/errors';
import type { ReadinessView } from '../core/readiness';
import type { Runbook } from '../core/runbook';
import { inTime, temporalOptions } from './connect';
import { Operations, type StartAsk } from './index';
import { readinessAgain, readinessOf } from './readiness';
import type { ScheduleMove } from './schedules';

/** How long an evaluation of all runbooks may take, ms. */
const LOOK_MS = 90_000;

const LATE = 'no answer in time: Temporal or every worker is away';

/** gRPC statuses that say "not now" about the Temporal server or its workers, whatever was asked. */
const AWAY = new Map([
  [1, 'the call was cancelled'],
  [4, LATE],
  [8, 'Temporal is overloaded'],
  [9, 'no worker is there to answer'],
  [14, 'Temporal does not answer'],
]);

/**
 * The operations for a door that must answer in time whatever happens to Temporal. A call that is not through within
 * `deadlineMs` is given up and its network call ended, so that callers who come again do not pile up; a batch of faults,
 * which many callers share, ends at its own deadline.
 *
 * Every method also throws TEMPORAL_UNREACHABLE. The trap: a start or decision that was given up may have been carried
 * out all the same; only an idempotency key, or an alert's scope, makes asking again safe.
 */
export class BoundedOperations extends Operations {
  constructor(
    private readonly temporal: Client,
    environment: string,
    catalogue: readonly Runbook[],
    private readonly deadlineMs: number,
  ) {
    super(temporal, environment, catalogue);
  }

  /** Returns when Temporal answers and knows the namespace. @throws TEMPORAL_UNREACHABLE */
  async ready(): Promise<void> {
    const { workflowService, options } = this.temporal;
    await this.bounded(() => workflowService.describeNamespace({ namespace: options.namespace }));
  }

  override start(ask: StartAsk) {
    return this.bounded(() => super.start(ask));
  }

  override openIncident(fault: Fault) {
    return this.bounded(() => super.openIncident(fault));
  }

  override noteSymptom(symptom: Symptom) {
    return this.bounded(() => super.noteSymptom(symptom));
  }

  override decide(run: string, kind: DecisionKind, request: DecisionRequest) {
    return this.bounded(() => super.decide(run, kind, request));
  }

  override show(run: string) {
    return this.bounded(() => super.show(run));
  }

  override list(which?: { limit?: number; runbook?: string }) {
    return this.bounded(() => super.list(which));
  }

  override acquire(claim: Parameters<Operations['acquire']>[0]) {
    return this.bounded(() => super.acquire(claim));
  }

  override coordination() {
    return this.bounded(() => super.coordination());
  }

  override ways(regions: readonly string[]) {
    return this.bounded(() => super.ways(regions));
  }

  override explain() {
    return this.bounded(() => super.explain());
  }

  override moveLever(change: LeverChange) {
    return this.bounded(() => super.moveLever(change));
  }

  override schedules() {
    return this.bounded(() => super.schedules());
  }

  override moveSchedule(move: ScheduleMove) {
    return this.bounded(() => super.moveSchedule(move));
  }

  override triggerSchedule(move: Omit<ScheduleMove, 'paused'>) {
    return this.bounded(() => super.triggerSchedule(move));
  }

  /** How the runbooks stand. @param again look at everything now; waits for that, beyond the deadline of other calls */
  readiness(again = false): Promise<ReadinessView | null> {
    const { temporal, environment } = this;
    return again
      ? this.bounded(() => readinessAgain(temporal, environment), LOOK_MS)
      : this.bounded(() => readinessOf(temporal, environment));
  }

  private async bounded<Answer>(call: () => Promise<Answer>, ms = this.deadlineMs): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, ms, new SwitchoverError('TEMPORAL_UNREACHABLE', `${LATE} (${ms} ms)`));
    });
    try {
      return await Promise.race([this.temporal.withDeadline(Date.now() + ms, call), late]);
    } catch (error) {
      throw away(error) ?? error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What the server needs of {@link BoundedOperations}; tests put a fake in its place. */
export type RunOperations = Pick<
  BoundedOperations,
  | 'catalogue'
  | 'ready'
  | 'start'
  | 'openIncident'
  | 'noteSymptom'
  | 'decide'
  | 'show'
  | 'list'
  | 'follow'
  | 'coordination'
  | 'explain'
  | 'ways'
  | 'moveLever'
  | 'readiness'
  | 'schedules'
  | 'moveSchedule'
  | 'triggerSchedule'
>;

/**
 * A client that connects with its first call, and again by itself within a second of Temporal's coming back. The caller
 * closes `client.connection`.
 */
export function lazyClient(): Client {
  const { connectionOptions, namespace } = temporalOptions();
  const channelArgs = { ...connectionOptions.channelArgs, 'grpc.max_reconnect_backoff_ms': 1_000 };
  const connection = Connection.lazy({ ...connectionOptions, channelArgs, interceptors: [inTime()] });
  return new Client({ connection, namespace });
}

/** TEMPORAL_UNREACHABLE, where that is what the error or one of its causes says. */
function away(error: unknown): SwitchoverError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof SwitchoverError) continue; // to ask whether it is one of gRPC reads its stack, which is dear
    const why = isGrpcServiceError(cause) ? AWAY.get(cause.code) : undefined;
    if (why) return new SwitchoverError('TEMPORAL_UNREACHABLE', `${why}: ${cause.message}`);
  }
  return undefined;
}
