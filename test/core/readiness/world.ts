import type { CacheView } from '../../../core/cache';
import type { Config } from '../../../core/config';
import type { DatabaseView } from '../../../core/database';
import type { PoolMember } from '../../../core/guards';
import type { RegionSeen, WorldSeen } from '../../../core/readiness';
import { environmentFile } from '../../../sandbox/environment';
import { DEFAULTS } from '../../../sandbox/settings';
import { catalogue } from '../../../operations';

/** A fleet as the sandbox has it, on which nothing is the matter, and ways to spoil it. */
export const config: Config = environmentFile(DEFAULTS);
export const AT = '2030-01-02T03:04:05.000Z';

const nodes = (region: string): PoolMember[] =>
  Object.entries(config.regions[region]!.zones).flatMap(([zone, { nodes: all }]) =>
    Object.keys(all).map((name) => ({ server: `${zone}-${name}`, admin: 'ready' as const, up: true })),
  );

/** Every program that the sandbox's supervisor could have. */
const PROGRAMS = [
  ...Object.entries(config.regions).flatMap(([region, { zones, loadBalancer }]) => [
    ...(loadBalancer.programs ?? []),
    ...Object.entries(zones).flatMap(([zone, { nodes: all, spares = {} }]) =>
      [...Object.keys(all), ...Object.keys(spares)].map((name) => `${region}-${zone}-${name}`),
    ),
  ]),
  ...['d1', 'd2', 'd3', 'etcd'].map((name) => `database-${name}`),
  ...Object.keys(config.registry!.members).map((name) => `registry-${name}`),
  ...Object.keys(config.sessions.sentinel!.members).map((name) => `sessions-${name}`),
];
const programs = { value: PROGRAMS };

/** A region's part of the world. */
export const pool = (
  region: string,
  change: (members: PoolMember[]) => PoolMember[] = (all) => all,
  peakPerS: number | null = 900,
): RegionSeen => ({
  pool: { value: { members: change(nodes(region)), peakPerS } },
  rights: { value: null },
  programs,
});

const standby = (member: string, more: object = {}) => ({
  member,
  agent: { role: 'standby' as const, state: 'running', synchronous: member === 'd2' },
  postgres: {
    writable: false,
    timeline: 1,
    lsn: 1_000_000,
    limits: {},
    receiver: { from: 'd1', silentS: 0 },
    ...more,
  },
  said: `standby of d1`,
});

/** d1 is the primary, d2 its synchronous standby, d3 another. */
export const database: DatabaseView = {
  members: [
    {
      member: 'd1',
      agent: { role: 'primary', state: 'running', synchronous: false },
      postgres: { writable: true, timeline: 1, lsn: 1_000_000, limits: {} },
      said: 'primary',
    },
    standby('d2'),
    standby('d3'),
  ],
  leader: 'd1',
  clients: { ok: true, said: 'a write took 3 ms' },
  synchronous: true,
};

/** The database with its standbys so. */
export const standbys = (...of: ReturnType<typeof standby>[]): DatabaseView => ({
  ...database,
  members: [database.members[0]!, ...of],
});
export { standby };

const link = { to: 'm1', up: true, copying: false, silentS: 0 };
/** m1 is the primary of the session store. */
export const cache: CacheView = {
  members: [
    { member: 'm1', reachable: true, role: 'primary', offset: 100, said: 'primary, 2 standbys' },
    { member: 'm2', reachable: true, role: 'standby', offset: 100, link, said: 'standby of m1' },
    { member: 'm3', reachable: true, role: 'standby', offset: 100, link, said: 'standby of m1' },
  ],
  sentinels: ['s1', 's2', 's3'].map((sentinel) => ({
    sentinel,
    said: 'watches m1',
    primary: 'm1',
    down: false,
    failingOver: false,
    held: false,
    standbys: 2,
  })),
};

const backupIn = (repository: 'near' | 'offsite', stoppedAt: string) => ({
  label: '20300101-000000F',
  repository,
  type: 'full' as const,
  startedAt: stoppedAt,
  stoppedAt,
  from: '0/1',
  to: '0/2',
  bytes: 1,
  storedBytes: 1,
  damaged: false,
});
export { backupIn };

/** Nothing is the matter, and every runbook was proven an hour ago within its objective. */
export const well: WorldSeen = {
  at: AT,
  regions: Object.fromEntries(Object.keys(config.regions).map((region) => [region, pool(region)])),
  sessions: { value: null },
  registry: {
    view: {
      value: [
        { member: 'r1', reachable: true, role: 'primary', offset: 9, said: 'primary' },
        {
          member: 'r2',
          reachable: true,
          role: 'standby',
          offset: 9,
          said: 'standby of r1',
          link: { ...link, to: 'r1' },
        },
      ],
    },
    programs,
  },
  database: {
    view: { value: database },
    control: { value: [{ server: 'etcd', ok: true, said: 'answers' }] },
    programs,
  },
  cache: { view: { value: cache }, programs },
  dns: {
    value: {
      view: {
        name: 'fleet.mcp.test.',
        ttlS: 30,
        records: Object.entries(config.regions).map(([region, { weight }], i) => ({
          region,
          weight,
          addresses: [`127.0.0.${i}`],
        })),
      },
      answers: [
        {
          server: '127.0.0.23:53',
          asked: 3,
          addresses: { '127.0.0.0': 2, '127.0.0.1': 1 },
          said: 'all answered',
        },
      ],
    },
  },
  backups: {
    value: {
      backups: [
        backupIn('near', '2030-01-02T01:00:00.000Z'),
        backupIn('offsite', '2030-01-02T01:10:00.000Z'),
      ],
      trouble: {},
      archiving: { waiting: 0, lastAt: '2030-01-02T03:03:05.000Z', failedAt: null },
    },
  },
  history: Object.fromEntries(
    catalogue.map(({ id }) => [id, { runs: 7, p95Ms: 900, provenAt: '2030-01-02T02:04:05.000Z' }]),
  ),
};
