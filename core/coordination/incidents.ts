import { contains } from '../scope';
import type { AlertRef } from '../run';
import { claims } from './locks';
import { WINDOW_MS, type Claim, type Coordination, type Fault, type Incident, type Symptom } from './state';

const ALERTS_KEPT = 50;

/** A run that was seen at work so lately is not looked up again, ms: a burst of alerts costs one look, not hundreds. */
export const FRESH_MS = 2_000;

/** For so long after a run the very alerts it answered are taken for the rest of their storm, ms. */
export const ECHO_MS = 2_000;

/**
 * The run that already deals with a fault, whatever the fault's runbook: one on its scope or around it. What fails under
 * a run's hands is taken for its own doing and is evidence for it, a drill's above all. Planned work answers only for its
 * very scope and for what it has in hand, and while nobody has approved it only where it would do the same; else it makes
 * room. Work that waits for rescues answers only for what it has in hand.
 */
export function dealsWith(now: Coordination, { scope, runbook }: Fault): Claim | undefined {
  const answers = (claim: Claim): boolean => {
    if (!contains(claim.scope, scope)) return false;
    if (claim.waits) return hasInHand(claim, scope);
    if (claim.precedence !== 'planned' || hasInHand(claim, scope)) return true;
    return claim.scope === scope && (claim.trigger !== 'unknown' || claim.runbook === runbook);
  };
  const found = claims(now).filter(answers);
  return found.find(({ yieldsTo }) => !yieldsTo) ?? found[0];
}

/** Whether a run has taken this place out of service itself, or has a run beneath it there. */
function hasInHand({ inHand = [] }: Claim, scope: string): boolean {
  return inHand.some((place) => contains(place, scope));
}

/** Whether a fault is a run's own doing: it says nothing of the places around it either. */
export function isOwnDoing(now: Coordination, { scope }: Fault): boolean {
  return claims(now).some((claim) => hasInHand(claim, scope));
}

/** The open incident that a symptom belongs to: of a scope around it, else the widest within its own. */
export function explains(now: Coordination, { scope }: Symptom): Incident | undefined {
  const incidents = Object.values(now.incidents).toSorted((a, b) => a.scope.length - b.scope.length);
  return (
    incidents.findLast((incident) => contains(incident.scope, scope)) ??
    incidents.find((incident) => contains(scope, incident.scope))
  );
}

/** Notes that these faults were handed over. `at`: ISO time. */
export function noteReports(now: Coordination, faults: readonly Fault[], at: string): void {
  const fresh = Object.entries(now.reported).filter(
    ([, { at: seen }]) => Date.parse(at) - Date.parse(seen) < WINDOW_MS,
  );
  const news = faults.map(
    ({ scope, alert: { source, faultAt } }) => [scope, { faultAt, source, at }] as const,
  );
  now.reported = Object.fromEntries([...fresh, ...news]);
}

/** The faults of a scope and of those in it are over. */
export function forgetReports(now: Coordination, scope: string): void {
  for (const place of Object.keys(now.reported)) if (contains(scope, place)) delete now.reported[place];
}

/** Opens an incident for a fault that `run` deals with. `at`: ISO time. */
export function openIncident(now: Coordination, fault: Fault, run: string, at: string): Incident {
  now.opened += 1;
  const stamp = at.slice(0, 10).replaceAll('-', '');
  const incident: Incident = {
    id: `INC-${stamp}-${String(now.opened).padStart(4, '0')}`,
    scope: fault.scope,
    runbook: fault.runbook,
    input: fault.input,
    run,
    faultAt: fault.alert.faultAt,
    openedAt: at,
    alerts: [fault.alert],
    arrivals: 1,
  };
  now.incidents[fault.scope] = incident;
  return incident;
}

/** Attaches a fault to an open incident. @returns whether the alert is one not seen before */
export function attach(incident: Incident, { scope, alert }: Symptom): boolean {
  incident.arrivals += 1;
  if (alert.faultAt < incident.faultAt) incident.faultAt = alert.faultAt;
  if (scope !== incident.scope && !incident.places?.includes(scope))
    incident.places = [...(incident.places ?? []), scope];
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
  const closed = Object.entries(now.closed).find(([place]) => contains(place, scope))?.[1];
  if (!closed || alert.faultAt > closed.at) return undefined;
  if (Date.parse(at) - Date.parse(closed.at) > ECHO_MS) return undefined;
  return closed.incident.alerts.some((known) => isSame(known, alert)) ? closed.incident : undefined;
}

/** Notes that a run deals with a fault of a narrower scope than its own; the first fault of each. */
export function notePart(now: Coordination, run: string, fault: Fault): void {
  const parts = now.parts[run] ?? [];
  if (parts.every(({ scope }) => scope !== fault.scope)) now.parts[run] = [...parts, fault];
}

/** What runs that make room were dealing with: a fault for each alert of their incidents, and their own parts. */
export function unfinished(now: Coordination, from: readonly Claim[]): Fault[] {
  return from.flatMap(({ run, trigger }) => {
    const own = Object.values(now.incidents).filter((incident) => incident.run === run);
    const faults = own.flatMap(({ runbook, input, scope, alerts }) =>
      alerts.map((alert) => ({ runbook, input, scope, trigger, alert })),
    );
    return [...faults, ...(now.parts[run] ?? [])];
  });
}

/** Closes the incidents of a run. `at`: ISO time at which it said that it is over; left out where it did not. */
export function closeIncidents(now: Coordination, run: string, at?: string): void {
  for (const [scope, closed] of Object.entries(now.closed)) {
    if (at && Date.parse(at) - Date.parse(closed.at) > ECHO_MS) delete now.closed[scope];
  }
  for (const [scope, incident] of Object.entries(now.incidents)) {
    if (incident.run !== run) continue;
    delete now.incidents[scope];
    if (at) now.closed[scope] = { incident, at };
  }
}
