import { join } from 'node:path';
import {
  SENTINEL_FAILOVER_S,
  SENTINEL_NAME,
  SENTINEL_QUORUM,
  SENTINEL_VARIABLE,
  SESSIONS_VARIABLE,
} from '../environment';
import { sessionMembers, type SessionMember } from '../layout';
import { writePrivate } from '../state';
import { tool } from '../tools';
import type { Context, Part, Program } from './part';
import { REDIS } from './redis';
import { ask } from './redis-ask';
import { sessionRoles } from './session-roles';

/** The name of a Sentinel's program. */
export const sentinelProgram = (watcher: string): string => `sentinel-${watcher}`;

/**
 * The Sentinels, one in each region. They are told whom to watch once the replicas have their links: what they do not find then they
 * look for again after 10 s only.
 */
export function sentinel(context: Context): Part {
  const { dir, settings } = context;
  const members = sessionMembers(settings.block);
  return {
    name: 'Sentinel',
    after: [REDIS],
    wanted: settings.sentinel,
    programs: members.map((member): Program => ({
      name: sentinelProgram(member.watcher),
      command: () => [tool('redis-server'), fileOf(dir, member), '--sentinel'],
      listens: [member.sentinel],
    })),
    prepare: async (starting) => {
      const own = members.filter((one) => starting.some(({ name }) => name === sentinelProgram(one.watcher)));
      await Promise.all(
        own.map((member) => writePrivate(fileOf(dir, member), configuration(context, member))),
      );
    },
    settle: () => watchAll(context),
    ready: () => agreed(context),
    notes: () => notes(context),
  };
}

function fileOf(dir: string, { watcher }: SessionMember): string {
  return join(dir, `${sentinelProgram(watcher)}.conf`);
}

/** What a Sentinel starts with; it writes what it learns into the same file, so a start by hand begins where it ended. */
function configuration({ dir, secrets }: Context, { sentinel: address }: SessionMember): string {
  const [host = '', port = ''] = address.split(':');
  const password = secrets[SENTINEL_VARIABLE] ?? '';
  return `bind ${host}
bind-source-addr ${host}
port ${port}
dir ${dir}
set-proc-title no
requirepass ${password}
sentinel sentinel-pass ${password}
`;
}

/** What a Sentinel believes; undefined where it watches nobody. */
interface Belief {
  primary: string;
  replicas: number;
  others: number;
  /** So many have to agree; out of reach where a run has held them back. */
  quorum: number;
}

/**
 * Has every Sentinel that answers watch the primary that there is; where one has another in mind all begin anew, so that none leads
 * the others astray.
 */
export async function watchAll(context: Context): Promise<void> {
  const primary = (await sessionRoles(context)).find((role) => role.primary)?.member.redis;
  if (primary === undefined) throw new Error('the session store has no primary that could be watched');
  const members = membersOf(context);
  const beliefs = await Promise.all(
    members.map((member) => beliefOf(context, member).catch(() => undefined)),
  );
  if (beliefs.every((belief) => belief?.primary === primary && belief.quorum === SENTINEL_QUORUM)) return;
  await unwatch(context);
  await Promise.allSettled(members.map((member) => watch(context, member, primary)));
}

async function watch(context: Context, member: SessionMember, primary: string): Promise<void> {
  const { settings, secrets } = context;
  const limits = {
    'down-after-milliseconds': settings.sentinelDownAfter,
    'failover-timeout': SENTINEL_FAILOVER_S * 1_000,
    'auth-pass': secrets[SESSIONS_VARIABLE] ?? '',
  };
  await askSentinel(context, member, async (redis) => {
    await redis.call('SENTINEL', 'MONITOR', SENTINEL_NAME, ...primary.split(':'), SENTINEL_QUORUM);
    await redis.call('SENTINEL', 'SET', SENTINEL_NAME, ...Object.entries(limits).flat());
  });
}

/** Has every Sentinel that answers watch nobody: from then on none of them makes anybody the primary. */
export async function unwatch(context: Context): Promise<void> {
  await Promise.allSettled(
    membersOf(context).map((member) =>
      askSentinel(context, member, (redis) => redis.call('SENTINEL', 'REMOVE', SENTINEL_NAME)),
    ),
  );
}

/** All of them watch the same primary, with both of its replicas, and know each other. */
async function agreed(context: Context): Promise<void> {
  const members = membersOf(context);
  const others = members.length - 1;
  const beliefs = await Promise.all(members.map((member) => beliefOf(context, member)));
  if (new Set(beliefs.map((belief) => belief?.primary)).size > 1)
    throw new Error('the Sentinels do not agree on the primary');
  const lacking = beliefs.findIndex((one) => one?.replicas !== others || one.others !== others);
  if (lacking < 0) return;
  const { watcher } = members[lacking]!;
  const { replicas = 0, others: known = 0 } = beliefs[lacking] ?? {};
  throw new Error(`${sentinelProgram(watcher)} knows ${replicas} replicas and ${known} other Sentinels`);
}

/** @throws Error where it does not answer */
async function beliefOf(context: Context, member: SessionMember): Promise<Belief | undefined> {
  const flat = await askSentinel(context, member, (redis) => redis.call('SENTINEL', 'MASTERS'));
  const [own] = flat as string[][];
  if (!own) return undefined;
  const fields = Object.fromEntries(own.flatMap((name, i) => (i % 2 === 0 ? [[name, own[i + 1]]] : [])));
  return {
    primary: `${fields['ip']}:${fields['port']}`,
    replicas: Number(fields['num-slaves']),
    others: Number(fields['num-other-sentinels']),
    quorum: Number(fields['quorum']),
  };
}

function membersOf({ settings }: Context): SessionMember[] {
  return sessionMembers(settings.block);
}

function askSentinel<T>(
  { secrets }: Context,
  { sentinel: address }: SessionMember,
  question: Parameters<typeof ask<T>>[1],
): Promise<T> {
  return ask(address, question, secrets[SENTINEL_VARIABLE]);
}

async function notes(context: Context): Promise<Record<string, string>> {
  const members = membersOf(context);
  const beliefs = await Promise.all(
    members.map((member) => beliefOf(context, member).catch(() => undefined)),
  );
  return Object.fromEntries(
    members.map(({ watcher }, i) => {
      const watched = members.find(({ redis }) => redis === beliefs[i]?.primary);
      return [sentinelProgram(watcher), watched ? `watches ${watched.name}` : 'watches nobody'];
    }),
  );
}
