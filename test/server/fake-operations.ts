import {
  nothingOpen,
  overlap,
  type Coordination,
  type Fault,
  type LeverChange,
  type Opened,
  type Started,
  type Symptom,
} from '../../core/coordination';
import { SwitchoverError } from '../../core/errors';
import type { ReadinessView } from '../../core/readiness';
import type { Way } from '../../core/ways';
import { isOver, type DecisionKind, type DecisionRequest, type RunReport } from '../../core/run';
import { catalogue, type RunSummary, type StartAsk } from '../../operations';
import type { RunOperations } from '../../operations/bounded';
import type { ScheduleMove, ScheduleView } from '../../operations/schedules';

/**
 * Operations in memory: runs are reports that a test sets, everything asked is kept. What the real ones do with
 * Temporal is tested in `e2e.test.ts`.
 */
export class FakeOperations implements RunOperations {
  readonly catalogue = catalogue;
  readonly starts: StartAsk[] = [];
  readonly faults: Fault[] = [];
  readonly told: { run: string; kind: DecisionKind; request: DecisionRequest }[] = [];
  readonly lists: unknown[] = [];
  /** How many are looking at runs right now. */
  following = 0;
  state: Coordination = nothingOpen();
  /** What is seen of the ways between regions. */
  seen: Way[] = [];
  readonly levers: LeverChange[] = [];
  scheduled: ScheduleView[] = [];
  readonly moves: ScheduleMove[] = [];
  /** Thrown by every call, while set. */
  failure: Error | undefined;
  private readonly reports = new Map<string, RunReport>();
  private changed = new EventTarget();

  /** Makes a run exist, or changes it. */
  put(report: RunReport): void {
    this.reports.set(report.run, report);
    this.changed.dispatchEvent(new Event('changed'));
  }

  async ready(): Promise<void> {
    this.fail();
  }

  async start(ask: StartAsk): Promise<Started> {
    this.fail();
    const run = ask.key ?? `run-${String(ask.input['node'])}`;
    const joined = this.starts.some(({ key, input }) => (key ?? `run-${String(input['node'])}`) === run);
    this.starts.push(ask);
    if (!this.reports.has(run)) this.put(reportOf({ run, state: 'running' }));
    return { run, joined };
  }

  async openIncident(fault: Fault): Promise<Opened> {
    this.fail();
    const joined = this.faults.some(({ scope }) => scope === fault.scope);
    this.faults.push(fault);
    return { incident: 'INC-20300102-0001', run: `run-${fault.scope}`, joined };
  }

  async noteSymptom({ scope }: Symptom): Promise<Opened> {
    this.fail();
    const around = this.faults.find((fault) => overlap(fault.scope, scope));
    if (!around) throw new SwitchoverError('NO_RUNBOOK', 'nothing is open there');
    return { incident: 'INC-20300102-0001', run: `run-${around.scope}`, joined: true };
  }

  async ways(): Promise<Way[]> {
    this.fail();
    return this.seen;
  }

  async decide(run: string, kind: DecisionKind, request: DecisionRequest): Promise<string> {
    await this.show(run);
    this.told.push({ run, kind, request });
    return `${kind} it is`;
  }

  async show(run: string): Promise<RunReport> {
    this.fail();
    const report = this.reports.get(run);
    if (report) return report;
    throw new SwitchoverError('UNKNOWN_RUN', `there is no run "${run}" in environment test`);
  }

  async list(which: { limit?: number; runbook?: string } = {}): Promise<RunSummary[]> {
    this.fail();
    this.lists.push(which);
    return [...this.reports.values()].map(({ run, runbook, scope, mode, state, startedAt }) => ({
      run,
      runbook,
      scope,
      mode,
      state,
      startedAt,
    }));
  }

  async *follow(run: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<RunReport> {
    this.following += 1;
    try {
      for (let report: RunReport | undefined; !signal?.aborted && !(report && isOver(report.state));) {
        const change = this.nextChange(signal);
        report = await this.show(run);
        yield report;
        if (!isOver(report.state)) await change;
      }
    } finally {
      this.following -= 1;
    }
  }

  async coordination(): Promise<Coordination> {
    this.fail();
    return this.state;
  }

  /** How runbooks stand; null where nobody has evaluated it. */
  standing: ReadinessView | null = null;

  async readiness(): Promise<ReadinessView | null> {
    this.fail();
    return this.standing;
  }

  async explain(): Promise<string[]> {
    this.fail();
    return Object.entries(this.state.locks).map(([scope, { run }]) => `${scope} is held by ${run}`);
  }

  async moveLever(change: LeverChange): Promise<string> {
    this.fail();
    this.levers.push(change);
    const { by, reason, engaged } = change;
    this.state = {
      ...this.state,
      ...(engaged ? { lever: { by, reason, since: '2030-01-02T03:04:05.678Z' } } : {}),
    };
    if (!engaged) delete this.state.lever;
    return engaged ? 'automation is stopped' : 'automation goes on';
  }

  async schedules(): Promise<ScheduleView[]> {
    this.fail();
    return this.scheduled;
  }

  async moveSchedule(move: ScheduleMove): Promise<string> {
    this.fail();
    if (!this.scheduled.some(({ name }) => name === move.name))
      throw new SwitchoverError(
        'UNKNOWN_SCHEDULE',
        `there is no schedule "${move.name}" in environment test`,
      );
    this.moves.push(move);
    return `${move.name} ${move.paused ? 'is paused' : 'goes on'}`;
  }

  async triggerSchedule({ name, by, reason }: Omit<ScheduleMove, 'paused'>): Promise<Started> {
    const { runbook, input } = this.scheduled.find((one) => one.name === name)!;
    return this.start({ runbook, input, by, reason, key: `run-of-${name}` });
  }

  private fail(): void {
    if (this.failure) throw this.failure;
  }

  private nextChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.changed.addEventListener('changed', () => resolve(), { once: true });
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

/** A report in which all is as it should be but what is given. */
export function reportOf(given: Partial<RunReport> = {}): RunReport {
  return {
    run: 'run-1',
    runbook: 'node-failover',
    scope: 'node/us-east-1/a/n1',
    mode: 'execute',
    state: 'recovered',
    sentence: 'us-east-1/a/n1 was restarted and serves again',
    input: { node: 'us-east-1/a/n1' },
    by: 'ada',
    trigger: 'manual',
    startedAt: '2030-01-02T03:04:05.000Z',
    clock: {},
    objective: { rtoMs: 5000 },
    actual: {},
    steps: [],
    decisions: [],
    alerts: [],
    ...given,
  };
}
