import { parseNode } from '../core/scope';
import { DATABASE_FAULTS, REDIS_FAULTS, type DatabasePart, type RedisPart, type Target } from '../sandbox';
import { UsageError } from './errors';

const DATABASE_PARTS = Object.keys(DATABASE_FAULTS) as DatabasePart[];
const REDIS_PARTS = Object.keys(REDIS_FAULTS) as RedisPart[];

/** Reads what of the sandbox is meant: `us-east-1/a/n1` (or its scope), `zone/us-east-1/a`, `region/us-east-1`, `way/eu-central-1/us-east-1` (from one region to another), `lb/us-east-1`, `registry/primary`, `database/etcd`, `database` (its primary), `redis/replica`, `worker/us-east-1`, `temporal`. @throws UsageError */
export function parseTarget(text: string): Target {
  if (text === 'temporal') return { kind: 'temporal' };
  if (text === 'registry/primary') return { kind: 'registry' };
  const [kind, region, zone, ...more] = text.split('/');
  const part = DATABASE_PARTS.find((one) => text === `database/${one}`);
  if (part || text === 'database') return { kind: 'database', part: part ?? 'primary' };
  const member = REDIS_PARTS.find((one) => text === `redis/${one}`);
  if (member) return { kind: 'redis', part: member };
  if ((kind === 'worker' || kind === 'lb' || kind === 'region') && region && zone === undefined)
    return { kind, region };
  if (kind === 'way' && region && zone && more.length === 0) return { kind, from: region, to: zone };
  if (kind === 'zone' && region && zone && more.length === 0)
    return { kind: 'zone', zone: `${region}/${zone}` };
  const node = text.replace(/^node\//, '');
  if (parseNode(node)) return { kind: 'node', node };
  throw new UsageError(
    `"${text}" is no target: a node is region/zone/name, a zone is zone/region/zone, a region is region/name, the way from one region to another is way/region/region, a load balancer is lb/region, the registry is registry/primary, the database is database/primary, database/replica or database/etcd, the session store is redis/primary or redis/replica, a worker is worker/region, the Temporal server is temporal`,
    './switchover sandbox break us-east-1/a/n1 kill',
  );
}
