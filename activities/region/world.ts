import { weightsOf } from '../../core/dns';
import { serving } from '../../core/guards';
import type { DegradedRule } from '../../core/health';
import type { Finding } from '../../core/run';
import { nodesOf, regionConfig } from '../../core/topology';
import { shareOut, type Receiver, type Share } from '../../core/traffic';
import { beating } from '../beating';
import { dnsOf, type Deps } from '../deps';
import { lookAtPool } from '../pool';

/** How the world is shared now, and how it is to be shared without a region. */
export interface World {
  /** The other regions, from where it can be looked at. */
  others: string[];
  /** Weights now, by region. */
  weights: Record<string, number>;
  /** Weights when all is well, by region. */
  home: Record<string, number>;
  receivers: Receiver[];
  share: Share;
  /** From when on a region counts as failed. */
  degraded: DegradedRule;
}

/** Reads about who serves the world. None of them changes anything. */
export function regionWorld(deps: Deps) {
  const { config } = deps;

  /** One whose load balancer does not answer takes nothing. */
  const receiverOf = async (region: string, weight: number): Promise<Receiver> => {
    const pool = await lookAtPool(deps.region(region).loadBalancer).catch(() => undefined);
    const members = pool?.members ?? [];
    const known = new Set(members.map(({ server }) => server));
    const spares = nodesOf(config, region).filter(({ spare, server }) => spare && !known.has(server));
    return {
      region,
      weight,
      serving: serving(members).length,
      spares: pool ? spares.map(({ id }) => id) : [],
      peakPerS: pool?.load.peakPerS ?? null,
    };
  };

  return {
    /** Who can take the traffic of a region, and how it would be shared out. */
    lookAtWorld: beating(async ({ region }: { region: string }): Promise<Finding<World>> => {
      const weights = weightsOf(await dnsOf(deps).look());
      const { failover } = regionConfig(config, region);
      const active = Object.entries(config.regions).flatMap(([name, { role }]) =>
        name !== region && role === 'active' && name in weights ? [name] : [],
      );
      const receivers = await Promise.all(active.map((name) => receiverOf(name, weights[name] ?? 0)));
      const share = shareOut({
        leaving: { region, weight: weights[region] ?? 0 },
        receivers,
        preferred: failover,
        nodeCapacity: config.policies.nodeCapacity,
      });
      const others = Object.keys(config.regions).filter((name) => name !== region);
      const home = Object.fromEntries(
        Object.keys(weights).map((name) => [name, config.regions[name]?.weight ?? 0]),
      );
      const degraded = config.health.region;
      return { sentence: share.said, value: { others, weights, home, receivers, share, degraded } };
    }),
  };
}
