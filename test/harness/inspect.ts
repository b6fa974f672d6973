import { diskReleases } from '../../activities/adapters/disk-releases';
import { haproxy } from '../../activities/adapters/haproxy';
import { redisSessions } from '../../activities/adapters/redis-sessions';
import { supervisord } from '../../activities/adapters/supervisord';
import type { Fleet, LoadBalancer, Releases, Sessions } from '../../activities/ports';
import { findNode } from '../../core/topology';
import { loadConfig } from '../../operations';
import type { Sandbox } from '../../sandbox';
import { FLEET_PASSWORD_VARIABLE } from '../../sandbox/environment';

/** A sandbox's real systems, for a test to look at and to do by hand what an operator would. */
export interface Inspection {
  sessions: Sessions;
  balancerOf(region: string): LoadBalancer;
  processesOf(region: string): Fleet;
  releasesOf(region: string): Releases;
  /** How a node stands, as `running, ready 100` or `stopped, unknown`. */
  standing(node: string): Promise<string>;
  /** How many buckets of sessions the node owns. */
  bucketsOf(node: string): Promise<number>;
  stop(...nodes: string[]): Promise<void>;
  close(): void;
}

export function inspect({ configPath, env }: Sandbox): Inspection {
  const config = loadConfig(configPath);
  const sessions = redisSessions(config);
  const balancerOf = (region: string) => haproxy(config.regions[region]!.loadBalancer);
  const processesOf = (region: string) =>
    supervisord(config.regions[region]!.fleet, env[FLEET_PASSWORD_VARIABLE]!);
  return {
    sessions,
    balancerOf,
    processesOf,
    releasesOf: (region) => diskReleases(processesOf(region)),
    async standing(id) {
      const { region, server, program } = findNode(config, id);
      const members = await balancerOf(region).members();
      const own = members.find((member) => member.server === server);
      const { state } = await processesOf(region).status(program);
      return `${state}, ${own ? `${own.admin} ${own.weight}` : 'unknown'}`;
    },
    bucketsOf: async (node) => (await sessions.buckets()).filter(({ owner }) => owner === node).length,
    async stop(...nodes) {
      for (const id of nodes) {
        const { region, program } = findNode(config, id);
        await processesOf(region).stop(program);
      }
    },
    close: () => sessions.close(),
  };
}
