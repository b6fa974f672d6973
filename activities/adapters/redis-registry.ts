import { Redis } from 'ioredis';
import type { RegistryConfig } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import type { Registry, RegistryLink, RegistryMember } from '../ports';
import { trouble } from './trouble';

/** Longest wait for a whole call, ms: a member that needs longer is no use to its clients. */
const TIMEOUT_MS = 800;
/** How long the connection to a hung one is kept after that, ms. */
const CLOSE_MS = 100;
/** How long the key lives that a proof writes, ms. */
const PROOF_TTL_MS = 10_000;
const PROOF = 'switchover:proof';
/** Nodes register under this and their id (sandbox/mcp-node/README.md). */
const NODES = 'mcp:node:';
const SCAN_COUNT = 1_000;

/** Fields of Redis's `INFO replication`. */
type Info = Partial<Record<string, string>>;

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
  const byAddress = new Map(Object.entries(members).map(([member, address]) => [address, member]));
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

  const look = async (member: string): Promise<RegistryMember> => {
    try {
      const text = await ask(`redis://${addressOf(member)}`, password, (redis) => redis.info('replication'));
      return describe(member, fieldsOf(text), byAddress);
    } catch (error) {
      return { member, reachable: false, said: trouble(error, TIMEOUT_MS) };
    }
  };

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

/** One question on a connection of its own. The client's time-outs are for each command and do not bound its handshake. */
async function ask<T>(
  url: string,
  password: string | undefined,
  question: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis(url, {
    ...(password !== undefined && { password }),
    lazyConnect: true,
    disconnectTimeout: CLOSE_MS,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let refused: Error | undefined;
  redis.on('error', (error: Error) => (refused = error)); // connect() itself only says that the connection is closed
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const late = new Promise<never>((_, reject) =>
    deadline.addEventListener('abort', () => reject(deadline.reason as Error)),
  );
  try {
    return await Promise.race([redis.connect().then(() => question(redis)), late]);
  } catch (error) {
    throw deadline.aborted ? error : (refused ?? error);
  } finally {
    redis.disconnect();
  }
}

function fieldsOf(text: string): Info {
  return Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}

function describe(member: string, info: Info, byAddress: ReadonlyMap<string, string>): RegistryMember {
  if (info['role'] === 'master') {
    const said = `primary, ${info['connected_slaves']} standbys`;
    return { member, reachable: true, said, role: 'primary', offset: Number(info['master_repl_offset']) };
  }
  const address = `${info['master_host']}:${info['master_port']}`;
  const link = linkOf(info, byAddress.get(address));
  const silent = link.silentS === undefined ? 'that it never had' : `for ${link.silentS} s`;
  const said = `standby of ${link.to ?? address}, link ${link.up ? 'up' : `down ${silent}`}`;
  const offset = Number(info['slave_repl_offset']);
  return { member, reachable: true, said, role: 'standby', offset, link };
}

function linkOf(info: Info, to: string | undefined): RegistryLink {
  const up = info['master_link_status'] === 'up';
  const silentS = Number(info[up ? 'master_last_io_seconds_ago' : 'master_link_down_since_seconds'] ?? -1);
  return {
    ...(to && { to }),
    up,
    copying: info['master_sync_in_progress'] === '1',
    ...(silentS >= 0 && { silentS }),
  };
}
