import type { AlertRef, Mode, RunState, Trigger } from './run';

/**
 * What the coordinator knows and how it decides, as pure functions over plain JSON (it travels through
 * continue-as-new). Invariant: a scope has at most one holder, and an incident is open only while its run holds the scope.
 */
export interface Coordination {
  /** Holder of each locked scope. */
  locks: Record<string, Lock>;
  /** Open incidents by the scope they are about. */
  incidents: Record<string, Incident>;
  /** Incidents of the last {@link ECHO_MS} by scope, with the ISO time at which their runs were over. */
  closed: Record<string, { incident: Incident; at: string }>;
  /** Incidents opened so far; part of their ids. */
  opened: number;
}

export interface Lock {
  run: string;
  runbook: string;
  trigger: Trigger;
  /** ISO time. */
  since: string;
}

export interface Incident {
  id: string;
  scope: string;
  run: string;
  /** Earliest observation by any source. */
  faultAt: string;
  openedAt: string;
  /** Distinct alerts, at most {@link ALERTS_KEPT}. */
  alerts: AlertRef[];
  /** All that arrived, repeats included. */
  arrivals: number;
}

/** A fault that wants a run: an alert that matched a runbook, or what the monitor saw. */
export interface Fault {
  runbook: string;
  input: Record<string, unknown>;
  scope: string;
  trigger: Trigger;
  alert: AlertRef;
}

/** A fault as a door hands it over. */
export interface ReportedFault extends Fault {
  /** ISO time of the handing over. */
  reportedAt: string;
}

/** The answer to a fault: the incident it opened or joined, and the run that deals with it. */
export interface Opened {
  incident: string;
  run: string;
  joined: boolean;
}

/** The answer to one of several faults: what it opened or joined, or why it could not be dealt with. */
export type Answered = Opened | { error: { code: string; sentence: string } };

/** A run somebody asks for. `run` is its workflow id. */
export interface StartRequest {
  run: string;
  runbook: string;
  input: Record<string, unknown>;
  scope: string;
  mode: Mode;
  trigger: Trigger;
  by: string;
  reason?: string;
  /** Digest of what was asked under an idempotency key. */
  digest?: string;
}

/** The answer to a start: the run asked for, or the one of the same runbook that already works on the scope. */
export interface Started {
  run: string;
  joined: boolean;
}

/** The answer to a run that asks for its scope. */
export type Grant = { granted: true } | { granted: false; holder: Lock };

/** Sent by a run that begins under a lock that was taken for it. */
export interface Holding extends Lock {
  scope: string;
}

/** Sent by a run that ends. */
export interface Release {
  run: string;
  scope: string;
  state: RunState;
}

const ALERTS_KEPT = 50;

/** For so long after a run the very alerts it answered are taken for the rest of their storm, ms. */
const ECHO_MS = 2_000;

export const NOTHING_OPEN: Coordination = { locks: {}, incidents: {}, closed: {}, opened: 0 };

/** Takes the scope for a run. A run that already holds it is granted again (retries). */
export function claim(now: Coordination, scope: string, lock: Lock): Grant {
  const holder = now.locks[scope];
  if (holder && holder.run !== lock.run) return { granted: false, holder };
  now.locks[scope] = holder ?? lock;
  return { granted: true };
}

/** Opens an incident for a fault whose scope its run has just claimed. `at`: ISO time. */
export function open(now: Coordination, fault: Fault, run: string, at: string): Incident {
  now.opened += 1;
  const stamp = at.slice(0, 10).replaceAll('-', '');
  const incident: Incident = {
    id: `INC-${stamp}-${String(now.opened).padStart(4, '0')}`,
    scope: fault.scope,
    run,
    faultAt: fault.alert.faultAt,
    openedAt: at,
    alerts: [fault.alert],
    arrivals: 1,
  };
  now.incidents[fault.scope] = incident;
  return incident;
}

/** Attaches a fault to the open incident of its scope. @returns whether the alert is one not seen before. */
export function attach(incident: Incident, alert: AlertRef): boolean {
  incident.arrivals += 1;
  if (alert.faultAt < incident.faultAt) incident.faultAt = alert.faultAt;
  if (incident.alerts.some((known) => isSame(known, alert)) || incident.alerts.length >= ALERTS_KEPT)
    return false;
  incident.alerts.push(alert);
  return true;
}

function isSame(one: AlertRef, other: AlertRef): boolean {
  return one.source === other.source && one.fingerprint === other.fingerprint;
}

/** The incident that was just closed over this very alert, of a fault its run has seen and answered. `at`: ISO time. */
export function echoed(now: Coordination, { scope, alert }: Fault, at: string): Incident | undefined {
  const closed = now.closed[scope];
  if (!closed || alert.faultAt > closed.at) return undefined;
  if (Date.parse(at) - Date.parse(closed.at) > ECHO_MS) return undefined;
  return closed.incident.alerts.some((known) => isSame(known, alert)) ? closed.incident : undefined;
}

/**
 * Frees every scope the run holds and closes their incidents. Does nothing for a run that holds none. `at`: ISO time at
 * which the run said that it is over; left out for one that never began or was ended from outside.
 */
export function release(now: Coordination, run: string, at?: string): void {
  for (const [scope, closed] of Object.entries(now.closed)) {
    if (at && Date.parse(at) - Date.parse(closed.at) > ECHO_MS) delete now.closed[scope];
  }
  for (const [scope, lock] of Object.entries(now.locks)) {
    if (lock.run === run) delete now.locks[scope];
  }
  for (const [scope, incident] of Object.entries(now.incidents)) {
    if (incident.run !== run) continue;
    delete now.incidents[scope];
    if (at) now.closed[scope] = { incident, at };
  }
}

/** A workflow id a person can read: `node-failover-us-east-1-a-n1-1121-120533-412` (month, day, time to the ms, UTC). */
export function runId(runbook: string, scope: string, at: string): string {
  const place = scope.split('/').slice(1).join('-') || scope;
  const stamp = `${at.slice(5, 7)}${at.slice(8, 10)}-${at.slice(11, 19).replaceAll(':', '')}-${at.slice(20, 23)}`;
  return `${runbook}-${place}-${stamp}`;
}
