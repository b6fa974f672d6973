import type { ScratchPlace } from '../core/backup';

/**
 * Where everything of a sandbox listens: pure arithmetic on the loopback net 127.0.0.0/8, all of which Linux answers
 * on without setting anything up. `127.<block>.0.<n>` holds the shared parts, `127.<block + r>.0.1` the load balancer
 * of region r, `.2` its member of the database and `.3` where that member finds etcd, `.4` its member of the session store and `.5`
 * its Sentinel, `.8` where its workers look at other regions from, `127.<block + r>.<zone>.<n>` its nodes. Blocks four apart never meet,
 * and with recovery sites those that are six apart.
 */
export const REGIONS = [
  { name: 'us-east-1', weight: 40 },
  { name: 'eu-central-1', weight: 35 },
  { name: 'ap-southeast-1', weight: 25 },
] as const;

/** A region that serves nobody until a disaster (REQUIREMENTS T1), or one that does. */
export interface Place {
  name: string;
  /** Share of the world's traffic when all is well, percent. */
  weight: number;
  role: 'active' | 'standby' | 'cold';
}

/** The regions for disasters: one that runs and one that has to be started first. They come after {@link REGIONS}. */
const SITES: readonly Place[] = [
  { name: 'us-west-1', weight: 0, role: 'standby' },
  { name: 'eu-north-1', weight: 0, role: 'cold' },
];

const ALL: readonly Place[] = [
  ...REGIONS.map((region) => ({ ...region, role: 'active' as const })),
  ...SITES,
];

/** All regions of a sandbox, in the order of their addresses; the sites for disasters last, where there are any. */
export function placesOf({ recovery }: { recovery: boolean }): readonly Place[] {
  return recovery ? ALL : ALL.slice(0, REGIONS.length);
}

/** The place of a region in the order of addresses. */
export function indexOf(region: string): number {
  return ALL.findIndex(({ name }) => name === region);
}

export const ZONES = ['a', 'b', 'c'] as const;

/** The last octet of a zone's first spare; nodes come before it. */
export const FIRST_SPARE = 101;

/** The highest block whose regions still fit into the second octet. */
export const MAX_BLOCK = 254 - ALL.length;

/** host:port of everything the regions share. */
export interface SharedAddresses {
  /** Bound by `up` and `down` while they work, so that only one of them does. */
  lock: string;
  temporal: string;
  temporalHttp: string;
  temporalUi: string;
  supervisor: string;
  /** Where clients of the session store write: its primary, whichever member that is. */
  redis: string;
  /** Where clients of the registry find its primary, whichever member that is. */
  registry: string;
  registryMembers: Record<'r1' | 'r2', string>;
  journal: string;
  /** Where clients of the database write: its primary, whichever member that is. */
  database: string;
  etcd: string;
  /** Where etcd would meet its peers; it has none. */
  etcdPeer: string;
  /** Of the S3 server that is the backups' second repository. */
  storage: string;
  /** Where PostgreSQL serves what was restored beside the database. */
  scratch: Record<ScratchPlace, string>;
  prometheus: string;
  alertmanager: string;
  server: string;
  notifications: string;
  /** The nameserver of the fleet's name, UDP and TCP. */
  dns: string;
  /** The API that changes what it answers. */
  route53: string;
}

/** host:port of a region's load balancer: what clients call, its runtime API, its metrics and statistics page. */
export interface BalancerAddresses {
  frontend: string;
  runtime: string;
  metrics: string;
}

