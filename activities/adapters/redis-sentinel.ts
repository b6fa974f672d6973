import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { SentinelView } from '../../core/cache';
import type { SessionsConfig } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import { millis } from '../../core/time';
import type { Cache } from '../ports';
import { TIMEOUT_MS, ask, fieldsOf as infoOf } from './redis-ask';
import { memberLook } from './redis-member';
import { isDark, trouble } from './trouble';

/** How long a write is waited for to reach a standby, ms. */
const COPY_MS = 500;
/** How long a primary that hands over keeps its clients' writes waiting before it gives up and goes on as it was, ms. */
const HAND_OVER_MS = 2_000;
/** How long the key lives that a proof writes, ms. */
const PROOF_TTL_MS = 10_000;
/** A key of its own for each: monitors write beside each other. */
const PROOF = 'switchover:proof:';
/** So many standbys a primary has to have, or it takes no writes. */
const DEMAND = 'min-replicas-to-write';

/**
 * Redis 7 under Sentinel: members that replicate from each other, Sentinels that watch them, and an address of the clients that
 * leads to the primary. Every call is a connection of its own: a client's own back-off can turn a failover of 3 s into one of 14 s.
 *
 * Traps:
 * - Configure members to start as replicas (`replicaof` the clients' address), see {@link redisRegistry}, and to say where they are
 *   (`replica-announce-ip`): Sentinel looks for them where their primary sees them come from.
 * - A Sentinel knows the standbys of a dead primary only as long as it remembers them. So it is held back by a quorum that is
 *   never reached, and forgets nothing; told to watch another primary it forgets, and learns from that one, the links of whose
 *   standbys have to be up already: it looks again only after 10 s.
 * - A Sentinel that is not reached is not held back, and what it believes may win over the others when it comes back.
 * - `FAILOVER` ends by itself, done or given up, whoever asked for it: look at the roles.
 *
 * @throws SESSIONS_UNREACHABLE within 1 s, for an error that Redis answers with as well.
 */
