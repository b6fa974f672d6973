import { join } from 'node:path';
import { registryProgram } from '../../core/topology';
import type { SharedAddresses } from '../layout';
import { flags, tool } from '../tools';
import type { Context, Part, Program } from './part';
import { ask } from './redis-ask';

/** A member and what it calls itself, by Redis's own word; undefined of one that does not answer. */
interface MemberRole {
  member: string;
  address: string;
  role: string | undefined;
}

/**
 * The registry: two Redis, in memory only, and the address of its clients before them.
 *
 * A member always starts as a replica, of whoever the clients' address leads to; only being told so makes it the primary. So
 * one that was fenced and is started again can accept no writes beside its successor, and one that comes back empty
 * cannot have its emptiness copied by a replica that still knows everything.
 */
export function registry(context: Context): Part {
  const { at, dir } = context;
  const file = join(dir, 'registry-proxy.cfg');
  const members = Object.entries(at.registryMembers);
  const proxy: Program = {
    name: 'registry-proxy',
    command: () => [tool('haproxy'), '-db', '-f', file],
    listens: [at.registry],
  };
  return {
    name: 'Registry',
    after: [],
    programs: [...members.map(([member, address]) => redisServer(context, member, address)), proxy],
    files: { [file]: configuration(context) },
    settle: (started) => settle(context, started),
    ready: async () => {
      const [role] = await ask(at.registry, (redis) => redis.role());
      if (role !== 'master') throw new Error(`${at.registry} leads to no primary`);
    },
  };
}

function redisServer({ at, dir }: Context, member: string, address: string): Program {
  const [host = '', port = ''] = address.split(':');
  const options = flags({
    bind: host,
    port,
    dir,
    save: '',
    appendonly: 'no',
    'protected-mode': 'no',
    'set-proc-title': 'no',
    'repl-diskless-load': 'swapdb', // else a copy of the primary is written to a file, and read again at the next start
    // A hung primary is noticed by its replica after 3 s, not after a minute; a new replica is not kept waiting for others.
    'repl-ping-replica-period': '1',
    'repl-timeout': '3',
    'repl-diskless-sync-delay': '0',
  });
  const replicaOf = ['--replicaof', ...at.registry.split(':')];
  return {
    name: registryProgram(member),
    command: () => [tool('redis-server'), ...options, ...replicaOf],
    listens: [address],
  };
}

/** Leads to the one member that calls itself the primary; connections to one that no longer does are cut. */
function configuration({ at }: Context): string {
  const servers = Object.entries(at.registryMembers).map(
    ([member, address]) => `  server ${member} ${address}`,
  );
  return `defaults
  mode tcp
  retries 0
  timeout connect 500ms
  timeout check 300ms
  timeout client 1h
  timeout server 1h

listen registry
  bind ${at.registry}
  balance first
  option tcp-check
  tcp-check connect
  tcp-check send PING\\r\\n
  tcp-check expect string +PONG
  tcp-check send info\\ replication\\r\\n
  tcp-check expect string role:master
  default-server check inter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`;
}

/**
 * Where no member is the primary, one becomes it that was not just started and so has what was registered; all that were
 * just started become its replicas.
 */
async function settle({ at }: Context, started: readonly Program[]): Promise<void> {
  const members = (await registryRoles(at)).map(({ member, address, role }) => {
    if (!role) throw new Error(`${registryProgram(member)} does not answer on ${address}`);
    return { address, role, isNew: started.some(({ name }) => name === registryProgram(member)) };
  });
  const primary =
    members.find(({ role }) => role === 'master') ?? members.find(({ isNew }) => !isNew) ?? members[0]!;
  if (primary.role !== 'master') await ask(primary.address, (redis) => redis.replicaof('NO', 'ONE'));
  const [host = '', port = ''] = primary.address.split(':');
  const replicas = members.filter((member) => member !== primary && member.isNew);
  await Promise.all(
    replicas.map(({ address }) => ask(address, (redis) => redis.replicaof(host, Number(port)))),
  );
}

/** Every member's role, asked directly. */
export function registryRoles({ registryMembers }: SharedAddresses): Promise<MemberRole[]> {
  return Promise.all(
    Object.entries(registryMembers).map(async ([member, address]) => {
      const [role] = await ask(address, (redis) => redis.role()).catch(() => [undefined]);
      return { member, address, role: role as string | undefined };
    }),
  );
}
