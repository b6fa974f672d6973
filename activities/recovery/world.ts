import { weightsOf } from '../../core/dns';
import type { DegradedRule } from '../../core/health';
import type { Site } from '../../core/recovery';
import type { Finding } from '../../core/run';
import { nodesOf, regionConfig } from '../../core/topology';
import { shareOut, type Receiver, type Share } from '../../core/traffic';
import { messageOf } from '../../core/errors';
import { beating } from '../beating';
import { dnsOf, type Deps } from '../deps';
import { receiverOf, vantagesOf } from '../region/world';

/** The regions of the world: who serves when all is well, who could in a disaster, and from where they are looked at. */
export interface Earth {
  /** That serve when all is well. */
  home: string[];
  sites: Site[];
  vantages: string[];
  /** Weights now, by region. */
  weights: Record<string, number>;
  /** Weights when all is well, by region. */
  planned: Record<string, number>;
  degraded: DegradedRule;
}

/** Reads about who could serve the world after a disaster. None of them changes anything. */
export function recoveryWorld(deps: Deps) {
  const { config, prober } = deps;

  const siteOf = async (site: string, role: Site['role']): Promise<Site> => {
    const nodes = nodesOf(config, site).filter(({ spare }) => !spare);
    const { fleet } = deps.region(site);
    const [supervisor, probes] = await Promise.all([
      fleet.status(nodes[0]!.program).then(
        () => null,
        (error: unknown) => messageOf(error),
      ),
      Promise.all(nodes.map(({ address }) => prober.health(address))),
    ]);
    const healthy = probes.filter(({ ok }) => ok).length;
    const said = supervisor ?? `${healthy} of ${nodes.length} nodes run`;
    return { site, role, nodes: nodes.map(({ id }) => id), healthy, reachable: supervisor === null, said };
  };

  return {
    /** Who serves when all is well, and which sites there are for when it is not. */
    lookAtEarth: beating<void, Finding<Earth>>(async () => {
      const { regions } = config;
      const weights = weightsOf(await dnsOf(deps).look());
      const named = (role: string): string[] =>
        Object.keys(regions).filter((name) => regions[name]!.role === role && name in weights);
      const sites = await Promise.all([
        ...named('standby').map((name) => siteOf(name, 'standby')),
        ...named('cold').map((name) => siteOf(name, 'cold')),
      ]);
      const told = sites.map(({ site, role, said }) => `${site} is ${role}, ${said}`);
      const value = {
        home: named('active'),
        sites,
        vantages: vantagesOf(config),
        weights,
        planned: Object.fromEntries(Object.keys(weights).map((name) => [name, regions[name]?.weight ?? 0])),
        degraded: config.health.region,
      };
      return {
        sentence: told.length > 0 ? told.join('; ') : 'there is no site for disasters',
        value,
      };
    }),

    /** How the world is shared among those that are left and the site, by what each can bear. */
    lookAtShares: beating(
      async ({ lost, site }: { lost: string[]; site: string }): Promise<Finding<Share>> => {
        const weights = weightsOf(await dnsOf(deps).look());
        const left = Object.keys(weights).filter(
          (name) => !lost.includes(name) && name !== site && regionConfig(config, name).role === 'active',
        );
        const receivers = await Promise.all(left.map((name) => receiverOf(deps, name, weights[name] ?? 0)));
        // Its nodes are to serve by then, whether they do now or not.
        const whole = nodesOf(config, site).filter(({ spare }) => !spare).length;
        const own: Receiver = {
          region: site,
          weight: weights[site] ?? 0,
          serving: whole,
          spares: [],
          peakPerS: null,
        };
        const all = [...receivers, own];
        const share = shareOut({
          leaving: { regions: lost, weight: lost.reduce((sum, name) => sum + (weights[name] ?? 0), 0) },
          receivers: all,
          preferred: Object.fromEntries(all.map((one) => [one.region, one.serving + one.spares.length])),
          nodeCapacity: config.policies.nodeCapacity,
        });
        return { sentence: share.said, value: share };
      },
    ),
  };
}
