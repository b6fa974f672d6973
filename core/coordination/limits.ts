import type { LeverMove } from '../journal';
import { contains, kindOf } from '../scope';
import { elapsed } from '../report';
import type { Outcome, RunState } from '../run';
import { claims } from './locks';
import type { Coordination, PastRun, Rules, Windows } from './state';

const HOUR_MS = 3_600_000;

/** More runs of automation than that are not remembered. */
const PAST_KEPT = 500;

const CUT_SHORT: ReadonlySet<RunState> = new Set<Outcome>(['absorbed', 'interrupted']);

/** Notes that an automatic run was started, for the budget, which counts whole minutes. `at`: ISO time. */
export function noteStart(now: Coordination, at: string): void {
  const minute = at.slice(0, 16);
  const kept = Object.entries(now.starts).filter(([start]) => since(`${start}Z`, at) < HOUR_MS);
  now.starts = { ...Object.fromEntries(kept), [minute]: (now.starts[minute] ?? 0) + 1 };
}

/** Notes how an automatic run ended; one that made room for another one has shown nothing. */
export function noteEnd(now: Coordination, past: PastRun): void {
  if (!CUT_SHORT.has(past.state)) now.past = [...now.past, past].slice(-PAST_KEPT);
}

/** Moves of the safety lever that are remembered, for the journal to read. */
const MOVES_KEPT = 100;

/** Notes a move of the safety lever. */
export function noteLever(now: Coordination, move: LeverMove): void {
  now.leverMoves = [...now.leverMoves, move].slice(-MOVES_KEPT);
}

/** A person has looked at this scope: what automation did there before no longer counts against it. */
export function forgive(now: Coordination, scope: string): void {
  now.past = now.past.filter((past) => past.scope !== scope || !past.changed);
}

/**
 * Why an automatic run must ask a person before it acts, or null (DESIGN section 4): it has done the same to this scope
 * as often as it may, or all runs together have done, or hold, as much as they may.
 */
export function whyAsk(
  now: Coordination,
  rules: Rules,
  { runbook, scope, at }: { runbook: string; scope: string; at: string },
): string | null {
  return repeats(now, rules, runbook, scope, at) ?? starts(now, rules, at) ?? capacity(now, rules, scope);
}

function repeats(now: Coordination, rules: Rules, runbook: string, scope: string, at: string): string | null {
  const rule = rules.repeats[kindOf(scope)];
  if (!rule) return null;
  const times = now.past.filter(
    (past) =>
      past.runbook === runbook && past.scope === scope && past.changed && since(past.at, at) < rule.withinMs,
  ).length;
  if (times < rule.times) return null;
  return `${runbook} was carried out on ${scope} ${times} time${times === 1 ? '' : 's'} within ${elapsed(rule.withinMs)} and it has failed again: repeating it does not cure it`;
}

function starts(now: Coordination, { budget }: Rules, at: string): string | null {
  const lately = Object.entries(now.starts).filter(([start]) => since(`${start}Z`, at) < HOUR_MS);
  const within = lately.reduce((sum, [, count]) => sum + count, 0);
  return within < budget.runsPerHour
    ? null
    : `automation has started ${within} runs within an hour, which is all it may (budget.runsPerHour)`;
}

/**
 * Counts the nodes within the scopes of every run that is not over, paused and waiting ones too, and of this one. Work that waits for
 * rescues has but a few of its scope's nodes out, and leaves room for a rescue among them.
 */
function capacity(now: Coordination, { nodes, budget }: Rules, scope: string): string | null {
  const all = nodes['global'] ?? 0;
  const held = claims(now).filter(({ waits }) => !waits);
  const scopes = [...new Set([scope, ...held.map((claim) => claim.scope)])];
  const widest = scopes.filter((one) => !scopes.some((other) => other !== one && contains(other, one)));
  const out = widest.reduce((sum, one) => sum + (kindOf(one) === 'node' ? 1 : (nodes[one] ?? 0)), 0);
  if (all === 0 || widest.length === 1 || out / all <= budget.capacityOut) return null;
  return `with ${scope} runs would have ${out} of all ${all} nodes in their hands, more than ${Math.round(budget.capacityOut * 100)} % (budget.capacityOut)`;
}

/**
 * Why planned work must not begin now, or null (X5): an incident is open, a time is blocked, or its window is closed.
 * `at`: ISO time. Never asked about a rescue.
 */
export function whyNotNow(
  now: Coordination,
  windows: Windows,
  { kind, at }: { kind: 'drill' | 'deploy'; at: string },
): string | null {
  const incident = Object.values(now.incidents)[0];
  if (incident) return `incident ${incident.id} on ${incident.scope} is open`;
  const blocked = windows.blocked?.find(({ from, to }) => from <= at && at < to);
  if (blocked) return `${kind}s are blocked until ${blocked.to}: ${blocked.reason}`;
  const list = windows[kind];
  if (!list || list.some((window) => isWithin(window, at))) return null;
  const times = list.map(({ days, from, to }) => `${days.join(', ')} ${from}–${to} UTC`);
  return `the window for ${kind}s is closed; it opens ${times.join('; ')}`;
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** A window that ends before it begins goes over midnight and belongs to the day on which it begins. */
function isWithin(
  { days, from, to }: { days: readonly string[]; from: string; to: string },
  at: string,
): boolean {
  const day = new Date(at).getUTCDay();
  const time = at.slice(11, 16);
  if (from <= to) return days.includes(DAYS[day]!) && from <= time && time < to;
  return (days.includes(DAYS[day]!) && from <= time) || (days.includes(DAYS[(day + 6) % 7]!) && time < to);
}

/** ms from one ISO time to another. */
function since(then: string, at: string): number {
  return Date.parse(at) - Date.parse(then);
}
