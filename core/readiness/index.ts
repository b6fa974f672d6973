import type { Config } from '../config';
import { roughly } from '../elapsed';
import type { Need } from '../needs';
import type { Runbook } from '../runbook';
import { millis } from '../time';
import { foreseen, forecastOf, usualObjective } from './forecast';
import { lacking, needsOf } from './needs';
import * as places from './places';
import { settingsOf } from './settings';
import { unknown, type Rule } from './shortfall';
import * as stores from './stores';
import {
  VERDICTS,
  type Readiness,
  type ReadinessChange,
  type ReadinessView,
  type Shortfall,
  type Verdict,
  type WorldSeen,
} from './types';

export { settingsOf } from './settings';
export * from './types';

/**
 * Whether each runbook could be carried out right now (REQUIREMENTS M2, F12, F13): pure rules over what was looked at. Where a guard
 * decides when it matters, it is asked here ahead of time; who looks is activities/readiness.
 */
const RULES: Readonly<Record<Need, Rule>> = {
  balancers: places.balancers,
  supervisors: places.supervisors,
  sessions: places.sessions,
  'node-headroom': places.nodeHeadroom,
  spares: places.spares,
  'zone-headroom': places.zoneHeadroom,
  'region-headroom': places.regionHeadroom,
  'evacuation-headroom': places.evacuationHeadroom,
  'second-balancers': places.secondBalancers,
  'registry-standby': stores.registryStandby,
  'database-successor': stores.databaseSuccessor,
  'database-switch': stores.databaseSwitch,
  'database-members': stores.databaseMembers,
  'database-machines': stores.databaseMachines,
  'control-plane': stores.controlPlane,
  'store-successor': stores.storeSuccessor,
  'store-switch': stores.storeSwitch,
  name: places.name,
  repositories: stores.repositories,
  backup: stores.backup,
};

/** How every runbook of a catalogue stands, in its order. */
export function evaluate(catalogue: readonly Runbook[], config: Config, seen: WorldSeen): ReadinessView {
  return {
    at: seen.at,
    everyMs: settingsOf(config).everyMs,
    runbooks: catalogue.map((runbook) => readinessOf(runbook, config, seen)),
  };
}

/** How one runbook stands. */
export function readinessOf(runbook: Runbook, config: Config, seen: WorldSeen): Readiness {
  const { id } = runbook;
  const objectiveMs = millis(config.objectives[usualObjective(runbook)]?.rto ?? '0s');
  const part = lacking(runbook, config);
  if (part !== undefined)
    return { runbook: id, verdict: 'not here', shortfalls: [], forecast: { runs: 0 }, objectiveMs };
  const asked = { seen, config };
  const forecast = forecastOf(runbook, asked);
  const shortfalls = [
    ...needsOf(runbook, config).flatMap((need) => RULES[need](asked)),
    ...foreseen(runbook, forecast, asked),
  ].toSorted((a, b) => rank(b.verdict) - rank(a.verdict));
  const provenAt = seen.history?.[id]?.provenAt;
  return {
    runbook: id,
    verdict: worst(shortfalls),
    shortfalls,
    forecast,
    objectiveMs,
    ...(provenAt === undefined ? {} : { provenAt }),
  };
}

/** The same at a later moment: an evaluation that should have been repeated by now, and was not, says nothing any more. */
export function asOf(view: ReadinessView, now: string): ReadinessView {
  const age = Date.parse(now) - Date.parse(view.at);
  if (age <= 2 * view.everyMs) return view;
  const stale = unknown(
    `it was last looked at ${roughly(age)} ago, and should be every ${roughly(view.everyMs)}`,
    'see that a worker is running: nobody evaluates',
  );
  return {
    ...view,
    runbooks: view.runbooks.map((one) =>
      one.verdict === 'not here'
        ? one
        : { ...one, verdict: 'unknown', shortfalls: [stale, ...one.shortfalls] },
    ),
  };
}

/** Runbooks that stand otherwise than before. What was never looked at before was unknown. */
export function changesOf(before: ReadinessView | undefined, after: ReadinessView): ReadinessChange[] {
  const was = new Map(before?.runbooks.map(({ runbook, verdict }) => [runbook, verdict]));
  return after.runbooks.flatMap(({ runbook, verdict: to, shortfalls }) => {
    const from = was.get(runbook) ?? 'unknown';
    return from === to ? [] : [{ runbook, at: after.at, from, to, because: shortfalls[0]?.says ?? '' }];
  });
}

/** The worst verdict of what stands against a runbook. */
function worst(shortfalls: readonly Shortfall[]): Verdict {
  return shortfalls.reduce<Verdict>(
    (verdict, one) => (rank(one.verdict) > rank(verdict) ? one.verdict : verdict),
    'ready',
  );
}

function rank(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}
