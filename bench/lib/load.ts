import type { Config } from '../../core/config';
import { startLoad, type Load, type LoadOptions } from '../../sandbox/load';
import { CROWD } from '../../sandbox/scenario';

/** The clients of the demo, in more of a hurry: what is measured is measured under load. */
export const BUSY = { ...CROWD, ratePerClient: 5 } as const;

/** Clients that go where the fleet's name leads them, and keep what they were answered for as long as its TTL says. */
export function startLoadByName(
  { dns }: Config,
  { clients, ratePerClient }: Required<Pick<LoadOptions, 'clients' | 'ratePerClient'>>,
): Load {
  return startLoad({
    url: `http://${dns!.name.replace(/\.$/, '')}:8080/mcp`,
    nameserver: dns!.nameservers[0]!,
    clients,
    ratePerClient,
    timeoutMs: 5_000,
  });
}
