import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../../activities';
import {
  attach,
  claims,
  dealsWith,
  doesTheSame,
  echoed,
  explain,
  explains,
  isOwnDoing,
  forgive,
  lend,
  noteLever,
  notePart,
  noteReports,
  noteStart,
  openIncident,
  record,
  runId,
  unfinished,
  whyAsk,
  whyNotNow,
  widened,
  type Answered,
  type Claim,
  type Coordination,
  type Fault,
  type Grant,
  type Holding,
  type Lever,
  type LeverChange,
  type Opened,
  type Release,
  type ReportedFault,
  type Rules,
  type StartRequest,
  type Started,
  type Symptom,
} from '../../core/coordination';
import type { Warrant } from '../../core/run';
import { findRunbook } from '../../core/runbook';
import { catalogue } from '../catalogue';
import { causeOf } from '../engine/outcome';
import * as messages from '../messages';
import { AUTOMATIC, Holders, rivalsIn, time } from './holders';
import { Mail, type Letters } from './mail';
import { Turn } from './turn';

const { coordinationRules } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '3s',
  retry: { initialInterval: '50ms', maximumInterval: '1s', maximumAttempts: 5 },
});

/**
 * The coordinator's state and its answers.
 *
 * What holds between any two awaits: a scope is claimed before its run is started and given back only when that run is
 * over; nobody is granted a scope that overlaps a held one; and whoever is told of a run is told of one with a claim.
 */
export class Desk {
  private readonly turn = new Turn();
  private readonly holders: Holders;
  private readonly mail: Mail;
  private rules: Promise<Rules> | undefined;

  constructor(
    private readonly now: Coordination,
    letters: Letters,
  ) {
    this.mail = new Mail(letters, (run) => this.freeEnded([run]));
    this.holders = new Holders(now, this.mail, (faults) => this.reopen(faults));
    setHandler(messages.openIncidents, (faults) => this.turn.take(() => this.openIncidents(faults)), {
      description:
        'Faults were seen: each opens an incident and starts its run, or joins the run that deals with it.',
    });
    setHandler(messages.startRun, (ask) => this.turn.take(() => this.startRun(ask)), {
      description:
        'Starts a run under the lock of its scope, or joins the run of the same runbook that holds it.',
    });
    setHandler(messages.acquire, (ask) => this.turn.take(() => this.acquire(ask)), {
      description: 'Asked by a run that was started in the Temporal UI: the lock of its scope.',
    });
    setHandler(messages.moveLever, (change) => this.turn.take(() => this.moveLever(change)), {
      validator: checkLever,
      description:
        'Stops all automation, or lets it go on. Send {"engaged": true, "by": "your name", "reason": "why"}',
    });
    setHandler(messages.holds, (holding) => this.hold(holding), {
      description: 'A run has begun under its lock.',
    });
    setHandler(messages.lendScope, (holding) => this.turn.take(async () => this.lend(holding)), {
      description: 'A run lends its scope to the rescues that need it.',
    });
    setHandler(messages.released, (release) => this.turn.take(() => this.released(release)), {
      description: 'A run is over.',
    });
    setHandler(messages.rulesChanged, () => void (this.rules = undefined), {
      description: 'Read the environment file again.',
    });
    setHandler(messages.coordination, () => this.now, { description: 'All that the coordinator knows.' });
    setHandler(messages.explanation, () => explain(this.now), {
      description: 'Who holds what, and who waits for whom and why.',
    });
  }

  /** Whether anybody has a claim. */
  get busy(): boolean {
    return claims(this.now).length > 0;
  }

  /** Finishes what is under way. @returns what whoever goes on has to know */
  async close(): Promise<[Coordination, Letters]> {
    this.mail.close();
    await condition(() => allHandlersFinished() && this.mail.idle);
    return [this.now, this.mail.letters];
  }

  /** Gives back what those of the runs have that are over without having said so. Default: of all with a claim. */
  async freeEnded(runs?: string[]): Promise<void> {
    const all = () => claims(this.now).map(({ run }) => run);
    const freeing = this.turn.take(() => this.holders.freeEnded(runs ?? all()));
    await freeing.catch(() => undefined); // those that could not be looked up are looked up again
  }

