import type { Config } from '../config';
import { lacking } from '../readiness/needs';
import type { Runbook } from '../runbook';
import { millis } from '../time';
import { nodesOf } from '../topology';
import type { Rules } from './state';

/** What the environment file says of coordination. `catalogue`: the runbooks there are. */
export function rulesOf(config: Config, catalogue: readonly Runbook[]): Rules {
  const { health, policies } = config;
  return {
    nodes: nodeCounts(config),
    degraded: { zone: health.zone, region: health.region },
    absent: catalogue.filter((runbook) => lacking(runbook, config) !== undefined).map(({ id }) => id),
    repeats: Object.fromEntries(
      Object.entries(policies.repeats).map(([kind, { times, within }]) => [
        kind,
        { times, withinMs: millis(within) },
      ]),
    ),
    budget: policies.budget,
    windows: policies.windows ?? {},
  };
}

/** Nodes in service when all is well, by scope; spares are none, and a region for disasters adds nothing to what there is in all. */
function nodeCounts(config: Config): Record<string, number> {
  const counts: Record<string, number> = { global: 0 };
  for (const [region, { role }] of Object.entries(config.regions)) {
    const all = role === 'active' ? ['global'] : [];
    for (const { zone } of nodesOf(config, region).filter(({ spare }) => !spare)) {
      for (const scope of [...all, `region/${region}`, `zone/${region}/${zone}`])
        counts[scope] = (counts[scope] ?? 0) + 1;
    }
  }
  return counts;
}
