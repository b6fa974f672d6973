import { setTimeout as delay } from 'node:timers/promises';
import { SwitchoverError } from '../../core/errors';
import type { Finding } from '../../core/run';
import { nodesOf } from '../../core/topology';
import { beating } from '../beating';
import { proveWrite, type WriteProof } from '../prove-write';
import { registryOf, type Deps } from '../deps';
import { whyNotPromoteIn } from './acts';
import { assessRegistry, type RegistryAssessment } from './assess';
import { requireAllowed } from '../require-allowed';

/** Which nodes are registered. `provenAt`: ISO time. */
export interface RegisteredNodes {
  nodes: string[];
  provenAt: string;
}

/** How long what follows a promotion by itself may take, ms: the clients' address turns, nodes connect and write anew. */
const FOLLOWS_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** Sees what a failover of the registry brought about. */
export function registryLooks(deps: Deps) {
  const { config, prober } = deps;

  /** Nodes that serve now, by their own word, spares that were called included. */
  const servingNodes = async (): Promise<string[]> => {
    const all = Object.keys(config.regions).flatMap((region) => nodesOf(config, region));
    const probes = await Promise.all(all.map(({ address }) => prober.health(address)));
    return all.filter((_, i) => probes[i]!.ok).map(({ id }) => id);
  };

  return {
    /**
     * Whether the primary has failed, see {@link assessRegistry}.
     * @throws GUARD_REFUSED where it has, but no standby can take over
     */
    lookAtRegistry: beating<void, Finding<RegistryAssessment>>(async () => {
      const found = await assessRegistry(registryOf(deps));
      requireAllowed(found.value.failed ? whyNotPromoteIn(found.value) : null, found.sentence);
      return found;
    }),

    /** Writes through the clients' address until it works. @throws REGISTRY_UNREACHABLE where it does not */
    proveRegistry: beating<void, Finding<WriteProof>>(async () => {
      const { registry } = registryOf(deps);
      return proveWrite(() => registry.write(), {
        withinMs: FOLLOWS_MS,
        code: 'REGISTRY_UNREACHABLE',
      });
    }),

    /** Waits until every node that serves is registered. @throws VERIFY_FAILED naming those that are not */
    awaitRegistered: beating<void, Finding<RegisteredNodes>>(async () => {
      const { registry } = registryOf(deps);
      for (const end = Date.now() + FOLLOWS_MS; ; await delay(LOOK_EVERY_MS)) {
        const [nodes, serve] = await Promise.all([registry.registered(), servingNodes()]);
        const missing = serve.filter((id) => !nodes.includes(id));
        if (missing.length === 0) {
          const value = { nodes, provenAt: new Date().toISOString() };
          return { sentence: `all ${serve.length} nodes that serve are registered`, value };
        }
        if (Date.now() > end)
          throw new SwitchoverError(
            'VERIFY_FAILED',
            `these nodes serve, but are not registered ${FOLLOWS_MS / 1_000} s later: ${missing.join(', ')}`,
          );
      }
    }),
  };
}