  private async openIncidents(reported: (ReportedFault | Symptom)[]): Promise<Answered[]> {
    const rules = await this.knownRules();
    const faults = reported.filter((one) => 'runbook' in one);
    // What is one fault of a whole place is opened first, so that its parts join it.
    const strange = faults.filter((fault) => !isOwnDoing(this.now, fault));
    const wide = this.now.lever ? [] : widened(this.now, rules, catalogue, strange, time());
    noteReports(this.now, strange, time());
    for (const fault of wide) await this.answer({ ...fault, reportedAt: time() }, rules);
    const dealtWith = new Map<unknown, Answered>();
    for (const fault of faults) dealtWith.set(fault, await this.answer(fault, rules));
    const answers = reported.map((one) => dealtWith.get(one) ?? this.note(one));
    this.show();
    return answers;
  }

  /** One fault that cannot be dealt with must not keep the others from being answered. */
  private async answer(fault: ReportedFault, rules: Rules): Promise<Answered> {
    try {
      return this.now.lever ? this.keep(fault, this.now.lever) : await this.openIncident(fault, rules);
    } catch (error) {
      const { sentence, code = 'INTERNAL' } = causeOf(error);
      return { error: { code, sentence } };
    }
  }

  /** A symptom is evidence for the run that deals with a fault around it; on its own it starts nothing. */
  private note(symptom: Symptom): Answered {
    const incident = explains(this.now, symptom);
    if (!incident) {
      const sentence = `no runbook answers it, and no incident is open that ${symptom.scope} is part of`;
      return { error: { code: 'NO_RUNBOOK', sentence } };
    }
    const { id, run } = incident;
    if (attach(incident, symptom)) this.mail.attach(run, symptom.alert, undefined);
    return { incident: id, run, joined: true };
  }

  /** While the lever is engaged a fault joins the run at work on it, if there is one, and is kept if there is none. */
  private keep(fault: ReportedFault, { by, since, reason }: Lever): Opened {
    const holder = dealsWith(this.now, fault);
    if (holder) return this.join(holder, fault);
    this.now.held[fault.scope] ??= fault;
    throw ApplicationFailure.nonRetryable(
      `${by} has engaged the safety lever since ${since} (${reason}); the fault is kept and dealt with when it is released`,
      'LEVER_ENGAGED',
    );
  }

  private async openIncident(fault: ReportedFault, rules: Rules): Promise<Opened> {
    const { runbook, scope, alert, reportedAt } = fault;
    const echo = dealsWith(this.now, fault) ? undefined : echoed(this.now, fault, time());
    if (echo) return { incident: echo.id, run: echo.run, joined: true };
    // The fault's own time names its run: handed over again, it finds the run it has, also one that was never recorded.
    // Where that run is over the fault has outlived it, and gets another.
    const again = reportedAt === alert.faultAt ? aMomentAfter(reportedAt) : reportedAt;
    const opened =
      (await this.dealWith(fault, runId(runbook, scope, alert.faultAt), rules)) ??
      (await this.dealWith(fault, runId(runbook, scope, again), rules));
    if (opened) return opened;
    throw ApplicationFailure.nonRetryable(`the runs of ${alert.summary} are over`, 'INTERNAL');
  }

  /** Opens an incident and starts this run for it, or joins the run at work; undefined where this run is over already. */
  private async dealWith(fault: Fault, run: string, rules: Rules): Promise<Opened | undefined> {
    const { runbook, scope, trigger, input, alert } = fault;
    const holder = dealsWith(this.now, fault);
    if (holder && (await this.holders.isAtWork(holder))) return this.join(holder, fault);
    const doubt = whyAsk(this.now, rules, { runbook, scope, at: time() });
    const contest = await this.holders.claim(
      this.holders.claimOf({ run, runbook, scope, trigger, mode: 'execute' }),
    );
    if (contest.outcome === 'refused') return this.join(contest.by, fault);
    // Two faults of one moment get the same name for their run: the second joins the first.
    if (this.now.incidents[scope]?.run === run) return this.join(this.holders.claimBy(run)!, fault);
    const incident = openIncident(this.now, fault, run, time());
    for (const part of unfinished(this.now, rivalsIn(contest))) {
      attach(incident, part);
      notePart(this.now, run, part);
    }
    const { id, faultAt, alerts } = incident;
    const warrant: Warrant = {
      by: alert.source,
      trigger,
      incident: { id, faultAt, alerts },
      ...(doubt ? { doubt } : {}),
    };
    const request = { input, reason: alert.summary };
    noteStart(this.now, time());
    if (await this.holders.launch({ run, runbook, scope, request, warrant }, contest))
      return { incident: id, run, joined: false };
    this.holders.drop(run);
    return undefined;
  }

