import { SwitchoverError } from '../../core/errors';
import { openContext } from '../context';
import type { Context } from '../parts/part';
import { workerIn } from '../parts/switchover';
import { stateDir, type SandboxOptions } from '../settings';
import { supervisorOf } from '../supervisor';
import { BALANCER_FAULTS, breakBalancer, healBalancer, requireRegion, type BalancerFault } from './balancer';
import {
  DATABASE_FAULTS,
  breakDatabase,
  healDatabase,
  type DatabaseFault,
  type DatabasePart,
} from './database';
import { NODE_FAULTS, breakNode, healNode, type NodeFault } from './node';
import { kill, startPartOf } from './program';
import { REDIS_FAULTS, breakRedis, healRedis, type RedisFault, type RedisPart } from './redis';
import { REGION_FAULTS, breakRegion, breakWay, healRegion, healWay, type RegionFault } from './region';
import { REGISTRY_FAULTS, breakRegistry, healRegistry, type RegistryFault } from './registry';
import { ZONE_FAULTS, breakZone, healZone, type ZoneFault } from './zone';

/**
 * What can be broken: a node by its id `us-east-1/a/n1`, a zone `us-east-1/a`, a whole region, the way from one region's workers to
 * another region, a region's load balancer, whichever of
 * its programs that is, the registry's primary, whichever member that is, the database's primary, a replica or etcd, the session
 * store's primary or a replica, a region's worker, the Temporal server.
 */
export type Target =
  | { kind: 'node'; node: string }
  | { kind: 'zone'; zone: string }
  | { kind: 'region'; region: string }
  | { kind: 'way'; from: string; to: string }
  | { kind: 'lb'; region: string }
  | { kind: 'registry' }
  | { kind: 'database'; part: DatabasePart }
  | { kind: 'redis'; part: RedisPart }
  | { kind: 'worker'; region: string }
  | { kind: 'temporal' };

/** The faults that each kind of target may be given; the parts of the database and the session store have their own. */
const FAULTS: Record<Exclude<Target['kind'], 'database' | 'redis'>, readonly string[]> = {
  node: NODE_FAULTS,
  zone: ZONE_FAULTS,
  region: REGION_FAULTS,
  way: ['cut'],
  lb: BALANCER_FAULTS,
  registry: REGISTRY_FAULTS,
  worker: ['kill', 'stop'],
  temporal: ['kill'],
};

/** How strong a fault is. */
export interface Severity {
  /** For the fault `latency`: what is added to every MCP request; default 1,000. */
  latencyMs?: number | undefined;
  /** For a zone: the share of its nodes that get the fault, above 0 and at most 1; default 1. */
  share?: number | undefined;
}

/**
 * Injects a real fault. A killed worker is started again by the supervisor, one that is stopped is not, nor is anything else.
 * @param fault one of {@link NODE_FAULTS} for a node, of {@link ZONE_FAULTS} for a zone, of {@link REGION_FAULTS} for a region, of {@link BALANCER_FAULTS} for
 *   a load balancer, of {@link REGISTRY_FAULTS} for the registry, of {@link DATABASE_FAULTS} for the database, of
 *   {@link REDIS_FAULTS} for the session store; `kill` for the others, a worker also `stop`
 * @returns one sentence of what was done
 * @throws BAD_INPUT for an unknown fault · UNKNOWN_TARGET · SANDBOX where the target does not run
 */
export async function breakPart(
  options: SandboxOptions,
  target: Target,
  fault: string,
  { latencyMs = 1_000, share = 1 }: Severity = {},
): Promise<string> {
  const [what, faults] = faultsOf(target);
  if (!faults.includes(fault)) {
    throw new SwitchoverError(
      'BAD_INPUT',
      `fault: "${fault}" is none of a ${what}; there are ${faults.join(', ')}`,
    );
  }
  const context = await existing(options);
  const supervisor = supervisorOf(context.at, context.secrets);
  switch (target.kind) {
    case 'node':
      return breakNode(context, supervisor, target.node, fault as NodeFault, latencyMs);
    case 'zone':
      return breakZone(context, supervisor, target.zone, fault as ZoneFault, share);
    case 'region':
      return breakRegion(context, supervisor, target.region, fault as RegionFault);
    case 'way':
      return breakWay(context, target.from, target.to);
    case 'lb':
      return breakBalancer(supervisor, target.region, fault as BalancerFault);
    case 'registry':
      return breakRegistry(context, supervisor, fault as RegistryFault);
    case 'database':
      return breakDatabase(context, supervisor, target.part, fault as DatabaseFault);
    case 'redis':
      return breakRedis(context, supervisor, target.part, fault as RedisFault);
    default: {
      const program = programOf(target);
      if (fault !== 'stop') return kill(supervisor, program);
      await supervisor.end(program);
      return `${program} was stopped, and stays so until it is healed`;
    }
  }
}

/**
 * Takes every fault away from a target. A node that was killed, alone or with its zone, stays stopped, for a runbook to find, unless `restart`
 * is set; a load balancer, the registry, the whole database or session store, a worker or the Temporal server is started where it does not run, and serves when this returns.
 * @returns one sentence of what was done
 * @throws UNKNOWN_TARGET · SANDBOX where it does not start
 */
export async function healPart(options: SandboxOptions, target: Target, restart = false): Promise<string> {
  const context = await existing(options);
  const supervisor = supervisorOf(context.at, context.secrets);
  if (target.kind === 'node') return healNode(context, supervisor, target.node, restart);
  if (target.kind === 'zone') return healZone(context, supervisor, target.zone, restart);
  if (target.kind === 'region') return healRegion(context, supervisor, target.region);
  if (target.kind === 'way') return healWay(context, target.from, target.to);
  if (target.kind === 'lb') return healBalancer(context, supervisor, target.region);
  if (target.kind === 'registry') return healRegistry(context, supervisor);
  if (target.kind === 'database') return healDatabase(context, supervisor);
  if (target.kind === 'redis') return healRedis(context, supervisor);
  const name = programOf(target);
  await startPartOf(context, supervisor, name);
  return `${name} runs`;
}

/** What the target is called, and the faults that it may be given. */
function faultsOf(target: Target): [what: string, faults: readonly string[]] {
  switch (target.kind) {
    case 'database':
      return [`database/${target.part}`, DATABASE_FAULTS[target.part]];
    case 'redis':
      return [`redis/${target.part}`, REDIS_FAULTS[target.part]];
    default:
      return [target.kind, FAULTS[target.kind]];
  }
}

async function existing(options: SandboxOptions): Promise<Context> {
  const context = await openContext(options);
  if (context) return context;
  throw new SwitchoverError('SANDBOX', `There is no sandbox in ${stateDir(options)} to break or heal.`);
}

function programOf(target: Extract<Target, { kind: 'worker' | 'temporal' }>): string {
  if (target.kind === 'temporal') return 'temporal';
  return workerIn(requireRegion(target.region));
}
