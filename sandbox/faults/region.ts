import { databaseProgram, nodesOf, sessionsProgram } from '../../core/topology';
import { balancerPrograms } from '../environment';
import {
  databaseMembers,
  indexOf as placeOf,
  regionNetwork,
  reserveMembers,
  sessionMembers,
  vantageOf,
  type DatabaseMember,
} from '../layout';
import { controlProgram } from '../parts/etcd';
import type { Context } from '../parts/part';
import { homeOf } from '../parts/member-home';
import { sentinelProgram } from '../parts/sentinel';
import { workerIn } from '../parts/switchover';
import { memberProcesses, signal } from '../processes';
import type { Supervisor } from '../supervisor';
import { requireRegion } from './balancer';
import { allTo, cut, restore, type Cut } from './network';

/**
 * What can happen to a whole region; only as root. `kill`: everything in it dies at once, and nobody is answered from there any more ·
 * `partition`: all of it lives, and nobody reaches it.
 */
export const REGION_FAULTS = ['kill', 'partition'] as const;
export type RegionFault = (typeof REGION_FAULTS)[number];

/** Gives a region a fault. @returns one sentence of what was done */
export async function breakRegion(
  context: Context,
  supervisor: Supervisor,
  region: string,
  fault: RegionFault,
): Promise<string> {
  const { block } = context.settings;
  await cut(block, allTo(networkOf(block, region)));
  if (fault === 'partition') return `region ${region} is reached by nobody`;
  const programs = await programsOf(context, supervisor, region);
  // Told so first, the supervisor does not start a worker again.
  const worker = programs.filter((program) => program === workerIn(region));
  await Promise.all(worker.map((program) => supervisor.end(program)));
  await Promise.all(programs.map((program) => supervisor.signal(program, 'KILL')));
  const member = databaseMemberIn(context, region);
  // PostgreSQL is not of Patroni's process group.
  if (member) signal(await memberProcesses(context.dir, homeOf(context.dir, member)), 'SIGKILL');
  return `region ${region} is lost: ${programs.length} processes died at once, and nobody reaches it`;
}

/**
 * Brings a region back as its machines would come up: reached again, with its load balancer, its Sentinel and its worker. Its nodes and
 * its members of database and session store are stopped, for runbooks to bring back.
 * @returns one sentence of what was done
 */
export async function healRegion(context: Context, supervisor: Supervisor, region: string): Promise<string> {
  const { block } = context.settings;
  await restore(block, allTo(networkOf(block, region)));
  const known = new Set((await supervisor.list()).map((program) => program.name));
  const { control, sentinel } = storesOf(context, region);
  const own = [balancerPrograms(region)[0], ...control, ...sentinel, workerIn(region)];
  for (const program of own.filter((one) => known.has(one))) await supervisor.start(program);
  return `region ${region} is reached again, and its load balancer runs`;
}

/** Loses everything that one region's workers send to another region. @returns one sentence of what was done */
export async function breakWay(context: Context, from: string, to: string): Promise<string> {
  await cut(context.settings.block, wayOf(context, from, to));
  return `${from} does not reach ${to} any more`;
}

/** Ends what {@link breakWay} did. @returns one sentence of what was done */
export async function healWay(context: Context, from: string, to: string): Promise<string> {
  await restore(context.settings.block, wayOf(context, from, to));
  return `${from} reaches ${to}`;
}

function wayOf({ settings: { block } }: Context, from: string, to: string): Cut {
  return { from: vantageOf(block, indexOf(from)), to: networkOf(block, to) };
}

/** What runs in a region. */
async function programsOf(context: Context, supervisor: Supervisor, region: string): Promise<string[]> {
  const { members, control, sentinel } = storesOf(context, region);
  const there = new Set([
    ...nodesOf(context.config, region).map(({ program }) => program),
    ...balancerPrograms(region),
    ...members,
    ...control,
    ...sentinel,
    workerIn(region),
  ]);
  const running = (await supervisor.list()).filter(({ name, pid }) => pid > 0 && there.has(name));
  return running.map(({ name }) => name);
}

function databaseMemberIn({ settings }: Context, region: string): DatabaseMember | undefined {
  const all = [...databaseMembers(settings.block), ...reserveMembers(settings)];
  return all.find((member) => member.region === region);
}

/** The programs of data stores that a region has. */
function storesOf(context: Context, region: string) {
  const database = databaseMemberIn(context, region);
  const session = sessionMembers(context.settings.block)[indexOf(region)];
  return {
    members: [
      ...(database ? [databaseProgram(database.name)] : []),
      ...(session ? [sessionsProgram(session.name)] : []),
    ],
    control: database ? [controlProgram(database.name)] : [],
    sentinel: session ? [sentinelProgram(session.watcher)] : [],
  };
}

function networkOf(block: number, region: string): string {
  return regionNetwork(block, indexOf(region));
}

function indexOf(region: string): number {
  return placeOf(requireRegion(region));
}
