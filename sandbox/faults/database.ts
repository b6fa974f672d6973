import { SwitchoverError } from '../../core/errors';
import { databaseProgram } from '../../core/topology';
import { until } from '../conditions';
import { databaseMembers, type DatabaseMember } from '../layout';
import { databaseReports } from '../parts/database';
import { ETCD_PROGRAM, controlProgram } from '../parts/etcd';
import type { Context } from '../parts/part';
import { homeOf } from '../parts/member-home';
import { memberProcesses, signal } from '../processes';
import type { Supervisor } from '../supervisor';
import { hang, kill, startPartOf } from './program';
import { cutOff, hostOf, reconnect } from './routes';

/**
 * What can happen to each part of the database. `kill`: SIGKILL to all of the member's processes · `hang`: SIGSTOP to them ·
 * `patroni-kill`: Patroni dies alone, its PostgreSQL lives on, primary as it was · `cut-control-plane`: the primary does not
 * reach etcd, all else goes on · `partition`: nobody reaches the primary, although its PostgreSQL runs; only as root.
 *
 * On one machine, what a partitioned Patroni sends cannot be told from what the others send, and by asking them it would stay
 * the leader (`failsafe_mode`). So it is stopped for the time of the partition, and its PostgreSQL is not demoted.
 */
export const DATABASE_FAULTS = {
  primary: ['kill', 'hang', 'patroni-kill', 'cut-control-plane', 'partition'],
  replica: ['kill', 'hang'],
  etcd: ['kill', 'hang'],
} as const;
export type DatabasePart = keyof typeof DATABASE_FAULTS;
export type DatabaseFault = (typeof DATABASE_FAULTS)[DatabasePart][number];

const REAP_MS = 5_000;
const HEAL_MS = 30_000;

/**
 * Gives the primary, whichever member that is, a replica (the synchronous one, where there is one) or etcd a fault.
 * @returns one sentence of what was done
 */
export async function breakDatabase(
  context: Context,
  supervisor: Supervisor,
  part: DatabasePart,
  fault: DatabaseFault,
): Promise<string> {
  if (part === 'etcd') return (fault === 'hang' ? hang : kill)(supervisor, ETCD_PROGRAM);
  const member = await (part === 'primary' ? primaryOf(context) : replicaOf(context));
  const program = databaseProgram(member.name);
  const place = `${program}, the ${part}`;
  switch (fault) {
    case 'kill':
      await killMember(context, supervisor, member);
      return `${place}, was killed (SIGKILL to Patroni and PostgreSQL)`;
    case 'hang':
      signal(await memberProcesses(context.dir, homeOf(context.dir, member)), 'SIGSTOP');
      return `${place}, hangs (SIGSTOP to Patroni and PostgreSQL)`;
    case 'patroni-kill':
      return `${await kill(supervisor, program)}; PostgreSQL of ${place}, lives on without it`;
    case 'cut-control-plane':
      await hang(supervisor, controlProgram(member.name));
      return `${place}, no longer reaches etcd`;
    case 'partition':
      await cutOff(hostOf(member.postgres));
      await hang(supervisor, program);
      return `${place}, is reached by nobody`;
  }
}

/**
 * Makes the database whole again: a primary with two streaming replicas. What hangs is not woken, but killed and started: a
 * primary that slept while another took over would wake as a second one. The same goes for a PostgreSQL without its Patroni.
 * @returns one sentence of what was done
 */
export async function healDatabase(context: Context, supervisor: Supervisor): Promise<string> {
  const members = databaseMembers(context.settings.block);
  await reconnect(context.settings.block);
  const controls = members.map(({ name }) => controlProgram(name));
  await Promise.all([ETCD_PROGRAM, ...controls].map((program) => supervisor.signal(program, 'CONT')));
  await startPartOf(context, supervisor, ETCD_PROGRAM);
  await Promise.all(members.map((member) => fence(context, supervisor, member)));
  const first = databaseProgram(members[0]!.name);
  await until(() => startPartOf(context, supervisor, first), HEAL_MS);
  const primary = await primaryOf(context);
  return `the database serves: ${databaseProgram(primary.name)} is the primary, the others stream from it`;
}

async function fence(context: Context, supervisor: Supervisor, member: DatabaseMember): Promise<void> {
  const processes = await memberProcesses(context.dir, homeOf(context.dir, member));
  const { pid } = await supervisor.info(databaseProgram(member.name));
  if (pid === 0 || processes.some(({ hung }) => hung)) await killMember(context, supervisor, member);
}

/** None of the member's processes is left when this returns, and the supervisor knows it. */
async function killMember({ dir }: Context, supervisor: Supervisor, member: DatabaseMember): Promise<void> {
  await until(async () => {
    const left = await memberProcesses(dir, homeOf(dir, member));
    signal(left, 'SIGKILL');
    const { pid } = await supervisor.info(databaseProgram(member.name));
    if (left.length > 0 || pid > 0) throw new Error(`member ${member.name} survives SIGKILL`);
  }, REAP_MS);
}

async function primaryOf(context: Context): Promise<DatabaseMember> {
  const reports = await databaseReports(context);
  const found = reports.find(({ primary }) => primary);
  if (found) return found.member;
  throw new SwitchoverError('SANDBOX', 'the database has no primary that answers');
}

async function replicaOf(context: Context): Promise<DatabaseMember> {
  const reports = await databaseReports(context);
  const replicas = reports.filter(({ primary }) => !primary);
  const found = replicas.find(({ sync_standby: synchronous }) => synchronous) ?? replicas[0];
  if (found) return found.member;
  throw new SwitchoverError('SANDBOX', 'the database has no replica that answers');
}
