import { ApplicationFailure, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities';
import {
  FRESH_MS,
  claimScope,
  claims,
  closeIncidents,
  forgetReports,
  free,
  grantNext,
  noteEnd,
  precedenceOf,
  type Claim,
  type Contest,
  type Coordination,
  type Fault,
  type Release,
  type StartRequest,
} from '../../core/coordination';
import type { Trigger } from '../../core/run';
import { findRunbook } from '../../core/runbook';
import { contains } from '../../core/scope';
import { catalogue } from '../catalogue';
import { causeOf } from '../engine/outcome';
import * as messages from '../messages';
import type { Mail } from './mail';

const { launchRun, endedRuns } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '3s',
  retry: { initialInterval: '50ms', maximumInterval: '1s', maximumAttempts: 5 },
});

/** Who may be stopped by the safety lever and is counted by the limits of automation. */
export const AUTOMATIC: ReadonlySet<Trigger> = new Set(['alert', 'monitor', 'schedule']);

/**
 * The runs that have claims: how one comes to have one, is started, is told what concerns it, and gives all back.
 *
 * What holds between any two awaits: a scope is claimed before its run is started and given back only when that run is
 * over; nobody is granted a scope that overlaps a held one; and whoever is told of a run is told of one with a claim.
 */
export class Holders {
  /** When runs were last seen at work, ms. */
  private readonly seenAt = new Map<string, number>();

  constructor(
    private readonly now: Coordination,
    private readonly mail: Mail,
    /** Faults that a run which is over was to deal with, and has not. */
    private readonly onLeft: (faults: readonly Fault[]) => Promise<void>,
  ) {}

  /** Gives back what those of the runs have that are over without having said so. */
  async freeEnded(runs: string[]): Promise<void> {
    const ended = new Set(await endedRuns(runs));
    const parts = [...ended].flatMap((run) => this.now.parts[run] ?? []);
    for (const run of runs) {
      if (ended.has(run)) this.forget(run, { state: 'failed', changed: true });
      else this.seenAt.set(run, Date.now());
    }
    this.grant();
    if (parts.length > 0) await this.onLeft(parts);
  }

  /** A run is over: what it had is given back. `at`: when it said so itself. */
  forget(run: string, how: Pick<Release, 'state' | 'changed'>, at?: string): void {
    const claim = this.claimBy(run);
    if (claim && (how.state === 'recovered' || how.state === 'succeeded'))
      forgetReports(this.now, claim.scope);
    if (claim && AUTOMATIC.has(claim.trigger)) {
      const { runbook, scope } = claim;
      noteEnd(this.now, { runbook, scope, ...how, at: time() });
    }
    this.drop(run, at);
  }

  /** Gives back what a run has, as if it had never been where `at` is left out. */
  drop(run: string, at?: string): void {
    closeIncidents(this.now, run, at);
    free(this.now, run);
    delete this.now.parts[run];
    this.seenAt.delete(run);
  }

  /** Tells the runs whose scopes have become free. */
  grant(): void {
    for (const { run } of grantNext(this.now)) this.mail.send(run, messages.scopeGranted);
  }

  /** Claims a scope, after freeing it from runs in the way that are over without having said so. */
  async claim(asked: Claim): Promise<Contest> {
    const rivals = claims(this.now).filter(({ run }) => run !== asked.run);
    const contest = claimScope(this.now, asked);
    if (contest.outcome === 'granted') return contest;
    const old = rivals.filter((rival) => !this.isFresh(rival)).map(({ run }) => run);
    if (old.length === 0) return contest;
    await this.freeEnded(old);
    return claimScope(this.now, asked);
  }

  private isFresh({ run, since }: Claim): boolean {
    return Date.now() - Math.max(Date.parse(since), this.seenAt.get(run) ?? 0) < FRESH_MS;
  }

  async isAtWork(holder: Claim): Promise<boolean> {
    if (!this.isFresh(holder)) await this.freeEnded([holder.run]);
    return this.claimBy(holder.run) !== undefined;
  }

  /** Starts the run that has the claim; gives it back where that fails, and says why. @returns whether it is at work */
  async launch(asked: Parameters<typeof launchRun>[0], contest: Contest): Promise<boolean> {
    const waitsFor = rivalsIn(contest);
    const { run } = asked;
    this.tellToYield(waitsFor, this.claimBy(run)!);
    const warrant = {
      ...asked.warrant,
      ...(waitsFor.length > 0 ? { waitsFor: waitsFor.map((rival) => rival.run) } : {}),
    };
    try {
      const atWork = await launchRun({ ...asked, warrant });
      this.catchUp(run);
      return atWork;
    } catch (error) {
      this.drop(run);
      throw notStarted(run, error);
    } finally {
      this.grant();
    }
  }

  /** Starts a run as a step of another, whose lock is around its scope. */
  async launchUnder(asked: Parameters<typeof launchRun>[0]): Promise<void> {
    try {
      await launchRun(asked);
    } catch (error) {
      throw notStarted(asked.run, error);
    }
  }

  /** Whether a run holds this scope or one around it. */
  covers(run: string, scope: string): boolean {
    const claim = this.claimBy(run);
    return claim !== undefined && contains(claim.scope, scope);
  }

  /** Tells a run what was decided about it before it could be told. */
  private catchUp(run: string): void {
    const own = this.claimBy(run);
    if (!own) return;
    const { lever } = this.now;
    if (lever && AUTOMATIC.has(own.trigger)) this.mail.send(run, messages.leverMoved, lever);
    const winner = own.yieldsTo && this.claimBy(own.yieldsTo);
    if (winner) this.tellToYield([own], winner);
  }

  tellToYield(rivals: readonly Claim[], { run, runbook, scope }: Claim): void {
    for (const rival of rivals) this.mail.send(rival.run, messages.yieldTo, { to: run, runbook, scope });
  }

  claimOf({
    run,
    runbook,
    scope,
    trigger,
    mode,
  }: Pick<StartRequest, 'run' | 'runbook' | 'scope' | 'trigger' | 'mode'>): Claim {
    const { kind, whenRescued } = findRunbook(catalogue, runbook);
    const precedence = precedenceOf(kind, mode, trigger);
    const waits = whenRescued === 'waits' && { waits: true };
    return { run, runbook, scope, trigger, precedence, since: time(), ...waits };
  }

  claimBy(run: string): Claim | undefined {
    return claims(this.now).find((claim) => claim.run === run);
  }
}

function notStarted(run: string, error: unknown): ApplicationFailure {
  const { sentence, code } = causeOf(error);
  return ApplicationFailure.nonRetryable(
    `${run} was not started: ${sentence}`,
    code ?? 'TEMPORAL_UNREACHABLE',
  );
}

/** Who has to make room first. */
export function rivalsIn(contest: Contest): Claim[] {
  return contest.outcome === 'waits' ? contest.for : [];
}

/** The workflow's own clock, ISO. */
export function time(): string {
  return new Date().toISOString();
}
