import type { DnsView } from '../../core/dns';
import type { Deps } from '../deps';

/** Whether clients that are led to a region are served. */
export interface Serving {
  region: string;
  ok: boolean;
  /** `200 ready in 3 ms` · `connection refused` · `not a region of this environment` … */
  said: string;
}

/** One lost answer is no outage. */
const TRIES = 2;

/** Asks each region's load balancer for its health where the name leads clients: one address that answers is enough. */
export function servingRegions({ config, prober }: Deps, { records }: DnsView): Promise<Serving[]> {
  return Promise.all(
    records.map(async ({ region, addresses }) => {
      const url = config.regions[region]?.loadBalancer.url;
      if (!url) return { region, ok: false, said: 'not a region of this environment' };
      const port = new URL(url).port || '80';
      const asked = addresses.flatMap((address) => Array.from({ length: TRIES }, () => `${address}:${port}`));
      let said = 'no address';
      for (const address of asked) {
        const probe = await prober.health(address);
        said = probe.said;
        if (probe.ok) return { region, ok: true, said };
      }
      return { region, ok: false, said };
    }),
  );
}
