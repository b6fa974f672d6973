import { sleep } from '@temporalio/activity';
import { SwitchoverError } from '../../core/errors';
import { serving } from '../../core/guards';
import type { Finding } from '../../core/run';
import { millis } from '../../core/time';
import { regionConfig, type Node } from '../../core/topology';
import type { Deps } from '../deps';

/** What clients got while a region's service was proven. `provenAt`: ISO time. */
export interface Proof {
  calls: number;
  failed: number;
  provenAt: string;
}

/**
 * Proves a region's service from the client's side: real MCP calls through its load balancer, with these nodes in service,
 * without a failure for as long as the policies ask.
 * @param watch the time without a failure, as in the policies
 * @throws NODE_UNHEALTHY where there still are failures when that time and nine times that of the policies have passed.
 */
export async function proveService(
  { config, prober, region: systems }: Deps,
  region: string,
  nodes: readonly Node[],
  watch = config.policies.watch,
): Promise<Finding<Proof>> {
  const { url } = regionConfig(config, region).loadBalancer;
  const { loadBalancer } = systems(region);
  const wanted = millis(watch);
  const deadline = Date.now() + wanted + 9 * millis(config.policies.watch);
  let [since, calls, failed] = [Date.now(), 0, 0];
  while (Date.now() - since < wanted) {
    const [probe, members] = await Promise.all([prober.mcp(url), loadBalancer.members()]);
    const servers = new Set(serving(members).map(({ server }) => server));
    const missing = nodes.filter(({ server }) => !servers.has(server)).map(({ id }) => id);
    calls += 1;
    if (!probe.ok || missing.length > 0) {
      failed += 1;
      since = Date.now();
      if (since > deadline) {
        const without = missing.length > 0 ? `, without ${missing.join(', ')}` : '';
        throw new SwitchoverError(
          'NODE_UNHEALTHY',
          `service through ${url} is not steady: ${probe.said}${without}`,
        );
      }
    }
    await sleep(millis(config.health.node.suspiciousInterval));
  }
  return {
    sentence: `${calls - failed} of ${calls} MCP calls through the load balancer answered, the last ${watch} without a failure`,
    value: { calls, failed, provenAt: new Date().toISOString() },
  };
}