/** The shared addresses of a block. */
export function sharedAddresses(block: number): SharedAddresses {
  const at = (host: number, port: number): string => `127.${block}.0.${host}:${port}`;
  // Whatever address it is told, Temporal's development server looks for its own parts on 127.0.0.1. Steps of 11 keep
  // every block but the first clear of 7233 and 8233, where a server of the person's own would be.
  const temporalAt = (offset: number): string => `127.0.0.1:${7233 + 11 * block + offset}`;
  return {
    lock: at(9, 9000),
    temporal: temporalAt(0),
    temporalHttp: temporalAt(1),
    temporalUi: temporalAt(2),
    supervisor: at(11, 9001),
    redis: at(12, 6379),
    journal: at(13, 5432),
    prometheus: at(14, 9090),
    alertmanager: at(15, 9093),
    server: at(16, 8800),
    notifications: at(17, 9094),
    registry: at(18, 6379),
    registryMembers: { r1: at(19, 6379), r2: at(20, 6379) },
    database: at(21, 5432),
    etcd: at(22, 2379),
    etcdPeer: at(22, 2380),
    dns: at(23, 53),
    route53: at(24, 5000),
    storage: at(26, 9000),
    scratch: { verify: at(27, 5432), restore: at(28, 5432) },
  };
}

/** The addresses of the load balancer of the region at `index`, see {@link indexOf}. */
export function balancerAddresses(block: number, index: number): BalancerAddresses {
  const at = (port: number): string => `127.${block + index + 1}.0.1:${port}`;
  return { frontend: at(8080), runtime: at(9999), metrics: at(8405) };
}

/** All addresses of the region at `index`, see {@link indexOf}. */
export function regionNetwork(block: number, index: number): string {
  return `127.${block + index + 1}.0.0/16`;
}

/** Where the workers of the region at `index`, see {@link indexOf}, look at other regions from. */
export function vantageOf(block: number, index: number): string {
  return `127.${block + index + 1}.0.8`;
}

/** The region that an address of this block is in; undefined of those that are in none. */
export function regionOf(block: number, address: string): string | undefined {
  const [net, second] = address.split('.');
  return net === '127' ? ALL[Number(second) - block - 1]?.name : undefined;
}

/** One member of the database: what it listens on, and the way to etcd that is its alone. */
export interface DatabaseMember {
  /** `d1` */
  name: string;
  region: string;
  /** host:port of its PostgreSQL, of its Patroni's REST API, and of the proxy through which its Patroni talks to etcd. */
  postgres: string;
  rest: string;
  control: string;
}

/** The members of the database, one in each region that serves when all is well. */
export function databaseMembers(block: number): DatabaseMember[] {
  return REGIONS.map(({ name }) => databaseMemberIn(block, name));
}

/** The members of the database that have no data until they get a backup's: one at the cold site. */
export function reserveMembers({ block, recovery }: { block: number; recovery: boolean }): DatabaseMember[] {
  return placesOf({ recovery }).flatMap(({ name, role }) =>
    role === 'cold' ? [databaseMemberIn(block, name)] : [],
  );
}

function databaseMemberIn(block: number, region: string): DatabaseMember {
  const index = indexOf(region);
  const at = (host: number, port: number): string => `127.${block + index + 1}.0.${host}:${port}`;
  return { name: `d${index + 1}`, region, postgres: at(2, 5432), rest: at(2, 8008), control: at(3, 2379) };
}

/** One member of the session store, and the Sentinel beside it. */
export interface SessionMember {
  /** `m1` */
  name: string;
  region: string;
  /** Its Sentinel's name, `s1`. */
  watcher: string;
  /** host:port of its Redis and of the Sentinel. */
  redis: string;
  sentinel: string;
}

/** The members of the session store under Sentinel, one in each region that serves when all is well. */
export function sessionMembers(block: number): SessionMember[] {
  return REGIONS.map(({ name: region }, index) => {
    const at = (host: number, port: number): string => `127.${block + index + 1}.0.${host}:${port}`;
    return {
      name: `m${index + 1}`,
      region,
      watcher: `s${index + 1}`,
      redis: at(4, 6379),
      sentinel: at(5, 26379),
    };
  });
}

/** The members of a zone: `count` of them, named `<prefix>1…`, from last octet `first` on. */
export function zoneMembers(
  place: { block: number; region: number; zone: number },
  prefix: string,
  first: number,
  count: number,
): Record<string, string> {
  const { block, region, zone } = place;
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `${prefix}${i + 1}`,
      `127.${block + region + 1}.${zone + 1}.${first + i}:8080`,
    ]),
  );
}