  /** Attaches a fault to the run that deals with it, opening an incident where a person had started that run. */
  private join({ run, runbook, scope }: Claim, fault: Fault): Opened {
    if (scope !== fault.scope) notePart(this.now, run, fault);
    const known = Object.values(this.now.incidents).find((incident) => incident.run === run);
    const incident = known ?? openIncident(this.now, { ...fault, scope }, run, time());
    const news = known ? attach(known, fault) : true;
    const same = runbook === fault.runbook && scope === fault.scope;
    if (news) this.mail.attach(run, fault.alert, same ? fault.trigger : undefined);
    return { incident: incident.id, run, joined: true };
  }

  private async startRun(ask: StartRequest): Promise<Started> {
    const { run, runbook, scope, input, mode, trigger, by, door, reason, digest, under, forced, planned } =
      ask;
    const refusal = await this.whyNotStart(ask);
    if (refusal) throw ApplicationFailure.nonRetryable(refusal.sentence, refusal.code);
    const request = { input, mode, ...(reason === undefined ? {} : { reason }) };
    const beneath = under === undefined ? {} : { under, ...(forced && { forced }) };
    const warrant: Warrant = { by, trigger, ...beneath, ...(door && { door }), ...(planned && { planned }) };
    const launching = { run, runbook, scope, request, warrant, ...(digest ? { digest } : {}) };
    if (under !== undefined && this.holders.covers(under, scope)) {
      await this.holders.launchUnder(launching);
      return { run, joined: false };
    }
    const claim = this.holders.claimOf(ask);
    // Two deploys of one place may bring different releases: nobody is to take one for the other.
    const same = claim.waits ? undefined : doesTheSame(this.now, claim);
    if (same && (await this.holders.isAtWork(same))) return { run: same.run, joined: true };
    const contest = await this.holders.claim(claim);
    if (contest.outcome === 'refused')
      throw ApplicationFailure.nonRetryable(heldBy(scope, contest.by), 'LOCK_HELD');
    const parts = unfinished(this.now, rivalsIn(contest));
    await this.holders.launch(launching, contest);
    const own = this.holders.claimBy(run);
    for (const part of own ? parts : []) this.join(own!, part);
    this.show();
    return { run, joined: false };
  }

  private async acquire(ask: Omit<StartRequest, 'input' | 'by'>): Promise<Grant> {
    const refusal = await this.whyNotStart(ask);
    if (refusal) return { refused: refusal.sentence };
    const contest = await this.holders.claim(this.holders.claimOf(ask));
    this.show();
    switch (contest.outcome) {
      case 'granted':
        return { granted: true };
      case 'refused':
        return { refused: heldBy(ask.scope, contest.by) };
      case 'waits':
        this.holders.tellToYield(contest.for, this.holders.claimBy(ask.run)!);
        return { waitsFor: contest.for.map(({ run }) => run) };
    }
  }

  /** Why a run must not be started now, whoever holds its scope. */
  private async whyNotStart({
    runbook,
    mode,
    trigger,
    reason,
  }: Omit<StartRequest, 'input' | 'by'>): Promise<{ sentence: string; code: string } | null> {
    const { lever } = this.now;
    if (lever && (AUTOMATIC.has(trigger) || !reason)) {
      const way = AUTOMATIC.has(trigger) ? '' : '; a person may act all the same by giving a reason';
      const sentence = `${lever.by} has engaged the safety lever since ${lever.since} (${lever.reason})${way}`;
      return { sentence, code: 'LEVER_ENGAGED' };
    }
    const { kind } = findRunbook(catalogue, runbook);
    const planned = mode === 'drill' || kind === 'drill' ? 'drill' : kind === 'deploy' ? kind : null;
    const { windows } = await this.knownRules();
    const sentence = planned && whyNotNow(this.now, windows, { kind: planned, at: time() });
    return sentence ? { sentence: `no ${planned} now: ${sentence}`, code: 'NOT_NOW' } : null;
  }

