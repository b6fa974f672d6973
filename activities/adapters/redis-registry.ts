import type { Redis } from 'ioredis';
import type { RegistryConfig } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import type { Registry } from '../ports';
import { TIMEOUT_MS, ask } from './redis-ask';
import { memberLook } from './redis-member';
import { trouble } from './trouble';

/** How long the key lives that a proof writes, ms. */
const PROOF_TTL_MS = 10_000;
const PROOF = 'switchover:proof';
/** Nodes register under this and their id (sandbox/mcp-node/README.md). */
const NODES = 'mcp:node:';
const SCAN_COUNT = 1_000;

/**
 * The registry in Redis 7: members that replicate from each other, and an address of the clients that leads to the primary.
 * Every call is a connection of its own, so that what one member was or said before tells nothing about now.
 *
 * Traps:
 * - Configure members to start as replicas (`replicaof` the clients' address). One that starts as a primary takes writes as
 *   soon as anybody starts it, and an empty one has its emptiness copied by those that follow it.
 * - A replica notices a hung primary after its `repl-timeout`, 60 s unless it is told otherwise.
 * - `follow` returns before anything is copied: look at the link.
 *
 * @throws REGISTRY_UNREACHABLE within 1 s, for an error that Redis answers with as well.
 */
export function redisRegistry({ url, members }: RegistryConfig, password?: string): Registry {
  const names = Object.keys(members);
  const look = memberLook(members, password);
  const asking = <T>(where: string, what: string, question: (redis: Redis) => Promise<T>): Promise<T> =>
    ask(where, password, question).catch((error: unknown) => {
      const why = trouble(error, TIMEOUT_MS);
      throw new SwitchoverError('REGISTRY_UNREACHABLE', `registry ${new URL(where).host} on ${what}: ${why}`);
    });
  const addressOf = (member: string): string => {
    const address = members[member];
    if (address) return address;
    const message = `"${member}" is not a member of the registry; there are ${names.join(', ')}`;
    throw new SwitchoverError('UNKNOWN_TARGET', message);
  };
  const tell = (member: string, what: string, order: (redis: Redis) => Promise<unknown>): Promise<unknown> =>
    asking(`redis://${addressOf(member)}`, what, order);

  return {
    members: () => Promise.all(names.map(look)),

    async promote(member) {
      await tell(member, 'a promotion', (redis) => redis.replicaof('NO', 'ONE'));
    },

    async follow(member, primary) {
      const { hostname, port } = new URL(`tcp://${addressOf(primary)}`);
      await tell(member, `following ${primary}`, (redis) => redis.replicaof(hostname, Number(port)));
    },

    async write() {
      const began = performance.now();
      const value = `${process.pid}-${began}`;
      const read = await asking(url, 'a write', async (redis) => {
        await redis.set(PROOF, value, 'PX', PROOF_TTL_MS);
        return redis.get(PROOF);
      });
      if (read === value) return Math.round(performance.now() - began);
      throw new SwitchoverError(
        'REGISTRY_UNREACHABLE',
        `registry ${new URL(url).host} on a write: what was written reads "${read}"`,
      );
    },

    registered: () =>
      asking(url, 'which nodes there are', async (redis) => {
        const found = new Set<string>();
        let cursor = '0';
        do {
          const [next, keys] = await redis.scan(cursor, 'MATCH', `${NODES}*`, 'COUNT', SCAN_COUNT);
          for (const key of keys) found.add(key.slice(NODES.length));
          cursor = next;
        } while (cursor !== '0');
        return [...found].sort();
      }),
  };
}
