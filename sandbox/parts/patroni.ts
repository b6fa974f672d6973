import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { stringify } from 'yaml';
import { get } from '../conditions';
import { DATABASE_SCOPE, DATABASE_USERS } from '../environment';
import type { DatabaseMember } from '../layout';
import { give } from '../postgres-user';
import { memberProcesses } from '../processes';
import { writePrivate } from '../state';
import { tool } from '../tools';
import { homeOf } from './member-home';
import type { Context } from './part';
import { archiving, memberConfiguration, memberFile } from './pgbackrest';

/** A Patroni that is busy with a failover answers late. */
const ANSWER_MS = 1_000;

/** What is used of what a Patroni says of its own PostgreSQL. Positions in the log are bytes since its beginning. */
const Report = Type.Object({
  state: Type.String(),
  role: Type.String(),
  /** Of a replica that may succeed the primary, where commits wait for one. PostgreSQL calls it synchronous a moment before. */
  sync_standby: Type.Optional(Type.Boolean()),
  xlog: Type.Optional(
    Type.Object({
      location: Type.Optional(Type.Integer()),
      received_location: Type.Optional(Type.Integer()),
    }),
  ),
  /** Of a primary: the members that copy it. */
  replication: Type.Optional(
    Type.Array(Type.Object({ application_name: Type.String(), state: Type.String() })),
  ),
});

/** A member of the database by its own word. */
export interface MemberReport extends Static<typeof Report> {
  member: DatabaseMember;
  primary: boolean;
}

/** The file that a member's Patroni is started with. */
export function patroniFile(dir: string, member: DatabaseMember): string {
  return join(homeOf(dir, member), 'patroni.yml');
}

/** Makes what a member's Patroni needs to start. Patroni itself makes the database, or copies it from the primary. */
export async function prepareMember(context: Context, member: DatabaseMember): Promise<void> {
  const home = homeOf(context.dir, member);
  const file = patroniFile(context.dir, member);
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writePrivate(file, stringify(configuration(context, member)));
  await give([home, file]);
  if (context.settings.backups) {
    const archive = memberFile(context.dir, member);
    await writePrivate(archive, memberConfiguration(context, member));
    await give([archive]);
  }
  // Its dead PostgreSQL left this file, and where nobody reaps the dead the next one would take it for alive. One that
  // outlived its Patroni needs it: that is how the next Patroni finds it.
  const lives = (await memberProcesses(context.dir, home)).length > 0;
  if (!lives) await rm(join(home, 'data', 'postmaster.pid'), { force: true });
}

/** What a member says of itself, asked directly. @throws Error where its Patroni does not answer */
export async function memberReport(member: DatabaseMember): Promise<MemberReport> {
  const report = Value.Parse(Report, JSON.parse(await get(`http://${member.rest}/patroni`, ANSWER_MS)));
  return { ...report, member, primary: ['master', 'primary'].includes(report.role) };
}

/**
 * Settings with a reason: `wal_log_hints` and checksums let pg_rewind bring a former primary back; where it cannot, Patroni
 * makes that member anew. The Unix socket lets Patroni rule its PostgreSQL also where the network does not. A commit that waits
 * for a replica keeps its connection although its client is gone: there must be some to spare.
 */
function configuration(context: Context, member: DatabaseMember): object {
  const { dir, settings, secrets } = context;
  const [ttl, loopWait, retryTimeout] = settings.patroni.split('/').map(Number);
  const home = homeOf(dir, member);
  const credentials = ({ user, variable }: { user: string; variable: string }) => ({
    username: user,
    password: secrets[variable] ?? '',
  });
  const { postgres, replication, patroni } = DATABASE_USERS;
  return {
    scope: DATABASE_SCOPE,
    name: member.name,
    restapi: { listen: member.rest, connect_address: member.rest, authentication: credentials(patroni) },
    // Else it would ask etcd for its address and go there past the proxy.
    etcd3: { hosts: [member.control], use_proxies: true },
    bootstrap: {
      dcs: {
        ttl,
        loop_wait: loopWait,
        retry_timeout: retryTimeout,
        maximum_lag_on_failover: 1_048_576,
        synchronous_mode: settings.synchronous,
        failsafe_mode: true,
        postgresql: {
          use_pg_rewind: true,
          use_slots: true,
          parameters: { wal_log_hints: 'on', max_connections: 500 },
        },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'data-checksums'],
    },
    postgresql: {
      listen: member.postgres,
      connect_address: member.postgres,
      bin_dir: dirname(tool('postgres')),
      data_dir: join(home, 'data'),
      pgpass: join(home, 'pgpass'),
      use_unix_socket: true,
      parameters: { unix_socket_directories: home, ...archiving(context, member) },
      authentication: { superuser: credentials(postgres), replication: credentials(replication) },
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
      pg_hba: [
        'local all all scram-sha-256',
        'host all all 127.0.0.0/8 scram-sha-256',
        'host replication all 127.0.0.0/8 scram-sha-256',
      ],
    },
  };
}
