import { next, type NodeHealth } from '../../core/health';
import type { Deps } from '../deps';

/** Asks a node once more how it is, and judges the answer by the rule of the environment: one that is late is no failure. */
export async function observe(
  { config, prober }: Deps,
  address: string,
  known: NodeHealth,
): Promise<NodeHealth> {
  const { ok, said } = await prober.health(address);
  const at = new Date().toISOString();
  return next(known, ok ? { kind: 'ok', at } : { kind: 'fail', at, cause: said }, config.health.node);
}
