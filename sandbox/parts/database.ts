import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { databaseProgram, fenceProgram, remainsProgram, salvageProgram } from '../../core/topology';
import { DATABASE_USERS } from '../environment';
import { databaseMembers, reserveMembers } from '../layout';
import { POSTGRES_USER } from '../postgres-user';
import { ROOT, tool } from '../tools';
import { ETCD } from './etcd';
import { homeOf } from './member-home';
import { memberReport, patroniFile, prepareMember, type MemberReport } from './patroni';
import type { Context, Part, Program } from './part';

const ANSWER_MS = 1_000;
/** Patroni's words for a PostgreSQL that runs, the second that of its fourth version. */
const RUNNING = ['running', 'streaming'];

/**
 * The fleet's database: three members, each a Patroni with its PostgreSQL, and the address of those who write before them. A cold site
 * has one more, which is installed and has no data.
 *
 * The supervisor starts no Patroni again. A member that is killed stands for a machine that is lost, and one that was back
 * within a second would never be succeeded. The price is real: where a Patroni alone dies, its PostgreSQL goes on accepting
 * writes beside its successor. On a machine of one's own its Patroni should be restarted; here it is the runbooks' work to fence
 * what outlived its Patroni before another member is promoted, and to start Patroni again.
 */
export function database(context: Context): Part {
  const { at, dir, settings } = context;
  const file = join(dir, 'database-proxy.cfg');
  const reserves = reserveMembers(settings);
  const members = [...databaseMembers(settings.block), ...reserves];
  const patronis = members.map((member): Program => ({
    name: databaseProgram(member.name),
    command: () => [tool('patroni'), patroniFile(dir, member)],
    listens: [member.postgres, member.rest],
    user: POSTGRES_USER,
    standby: reserves.includes(member),
  }));
  // Fencing is the supervisor's work, so that it does not depend on anything that may be sick.
  const fences = members.map((member): Program => ({
    name: fenceProgram(member.name),
    command: () => [join(ROOT, 'sandbox/fence-member'), homeOf(dir, member)],
    listens: [],
    task: true,
  }));
  const salvages = members.map((member): Program => ({
    name: salvageProgram(member.name),
    command: () => [
      process.execPath,
      join(ROOT, 'dist/sandbox/salvage/main.js'),
      `--data=${join(homeOf(dir, member), 'data')}`,
      `--bin=${dirname(tool('postgres'))}`,
      `--saved=${join(dir, 'salvage', member.name)}`,
    ],
    environment: { DATABASE_URL: databaseUrl(context) },
    listens: [],
    task: true,
  }));
  const remains = members.map((member): Program => ({
    name: remainsProgram(member.name),
    command: () => [
      process.execPath,
      join(ROOT, 'dist/sandbox/salvage/remains.js'),
      `--data=${join(homeOf(dir, member), 'data')}`,
      `--bin=${dirname(tool('postgres'))}`,
    ],
    listens: [],
    task: true,
  }));
  const proxy: Program = {
    name: 'database-proxy',
    command: () => [tool('haproxy'), '-db', '-f', file],
    listens: [at.database],
  };
  return {
    name: 'Database',
    after: [ETCD],
    wanted: settings.database,
    programs: [...patronis, ...fences, ...remains, ...salvages, proxy],
    files: { [file]: configuration(context) },
    prepare: async (starting) => {
      const own = members.filter(({ name }) => starting.some((one) => one.name === databaseProgram(name)));
      await Promise.all([...own, ...reserves].map((member) => prepareMember(context, member)));
    },
    ready: () => Promise.all([whole(context), settled(context)]),
    notes: () => notes(context),
  };
}

/**
 * Leads to the one member whose Patroni holds the leader's lock; connections to one that no longer does are cut. A connection that
 * is refused is not tried again here: the proxy would wait before each try, and longer than the client does (with three tries, its
 * default, clients waited 0.7 s more for a new primary).
 */
function configuration({ at, settings }: Context): string {
  const servers = [...databaseMembers(settings.block), ...reserveMembers(settings)].map(
    ({ name, postgres, rest }) => `  server ${name} ${postgres} check port ${rest.split(':')[1]}`,
  );
  return `defaults
  mode tcp
  retries 0
  timeout connect 500ms
  timeout check 1s
  timeout client 1h
  timeout server 1h

listen database
  bind ${at.database}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 500ms fastinter 100ms downinter 100ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`;
}

/** Looks through the clients' address: the primary has two streaming replicas. */
async function whole(context: Context): Promise<void> {
  const { settings } = context;
  const names = databaseMembers(settings.block).map(({ name }) => name);
  const client = new Client({
    connectionString: databaseUrl(context),
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  });
  client.on('error', () => undefined); // connect() and query() say the same
  try {
    await client.connect();
    // By name, because whoever makes a copy of the whole database is listed too.
    const { rows } = await client.query(
      "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND application_name = ANY($1)",
      [names],
    );
    if (rows.length < names.length - 1)
      throw new Error(`the database has ${rows.length} of ${names.length - 1} streaming replicas`);
  } finally {
    void client.end().catch(() => undefined);
  }
}

/**
 * A replica streams before its Patroni has seen that it runs, and commits wait for one before Patroni holds it for fit to
 * succeed: a primary that failed in between would have no successor.
 */
async function settled({ settings }: Context): Promise<void> {
  const reports = await Promise.all(databaseMembers(settings.block).map(memberReport));
  const other = reports.find(({ state }) => !RUNNING.includes(state));
  if (other) throw new Error(`${databaseProgram(other.member.name)} is ${other.state}`);
  if (settings.synchronous && !reports.some(({ sync_standby: fit }) => fit))
    throw new Error('the database has no synchronous replica');
}

/** Where clients find the primary, password included. */
export function databaseUrl({ at, secrets }: Context): string {
  const { user, variable } = DATABASE_USERS.postgres;
  return `postgres://${user}:${secrets[variable] ?? ''}@${at.database}/postgres`;
}

/** What each member that answers says of itself. */
export async function databaseReports({ settings }: Context): Promise<MemberReport[]> {
  const reports = await Promise.allSettled(databaseMembers(settings.block).map(memberReport));
  return reports.flatMap((report) => (report.status === 'fulfilled' ? [report.value] : []));
}

async function notes(context: Context): Promise<Record<string, string>> {
  const reports = await databaseReports(context);
  const primary = reports.find((report) => report.primary);
  return Object.fromEntries(
    reports.map((report) => [databaseProgram(report.member.name), note(report, primary)]),
  );
}

function note(
  { member, state, xlog, sync_standby: synchronous }: MemberReport,
  primary: MemberReport | undefined,
): string {
  if (!RUNNING.includes(state)) return state;
  if (primary?.member === member) return 'primary';
  const stream = primary?.replication?.find(({ application_name: name }) => name === member.name);
  const words = [synchronous ? 'synchronous replica' : 'replica'];
  if (stream?.state !== 'streaming') words.push('not streaming');
  const behind = (primary?.xlog?.location ?? NaN) - (xlog?.received_location ?? NaN);
  // Asked one after the other, a replica may well be ahead of what the primary said.
  if (!Number.isNaN(behind)) words.push(`lag ${Math.max(0, behind)} B`);
  return words.join(', ');
}