export function redisSentinel(
  { url, sentinel: config }: SessionsConfig & { sentinel: NonNullable<SessionsConfig['sentinel']> },
  passwords: { members?: string | undefined; sentinels?: string | undefined },
): Cache {
  const names = Object.keys(config.members);
  const sentinels = Object.keys(config.sentinels);
  const byAddress = new Map(Object.entries(config.members).map(([member, address]) => [address, member]));
  const member = memberLook(config.members, passwords.members);

  const asking = async <T>(
    where: string,
    what: string,
    question: (redis: Redis) => Promise<T>,
    password = passwords.members,
  ): Promise<T> => {
    try {
      return await ask(where, password, question);
    } catch (error) {
      const why = trouble(error, TIMEOUT_MS);
      const message = `${new URL(where).host} on ${what}: ${why}`;
      throw new SwitchoverError('SESSIONS_UNREACHABLE', message, { dark: isDark(error) });
    }
  };
  const addressOf = (name: string): [host: string, port: number] => {
    const [host, port] = config.members[name]?.split(':') ?? [];
    if (host) return [host, Number(port)];
    const message = `"${name}" is not a member of the session store; there are ${names.join(', ')}`;
    throw new SwitchoverError('UNKNOWN_TARGET', message);
  };
  const tell = (name: string, what: string, order: (redis: Redis) => Promise<unknown>): Promise<unknown> =>
    asking(`redis://${addressOf(name).join(':')}`, what, order);

  const askSentinel = <T>(name: string, what: string, question: (redis: Redis) => Promise<T>): Promise<T> =>
    asking(`redis://${config.sentinels[name]}`, what, question, passwords.sentinels);

  /** What the Sentinel says of what it watches under this name; undefined where that is nothing. */
  const watching = async (name: string): Promise<Fields | undefined> => {
    const all = await askSentinel(name, 'what it watches', (redis) => redis.call('SENTINEL', 'MASTERS'));
    return (all as string[][]).map(fieldsOf).find((one) => one['name'] === config.name);
  };

  const lookAtSentinel = async (sentinel: string): Promise<SentinelView> => {
    const nothing = { sentinel, down: false, failingOver: false, held: false, standbys: 0 };
    try {
      const fields = await watching(sentinel);
      if (!fields) return { ...nothing, primary: null, held: true, said: 'watches nobody' };
      const { flags = '', ip, port, quorum } = fields;
      const primary = byAddress.get(`${ip}:${port}`) ?? null;
      const view = {
        ...nothing,
        primary,
        down: /\b[so]_down\b/.test(flags),
        failingOver: flags.includes('failover_in_progress'),
        held: Number(quorum) > sentinels.length,
        standbys: Number(fields['num-slaves']),
      };
      return { ...view, said: inWords(view) };
    } catch (error) {
      const { message, details } = error as SwitchoverError;
      const { dark } = (details ?? {}) as { dark?: boolean };
      return { ...nothing, said: message, ...(dark && { dark }) };
    }
  };

  const write = async (): Promise<number> => {
    const began = performance.now();
    const value = randomUUID();
    const key = PROOF + value;
    const [enough, read] = await asking(url, 'a write', async (redis) => {
      await redis.set(key, value, 'PX', PROOF_TTL_MS);
      const copied = (await leadsAlone(redis)) || (await redis.wait(1, COPY_MS)) > 0;
      return [copied, await redis.get(key)] as const;
    });
    const ms = Math.round(performance.now() - began);
    if (enough && read === value) return ms;
    const why = !enough ? `no standby has it after ${ms} ms` : `what was written reads "${read}"`;
    throw new SwitchoverError('SESSIONS_UNREACHABLE', `${new URL(url).host} on a write: ${why}`);
  };

  return {
    async look() {
      const [members, beliefs] = await Promise.all([
        Promise.all(names.map(member)),
        Promise.all(sentinels.map(lookAtSentinel)),
      ]);
      return { members, sentinels: beliefs };
    },

    write,

    async promote(name) {
      await tell(name, 'a promotion', (redis) => redis.replicaof('NO', 'ONE'));
    },

    async leadAlone(name) {
      await tell(name, 'leading alone', async (redis) => {
        await redis.config('SET', DEMAND, 0);
        await redis.replicaof('NO', 'ONE');
      });
    },

    async askForStandby(primary, standby) {
      const asked = await tell(standby, DEMAND, (redis) => redis.config('GET', DEMAND));
      const [, count = ''] = asked as string[];
      await tell(primary, DEMAND, (redis) => redis.config('SET', DEMAND, count));
    },

    async follow(name, primary) {
      await tell(name, `following ${primary}`, (redis) => redis.replicaof(...addressOf(primary)));
    },

    async handOver(primary, to) {
      const order = ['TO', ...addressOf(to), 'TIMEOUT', HAND_OVER_MS];
      await tell(primary, `handing over to ${to}`, (redis) => redis.call('FAILOVER', ...order));
    },

    async holdSentinels() {
      const never = sentinels.length + 1;
      const hold = async (name: string): Promise<void> => {
        if (!(await watching(name))) return;
        await askSentinel(name, 'being held back', (redis) =>
          redis.call('SENTINEL', 'SET', config.name, 'quorum', never),
        );
      };
      await Promise.all(sentinels.map(hold));
    },

    async watch(primary) {
      const [host, port] = addressOf(primary);
      const rules = {
        quorum: config.quorum,
        'down-after-milliseconds': millis(config.downAfter),
        'failover-timeout': millis(config.failoverTimeout),
        ...(passwords.members === undefined ? {} : { 'auth-pass': passwords.members }),
      };
      const turn = async (name: string): Promise<void> => {
        const seen = await watching(name);
        const turned = seen?.['ip'] === host && seen['port'] === String(port);
        await askSentinel(name, `watching ${primary}`, async (redis) => {
          if (seen && !turned) await redis.call('SENTINEL', 'REMOVE', config.name);
          if (!turned) await redis.call('SENTINEL', 'MONITOR', config.name, host, port, config.quorum);
          await redis.call('SENTINEL', 'SET', config.name, ...Object.entries(rules).flat());
        });
      };
      const seen = await Promise.all(sentinels.map(lookAtSentinel));
      await Promise.all(seen.filter(({ dark }) => !dark).map(({ sentinel }) => turn(sentinel)));
    },
  };
}

/** Whether this is a primary that has no standby yet which is whole, and was told to take writes all the same. */
async function leadsAlone(redis: Redis): Promise<boolean> {
  const info = infoOf(await redis.info('replication'));
  const online = Object.values(info).some((field) => field?.includes('state=online'));
  return info['role'] === 'master' && !online && !('min_slaves_good_slaves' in info);
}

type Fields = Partial<Record<string, string>>;

/** Sentinel answers names and values in turn. */
function fieldsOf(flat: readonly string[]): Fields {
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
}

function inWords({
  primary,
  down,
  failingOver,
  held,
  standbys,
}: Omit<SentinelView, 'sentinel' | 'said'>): string {
  const state = failingOver ? ', fails over' : down ? ', holds it for down' : '';
  return `watches ${primary ?? 'somebody else'} and ${standbys} standbys${state}${held ? ', held back' : ''}`;
}
