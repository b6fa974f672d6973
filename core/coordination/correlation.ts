import { isDegraded } from '../health';
import type { Runbook } from '../runbook';
import { contains, kindOf, parents, pathOf } from '../scope';
import { claims } from './locks';
import { WINDOW_MS, type Coordination, type Fault, type Rules } from './state';

/**
 * For so long after a place's runbook ended without having acted the place is left to the runbooks of its parts, ms: what it saw then
 * counts no more, only what has failed since.
 */
const IN_VAIN_MS = 60_000;

/**
 * Faults of nodes that together are one fault of their zone or region (REQUIREMENTS H4), the widest first. Counted are the
 * nodes with an open incident, those that were reported a moment ago, and those of `faults`, which are not open yet. Left
 * out is a place that a run already deals with, and what had failed before its runbook has just found nothing to do or was not let: it
 * must not keep the parts from being healed. Nor must a runbook that this environment is not for, as that of a region without DNS.
 * `at`: ISO time.
 */
export function widened(
  now: Coordination,
  rules: Rules,
  catalogue: readonly Runbook[],
  faults: readonly Fault[],
  at: string,
): Fault[] {
  const found = new Map<string, Fault>();
  for (const { scope } of faults) {
    for (const place of parents(scope)) {
      const kind = kindOf(place);
      const runbook = catalogue.find(
        ({ id, whenDegraded, scope: own }) =>
          whenDegraded && own.kind === kind && !rules.absent?.includes(id),
      );
      if (!runbook || found.has(place) || isDealtWith(now, place)) continue;
      const wide = degraded(now, rules, { place, faults, at, after: inVainAt(now, place, runbook.id, at) });
      if (wide) found.set(place, faultOf(place, runbook, wide));
    }
  }
  const widestFirst = [...found.values()].sort((a, b) => a.scope.length - b.scope.length);
  return widestFirst.filter(
    ({ scope }) => !widestFirst.some((other) => other.scope !== scope && contains(other.scope, scope)),
  );
}

function isDealtWith(now: Coordination, place: string): boolean {
  return claims(now).some(({ scope }) => contains(scope, place));
}

/** When the place's runbook ended in vain a moment ago, ISO; the empty string where it did not. */
function inVainAt(now: Coordination, place: string, runbook: string, at: string): string {
  const inVain = now.past.findLast(
    (past) =>
      past.scope === place &&
      past.runbook === runbook &&
      !past.changed &&
      Date.parse(at) - Date.parse(past.at) < IN_VAIN_MS,
  );
  return inVain?.at ?? '';
}

/** The nodes of a place that have failed, where they are so many that the place has; by scope, with the earliest fault. */
function degraded(
  now: Coordination,
  rules: Rules,
  {
    place,
    faults,
    at,
    after,
  }: {
    place: string;
    faults: readonly Fault[];
    at: string;
    /** What had failed before does not count. */ after: string;
  },
) {
  const rule = rules.degraded[kindOf(place) as 'zone' | 'region'];
  const of = rules.nodes[place];
  if (!rule || !of) return null;
  const drilled = (scope: string) =>
    claims(now).some((claim) => claim.scope === scope && claim.precedence === 'drill');
  const failing = new Map<string, Fault | { alert: { source: string; faultAt: string } }>();
  const drills = new Set(claims(now).flatMap(({ run, precedence }) => (precedence === 'drill' ? [run] : [])));
  for (const incident of Object.values(now.incidents)) {
    if (drills.has(incident.run)) continue; // its fault is made good when it makes room
    const alert = { source: incident.alerts[0]?.source ?? 'unknown', faultAt: incident.faultAt };
    for (const scope of [incident.scope, ...(incident.places ?? [])]) failing.set(scope, { alert });
  }
  for (const [scope, { faultAt, source, at: seen }] of Object.entries(now.reported)) {
    if (Date.parse(at) - Date.parse(seen) < WINDOW_MS && !drilled(scope))
      failing.set(scope, { alert: { source, faultAt } });
  }
  for (const fault of faults) failing.set(fault.scope, fault);
  const nodes = [...failing].filter(
    ([scope, { alert }]) => kindOf(scope) === 'node' && contains(place, scope) && alert.faultAt > after,
  );
  if (!isDegraded(nodes.length, of, rule)) return null;
  const [first] = nodes.map(([, { alert }]) => alert.faultAt).sort();
  return { scopes: nodes.map(([scope]) => scope), of, faultAt: first! };
}

function faultOf(
  place: string,
  { id, scope: { input } }: Runbook,
  { scopes, of, faultAt }: { scopes: string[]; of: number; faultAt: string },
): Fault {
  const names = scopes.map((scope) => pathOf(scope).at(-1)!).toSorted((a, b) => a.localeCompare(b));
  return {
    runbook: id,
    input: input === undefined ? {} : { [input]: pathOf(place).join('/') },
    scope: place,
    trigger: 'monitor',
    alert: {
      source: 'correlation',
      fingerprint: `degraded/${place}`,
      summary: `${scopes.length} of ${of} nodes of ${pathOf(place).join('/')} have failed: ${names.join(', ')}`,
      faultAt,
    },
  };
}
