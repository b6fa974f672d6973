import { join } from 'node:path';
import { sessionsProgram } from '../../core/topology';
import { SESSIONS_VARIABLE } from '../environment';
import { sessionMembers, type SessionMember } from '../layout';
import { writePrivate } from '../state';
import { flags, tool } from '../tools';
import type { Context, Part, Program } from './part';
import { REDIS } from './redis';
import { ask } from './redis-ask';
import { unwatch } from './sentinel';
import { askMember, sessionRoles, type SessionRole } from './session-roles';

/**
 * The session store under Sentinel: a Redis in each region, one of them the primary, in memory only, and the address of
 * the clients before them.
 *
 * A member always starts as a replica, of whoever the clients' address leads to; only being told so makes it the
 * primary. Otherwise an old primary would start again as an empty one, and its emptiness would be copied. The supervisor starts none
 * of them again: that is the runbooks' work.
 */
export function sessions(context: Context): Part {
  const { at, dir, settings } = context;
  const members = sessionMembers(settings.block);
  const file = join(dir, 'sessions-proxy.cfg');
  const proxy: Program = {
    name: 'sessions-proxy',
    command: () => [tool('haproxy'), '-db', '-f', file],
    listens: [at.redis],
  };
  return {
    name: REDIS,
    after: [],
    programs: [...members.map((member) => program(context, member)), proxy],
    files: { [file]: proxyFile(context) },
    prepare: async (starting) => {
      const own = members.filter(({ name }) => starting.some((one) => one.name === sessionsProgram(name)));
      await Promise.all(own.map((member) => writePrivate(secretsFile(dir, member), secretsOf(context))));
    },
    settle: (started) => settle(context, started),
    ready: () => whole(context),
    notes: () => notes(context),
  };
}

/**
 * Settings with a reason:
 * - a primary without a replica that answered within 3 s takes no writes (`min-replicas-…`): one that was cut off or slept while
 *   another took over can acknowledge nothing for long. Less than 3 s would stop the writes of a machine that is only busy;
 * - a hung primary is noticed by its replicas after 3 s, not after a minute, and they hear of a live one each second;
 * - copies go from memory to memory, at once, and a replica keeps what it has until the copy is whole (`swapdb`);
 * - each says at which address it is: the primary would take the one from which it is called, which is the proxy's at first, and the
 *   Sentinels would look for a member there.
 */
function program({ at, dir }: Context, member: SessionMember): Program {
  const [host = '', port = ''] = member.redis.split(':');
  const options = flags({
    bind: host,
    'replica-announce-ip': host,
    port,
    dir,
    save: '',
    appendonly: 'no',
    'set-proc-title': 'no', // the title would overwrite the mark that tells whose the process is
    'min-replicas-to-write': '1',
    'min-replicas-max-lag': '3',
    'repl-ping-replica-period': '1',
    'repl-timeout': '3',
    'repl-diskless-sync': 'yes',
    'repl-diskless-sync-delay': '0',
    'repl-diskless-load': 'swapdb',
  });
  // After the file, into which Sentinel has Redis write whom it follows: the last word counts.
  const replicaOf = ['--replicaof', ...at.redis.split(':')];
  return {
    name: sessionsProgram(member.name),
    command: () => [tool('redis-server'), secretsFile(dir, member), ...options, ...replicaOf],
    listens: [member.redis],
  };
}

/** What must not stand on a command line, which everybody can read. */
function secretsFile(dir: string, { name }: SessionMember): string {
  return join(dir, `${sessionsProgram(name)}.conf`);
}

function secretsOf({ secrets }: Context): string {
  const password = secrets[SESSIONS_VARIABLE] ?? '';
  return `requirepass ${password}\nmasterauth ${password}\n`;
}

/** So much of an answer holds the role, bytes; without a minimum a check that does not find it waits for more until it times out. */
const ROLE_BYTES = 40;

/**
 * Leads to the one member that calls itself the primary; connections to one that no longer does are cut. A refused one is not
 * tried again here, see `database.ts`.
 */
function proxyFile({ at, settings, secrets }: Context): string {
  const servers = sessionMembers(settings.block).map(({ name, redis }) => `  server ${name} ${redis}`);
  return `defaults
  mode tcp
  retries 0
  timeout connect 500ms
  timeout check 300ms
  timeout client 1h
  timeout server 1h

listen sessions
  bind ${at.redis}
  balance first
  option tcp-check
  tcp-check connect
  tcp-check send AUTH\\ ${secrets[SESSIONS_VARIABLE] ?? ''}\\r\\n
  tcp-check expect string +OK
  tcp-check send info\\ replication\\r\\n
  tcp-check expect min-recv ${ROLE_BYTES} string role:master
  default-server check inter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`;
}

/**
 * Makes all others follow the primary; where there is none, that member becomes it which has most. The Sentinels' hands are
 * off meanwhile, lest they choose another one.
 */
async function settle(context: Context, started: readonly Program[]): Promise<void> {
  let roles = await everyRole(context);
  if (!roles.some(({ primary }) => primary)) {
    await unwatch(context);
    roles = await everyRole(context);
  }
  const isNew = ({ member }: SessionRole): boolean =>
    started.some(({ name }) => name === sessionsProgram(member.name));
  const most = (one: SessionRole): number => (isNew(one) ? -1 : one.offset);
  const primary = roles.find((one) => one.primary);
  const { member } = primary ?? roles.toSorted((a, b) => most(b) - most(a))[0]!;
  if (!primary) await askMember(context, member, (redis) => redis.replicaof('NO', 'ONE'));
  const [host = '', port = ''] = member.redis.split(':');
  const lagging = roles.filter((one) => one.member !== member && one.follows !== member.redis);
  await Promise.all(
    lagging.map((one) => askMember(context, one.member, (redis) => redis.replicaof(host, Number(port)))),
  );
}

/** @throws Error where a member does not answer */
async function everyRole(context: Context): Promise<SessionRole[]> {
  const members = sessionMembers(context.settings.block);
  const roles = await sessionRoles(context);
  const silent = members.find(({ name }) => !roles.some(({ member }) => member.name === name));
  if (silent) throw new Error(`${sessionsProgram(silent.name)} does not answer on ${silent.redis}`);
  return roles;
}

/** The clients' address leads to a primary that all others follow. */
async function whole(context: Context): Promise<void> {
  const role = await ask(context.at.redis, (redis) => redis.role(), context.secrets[SESSIONS_VARIABLE]);
  if (role[0] !== 'master') throw new Error(`${context.at.redis} leads to no primary`);
  const roles = await everyRole(context);
  if (roles.filter(({ primary }) => primary).length > 1)
    throw new Error('the session store has two primaries');
  const cut = roles.find(({ linked }) => !linked);
  if (cut) throw new Error(`${sessionsProgram(cut.member.name)} has no link to the primary`);
}

/** Where clients find the primary, password included. */
export function sessionsUrl({ at, secrets, settings }: Context): string {
  return settings.sentinel
    ? `redis://:${secrets[SESSIONS_VARIABLE] ?? ''}@${at.redis}`
    : `redis://${at.redis}`;
}

async function notes(context: Context): Promise<Record<string, string>> {
  const roles = await sessionRoles(context);
  const end = roles.find(({ primary }) => primary)?.offset ?? NaN;
  return Object.fromEntries(
    roles.map(({ member, primary, offset, linked }) => {
      // Asked beside each other, a replica may well be ahead of what the primary said.
      const lag = linked ? `lag ${Math.max(0, end - offset)} B` : 'no link';
      return [sessionsProgram(member.name), primary ? 'primary' : `replica, ${lag}`];
    }),
  );
}
