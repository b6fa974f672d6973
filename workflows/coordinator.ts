import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities';
import {
  NOTHING_OPEN,
  attach,
  claim,
  echoed,
  open,
  release,
  runId,
  type Answered,
  type Coordination,
  type Fault,
  type Grant,
  type Lock,
  type Opened,
  type ReportedFault,
  type StartRequest,
  type Started,
} from '../core/coordination';
import type { Warrant } from '../core/run';
import { causeOf } from './engine/outcome';
import { acquire, alertAttached, coordination, holds, openIncidents, released, startRun } from './messages';

const { launchRun, endedRuns } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '3s',
  retry: { initialInterval: '50ms', maximumInterval: '1s', maximumAttempts: 5 },
});

/** How often holders are looked up while there are any: a terminated run gives nothing back by itself. */
const SWEEP = '5s';

/** A holder this young is taken to be at work without looking it up: a burst of alerts costs one look, not hundreds. */
const FRESH_MS = 2_000;

/**
 * The one coordinator of an environment: scope locks and open incidents (DESIGN section 4).
 *
 * What holds between any two awaits: a lock is taken before its run is started and given back only when that run is
 * over, so two runs never work on one scope; and whoever is told of a run is told of one that holds the lock.
 */
export async function coordinator(carried: Coordination = NOTHING_OPEN): Promise<void> {
  const desk = new Desk(carried);
  const full = () => workflowInfo().continueAsNewSuggested;
  while (!full()) {
    await condition(() => desk.holders().length > 0 || full());
    if (await condition(full, SWEEP)) break;
    await desk.freeEnded(desk.holders());
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof coordinator>(desk.now);
}

/** The coordinator's state and its answers. */
class Desk {
  readonly now: Coordination;
  /** Runs that hold a lock but may not exist yet: to look them up would find them over. */
  private readonly launching = new Set<string>();

  constructor({ locks, incidents, closed, opened }: Coordination) {
    this.now = { locks: { ...locks }, incidents: { ...incidents }, closed: { ...closed }, opened };
    setHandler(openIncidents, (faults) => Promise.all(faults.map((fault) => this.answer(fault))), {
      description:
        'Faults were seen: each opens an incident and starts its run, or joins the run that deals with it.',
    });
    setHandler(startRun, (ask) => this.startRun(ask), {
      description:
        'Starts a run under the lock of its scope, or joins the run of the same runbook that holds it.',
    });
    setHandler(
      acquire,
      ({ run, runbook, scope, trigger }) => this.claim(scope, { run, runbook, trigger, since: time() }),
      {
        description: 'Asked by a run that was started in the Temporal UI: the lock of its scope.',
      },
    );
    setHandler(holds, ({ scope, ...lock }) => void claim(this.now, scope, lock), {
      description: 'A run has begun under its lock.',
    });
    setHandler(released, ({ run }) => release(this.now, run, time()), { description: 'A run is over.' });
    setHandler(coordination, () => this.now, {
      description: 'Who holds which scope, and the open incidents.',
    });
  }

  holders(): string[] {
    return Object.values(this.now.locks).map(({ run }) => run);
  }

  /** Frees the scopes of those runs that are over. */
  async freeEnded(runs: string[]): Promise<void> {
    const begun = runs.filter((run) => !this.launching.has(run));
    if (begun.length > 0) (await endedRuns(begun)).forEach((run) => release(this.now, run));
  }

  /** One fault that cannot be dealt with must not keep the others from being answered. */
  private async answer(fault: ReportedFault): Promise<Answered> {
    try {
      return await this.openIncident(fault);
    } catch (error) {
      const { sentence, code = 'INTERNAL' } = causeOf(error);
      return { error: { code, sentence } };
    }
  }

  private async openIncident(fault: ReportedFault): Promise<Opened> {
    const { runbook, scope, alert, reportedAt } = fault;
    const echo = this.now.locks[scope] ? undefined : echoed(this.now, fault, time());
    if (echo) return { incident: echo.id, run: echo.run, joined: true };
    // The fault's own time names its run: handed over again, it finds the run it has, also one that was never recorded.
    // Where that run is over the fault has outlived it, and gets another.
    const opened =
      (await this.dealWith(fault, runId(runbook, scope, alert.faultAt))) ??
      (await this.dealWith(fault, runId(runbook, scope, reportedAt)));
    if (opened) return opened;
    throw ApplicationFailure.nonRetryable(`the runs of ${alert.summary} are over`, 'INTERNAL');
  }

  /** Opens an incident and starts this run for it, or joins the run at work; undefined where this run is over already. */
  private async dealWith(fault: Fault, run: string): Promise<Opened | undefined> {
    const { runbook, scope, trigger, input, alert } = fault;
    const since = time();
    // Two faults of one moment get the same name for their run: the second joins the first.
    const holder = this.now.locks[scope];
    if (holder?.run === run) return this.join(holder, fault);
    const grant = await this.claim(scope, { run, runbook, trigger, since });
    if (!grant.granted) return this.join(grant.holder, fault);
    const { id, faultAt, alerts } = open(this.now, fault, run, since);
    const warrant: Warrant = { by: alert.source, trigger, incident: { id, faultAt, alerts } };
    const request = { input, reason: alert.summary };
    if (await this.launch({ run, runbook, scope, request, warrant }))
      return { incident: id, run, joined: false };
    release(this.now, run);
    return undefined;
  }

  /** Attaches a fault to the run at work on its scope, opening an incident where a person had started that run. */
  private async join({ run, runbook }: Lock, fault: Fault): Promise<Opened> {
    const known = this.now.incidents[fault.scope];
    const incident = known ?? open(this.now, fault, run, time());
    const news = known ? attach(known, fault.alert) : true;
    if (news) {
      await getExternalWorkflowHandle(run)
        .signal(alertAttached, fault.alert, runbook === fault.runbook ? fault.trigger : undefined)
        .catch(() => undefined);
    }
    return { incident: incident.id, run, joined: true };
  }

  private async startRun(ask: StartRequest): Promise<Started> {
    const { run, runbook, scope, input, mode, trigger, by, reason, digest } = ask;
    const grant = await this.claim(scope, { run, runbook, trigger, since: time() });
    if (grant.granted) {
      const request = { input, mode, ...(reason === undefined ? {} : { reason }) };
      await this.launch({
        run,
        runbook,
        scope,
        request,
        warrant: { by, trigger },
        ...(digest ? { digest } : {}),
      });
      return { run, joined: false };
    }
    const { holder } = grant;
    if (holder.runbook === runbook) return { run: holder.run, joined: true };
    throw ApplicationFailure.nonRetryable(
      `${scope} is held by ${holder.run} since ${holder.since}`,
      'LOCK_HELD',
    );
  }

  /** Takes the scope, after freeing it from a holder that is over without having said so. */
  private async claim(scope: string, lock: Lock): Promise<Grant> {
    const grant = claim(this.now, scope, lock);
    if (grant.granted || Date.parse(lock.since) - Date.parse(grant.holder.since) < FRESH_MS) return grant;
    await this.freeEnded([grant.holder.run]);
    return claim(this.now, scope, lock);
  }

  /** Starts the run that holds the scope; gives the scope back where that fails, and says why. @returns whether it is at work */
  private async launch(asked: Parameters<typeof launchRun>[0]): Promise<boolean> {
    this.launching.add(asked.run);
    try {
      return await launchRun(asked);
    } catch (error) {
      release(this.now, asked.run);
      const { sentence, code } = causeOf(error);
      throw ApplicationFailure.nonRetryable(
        `${asked.run} was not started: ${sentence}`,
        code ?? 'TEMPORAL_UNREACHABLE',
      );
    } finally {
      this.launching.delete(asked.run);
    }
  }
}

/** The workflow's own clock, ISO. */
function time(): string {
  return new Date().toISOString();
}
