import type { Config } from '../config';
import { millis } from '../time';
import { nodesOf } from '../topology';
import type { Rules } from './state';

/** What the environment file says of coordination. */
export function rulesOf(config: Config): Rules {
  const { health, policies } = config;
  return {
    nodes: nodeCounts(config),
    degraded: { zone: health.zone, region: health.region },
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

/** Nodes in service when all is well, by scope; spares are none. */
function nodeCounts(config: Config): Record<string, number> {
  const counts: Record<string, number> = { global: 0 };
  for (const region of Object.keys(config.regions)) {
    for (const { zone } of nodesOf(config, region).filter(({ spare }) => !spare)) {
      for (const scope of ['global', `region/${region}`, `zone/${region}/${zone}`])
        counts[scope] = (counts[scope] ?? 0) + 1;
    }
  }
  return counts;
}
