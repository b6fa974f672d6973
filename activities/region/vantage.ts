import { setTimeout as delay } from 'node:timers/promises';
import { SwitchoverError } from '../../core/errors';
import { isDegraded } from '../../core/health';
import type { RegionView } from '../../core/region';
import type { Finding } from '../../core/run';
import { nodesOf, regionConfig } from '../../core/topology';
import type { Deps } from '../deps';
import { beating } from '../beating';

/** How long a load balancer may take to answer another region, ms. */
const ANSWER_MS = 1_000;
/** So often a region has to look failed in a row: once may be this machine's own trouble. */
const LOOKS = 3;
const AGAIN_MS = 250;

/**
 * Looks at other regions, from the one that the worker is in: these go to the queue of that region.
 * @param wayTo how the way to a region was lately, in words; undefined where nobody here has probed it
 */
export function regionVantage(deps: Deps, wayTo: (region: string) => string | undefined) {
  const { config, prober } = deps;
  const balancerOf = (region: string) =>
    prober.http(new URL('/health', regionConfig(config, region).loadBalancer.url).href, ANSWER_MS);

  const look = async (from: string, region: string): Promise<RegionView> => {
    const others = Object.keys(config.regions).filter((one) => one !== region && one !== from);
    const inService = nodesOf(config, region).filter(({ spare }) => !spare);
    const [balancer, nodes, reached] = await Promise.all([
      balancerOf(region),
      Promise.all(inService.map(({ address }) => prober.health(address))),
      Promise.all(others.map(balancerOf)),
    ]);
    const way = wayTo(region);
    return {
      from,
      ...(way === undefined ? {} : { way }),
      balancer: { ok: balancer.ok, said: balancer.said },
      nodes: { healthy: nodes.filter(({ ok }) => ok).length, of: nodes.length },
      reaches: others.filter((_, i) => reached[i]!.ok),
    };
  };

  return {
    /**
     * How a region looks from here: its load balancer and each of its nodes, asked directly, and whether this worker reaches anybody at
     * all. It looks again where the region seems to have failed, and tells the best of what it saw.
     * @throws UNKNOWN_TARGET of a worker that is in no region
     */
    viewRegion: beating(async ({ region }: { region: string }): Promise<Finding<RegionView>> => {
      const from = deps.here;
      if (from === undefined) throw new SwitchoverError('UNKNOWN_TARGET', 'this worker is in no region');
      for (let looks = 1; ; looks += 1) {
        const value = await look(from, region);
        const { healthy, of } = value.nodes;
        const well = value.balancer.ok && !isDegraded(of - healthy, of, config.health.region);
        if (well || looks === LOOKS) return { sentence: `${healthy} of ${of} nodes are healthy`, value };
        await delay(AGAIN_MS);
      }
    }),
  };
}