  private async moveLever({ engaged, by, reason }: LeverChange): Promise<string> {
    const { now } = this;
    const was = now.lever;
    if (engaged === Boolean(was))
      return was ? `${was.by} has engaged the safety lever already (${was.reason})` : 'it is not engaged';
    const automatic = claims(now).filter(({ trigger }) => AUTOMATIC.has(trigger));
    if (engaged) now.lever = { by, reason, since: time() };
    else delete now.lever;
    noteLever(now, { engaged, by, reason, at: time() });
    for (const { run } of automatic) this.mail.send(run, messages.leverMoved, now.lever ?? null);
    this.show();
    if (engaged) return `automation is stopped; ${automatic.length} automatic runs pause`;
    const faults = Object.values(now.held).map((fault) => ({ ...fault, reportedAt: time() }));
    now.held = {};
    if (faults.length > 0) await this.openIncidents(faults);
    return `automation goes on: ${automatic.length} runs, and ${faults.length} faults that came meanwhile`;
  }

  /** Records a run that the coordinator died over, or that a person has approved since. */
  private hold(holding: Holding): void {
    record(this.now, holding);
    this.show();
  }

  private lend(holding: Holding): void {
    lend(this.now, holding);
    this.holders.grant();
    this.show();
  }

  private async released({ run, scope, state, changed, seenBy }: Release): Promise<void> {
    const parts = changed ? [] : (this.now.parts[run] ?? []);
    // What a run has left to others is no echo of what it has dealt with.
    const left = parts.length > 0 || state === 'absorbed' || state === 'interrupted';
    this.holders.forget(run, { state, changed }, left ? undefined : time());
    if (seenBy) forgive(this.now, scope);
    this.holders.grant();
    if (parts.length > 0) await this.reopen(parts);
    this.show();
  }

  /** Faults that a wider run was to deal with, and has not, get runs of their own. */
  private async reopen(parts: readonly Fault[]): Promise<void> {
    await this.openIncidents(parts.map((part) => ({ ...part, reportedAt: time() })));
  }

  private knownRules(): Promise<Rules> {
    this.rules ??= coordinationRules();
    return this.rules;
  }

  /** What a person sees of the coordinator in the Temporal UI. */
  private show(): void {
    const { incidents } = this.now;
    const open = Object.values(incidents).map(
      ({ id, scope, run, arrivals }) => `incident **${id}** on ${scope}: ${run}, ${arrivals} alert(s)`,
    );
    const lines = [...explain(this.now), ...open].slice(0, 50);
    setCurrentDetails(
      lines.length > 0 ? lines.map((line) => `- ${line}`).join('\n') : 'Nothing is going on.',
    );
  }
}

function heldBy(scope: string, holder: Claim): string {
  const where = holder.scope === scope ? 'is held' : `overlaps ${holder.scope}, held`;
  return `${scope} ${where} by ${holder.run} since ${holder.since}`;
}

/** A fault that is handed over in the millisecond in which it was seen needs a second name too. */
function aMomentAfter(at: string): string {
  return new Date(Date.parse(at) + 1).toISOString();
}

function checkLever(change: LeverChange | undefined): void {
  for (const field of ['by', 'reason'] as const) {
    const value: unknown = change?.[field];
    if (typeof value === 'string' && value.trim()) continue;
    throw ApplicationFailure.nonRetryable(
      `lever: ${field}: must say ${field === 'by' ? 'who moves it' : 'why'}, e.g. {"engaged": true, "by": "ada", "reason": "the monitor is wrong"}`,
      'BAD_INPUT',
    );
  }
  if (typeof change?.engaged === 'boolean') return;
  throw ApplicationFailure.nonRetryable('lever: engaged: must be true or false', 'BAD_INPUT');
}
