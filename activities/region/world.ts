import type { Config } from '../../core/config';
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

  return {
    /** Who can take the traffic of a region, and how it would be shared out. */
    lookAtWorld: beating(async ({ region }: { region: string }): Promise<Finding<World>> => {
      const weights = weightsOf(await dnsOf(deps).look());
      const { failover } = regionConfig(config, region);
      // A region for disasters takes something only once it was activated.
      const serves = Object.entries(config.regions).flatMap(([name, { role }]) =>
        name !== region && name in weights && (role === 'active' || weights[name]! > 0) ? [name] : [],
      );
      const receivers = await Promise.all(serves.map((name) => receiverOf(deps, name, weights[name] ?? 0)));
      const weight = weights[region] ?? 0;
      const share = shareOut({
        leaving: { regions: [region], weight },
        receivers,
        // One that is left already has been shared out.
        preferred: weight > 0 ? failover : undefined,
        nodeCapacity: config.policies.nodeCapacity,
      });
      const others = vantagesOf(config).filter((name) => name !== region);
      const home = Object.fromEntries(
        Object.keys(weights).map((name) => [name, config.regions[name]?.weight ?? 0]),
      );
      const degraded = config.health.region;
      return { sentence: share.said, value: { others, weights, home, receivers, share, degraded } };
    }),
  };
}

/** What a region can take. One whose load balancer does not answer takes nothing. */
export async function receiverOf(deps: Deps, region: string, weight: number): Promise<Receiver> {
  const pool = await lookAtPool(deps.region(region).loadBalancer).catch(() => undefined);
  const members = pool?.members ?? [];
  const known = new Set(members.map(({ server }) => server));
  const spares = nodesOf(deps.config, region).filter(({ spare, server }) => spare && !known.has(server));
  return {
    region,
    weight,
    serving: serving(members).length,
    spares: pool ? spares.map(({ id }) => id) : [],
    peakPerS: pool?.load.peakPerS ?? null,
  };
}

/** From where regions are looked at: every one in which something runs. */
export function vantagesOf({ regions }: Config): string[] {
  return Object.keys(regions).filter((name) => regions[name]!.role !== 'cold');
}
