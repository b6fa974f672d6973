import type {
  BackupsConfig,
  Config,
  DatabaseConfig,
  DnsConfig,
  RegionConfig,
  SessionsConfig,
  SupervisordConfig,
} from '../core/config';
import {
  FIRST_SPARE,
  ZONES,
  balancerAddresses,
  databaseMembers,
  placesOf,
  reserveMembers,
  sessionMembers,
  sharedAddresses,
  vantageOf,
  zoneMembers,
  type DatabaseMember,
  type Place,
} from './layout';
import type { Settings } from './settings';

/** Name of the HAProxy backend that holds a region's nodes. */
export const BACKEND = 'mcp';

/** The programs that can be a region's load balancer; the first is, until a runbook starts another. */
export const balancerPrograms = (name: string): [string, string] => [
  `haproxy-${name}`,
  `haproxy-${name}-standby`,
];

/** The variable that holds a token's secret, by the token's name. */
export const TOKEN_VARIABLES = {
  viewer: 'SWITCHOVER_TOKEN_VIEWER',
  operator: 'SWITCHOVER_TOKEN_OPERATOR',
  approver: 'SWITCHOVER_TOKEN_APPROVER',
  admin: 'SWITCHOVER_TOKEN_ADMIN',
  alertmanager: 'SWITCHOVER_TOKEN_ALERTMANAGER',
} as const;

export const FLEET_USER = 'switchover';
export const FLEET_PASSWORD_VARIABLE = 'SWITCHOVER_FLEET_PASSWORD';
export const DATABASE_VARIABLE = 'SWITCHOVER_DATABASE_URL';

/** Patroni's name of the fleet's database, as in the scope `database/main`. */
export const DATABASE_SCOPE = 'main';
/** The users of the fleet's database and of its Patroni, each with the variable that holds its password. */
export const DATABASE_USERS = {
  postgres: { user: 'postgres', variable: 'SWITCHOVER_POSTGRES_PASSWORD' },
  replication: { user: 'replicator', variable: 'SWITCHOVER_REPLICATION_PASSWORD' },
  patroni: { user: 'patroni', variable: 'SWITCHOVER_PATRONI_PASSWORD' },
} as const;

/** The variable that holds the passphrase with which every backup is encrypted. */
export const BACKUPS_VARIABLE = 'SWITCHOVER_BACKUPS_PASSPHRASE';
/** pgBackRest's name of the fleet's database. */
export const STANZA = 'main';

/** The Sentinels' name of the session store, as in the scope `redis/sessions`. */
export const SENTINEL_NAME = 'sessions';
/** So many Sentinels have to agree that the primary is down. */
export const SENTINEL_QUORUM = 2;
/** After so long a failover of the Sentinels has failed, s. */
export const SENTINEL_FAILOVER_S = 10;
/** The variables that hold the passwords of the session store's members and of their Sentinels. */
export const SESSIONS_VARIABLE = 'SWITCHOVER_SESSIONS_PASSWORD';
export const SENTINEL_VARIABLE = 'SWITCHOVER_SENTINEL_PASSWORD';

/** The hosted zone of the fleet's name, and that name, as Route 53 writes them. */
export const DNS_ZONE = 'mcp.test.';
export const DNS_NAME = `fleet.${DNS_ZONE}`;
/** Of the emulator, which is in none, and takes any key. */
export const DNS_REGION = 'us-east-1';
export const DNS_KEY_VARIABLES = {
  id: 'SWITCHOVER_DNS_ACCESS_KEY_ID',
  secret: 'SWITCHOVER_DNS_SECRET_ACCESS_KEY',
} as const;

/** What automation may do before it asks a person. */
const LIMITS: Pick<Config['policies'], 'repeats' | 'budget'> = {
  repeats: {
    node: { times: 2, within: '10m' },
    zone: { times: 1, within: '15m' },
    region: { times: 1, within: '1h' },
    lb: { times: 1, within: '15m' },
    registry: { times: 1, within: '15m' },
    database: { times: 1, within: '15m' },
    control: { times: 1, within: '15m' },
    members: { times: 2, within: '15m' },
    redis: { times: 1, within: '15m' },
  },
  budget: { runsPerHour: 120, capacityOut: 0.5 },
};

/** A benchmark does what it does and nothing besides. */
const NO_SCHEDULES = Object.fromEntries(
  ['backup-full', 'backup-incremental', 'backup-verify'].map((name) => [name, { off: true }]),
);

/** Who takes the traffic of the first region (REQUIREMENTS F3). */
const FIRST_LOST = { 'eu-central-1': 70, 'ap-southeast-1': 30 };

const EVER = { times: 1_000_000, within: '1s' };
const NO_LIMITS: typeof LIMITS = {
  repeats: { node: EVER, zone: EVER, region: EVER },
  budget: { runsPerHour: 1_000_000, capacityOut: 1 },
};

/** Prometheus scrapes every second. */
const metricsOf = (address: string): NonNullable<Config['metrics']> => ({
  kind: 'prometheus',
  url: `http://${address}`,
  window: '5s',
  errors: 0.01,
  p99: '500ms',
});

/** The environment file of a sandbox (DESIGN section 7): the fleet as laid out, judged and promised as in REQUIREMENTS. */
export function environmentFile(settings: Settings): Config {
  const at = sharedAddresses(settings.block);
  return {
    environment: 'sandbox',
    regions: Object.fromEntries(
      placesOf(settings).map((place, index) => [place.name, region(settings, place, index)]),
    ),
    sessions: sessionsOf(settings),
    registry: {
      kind: 'redis',
      url: `redis://${at.registry}`,
      members: at.registryMembers,
      fleet: fleetOf(settings.block),
    },
    ...(settings.database ? { database: databaseOf(settings) } : {}),
    ...(settings.dns ? { dns: dnsOf(settings) } : {}),
    ...(settings.database && settings.backups ? { backups: backupsOf(settings.block) } : {}),
    ...(settings.monitoring ? { metrics: metricsOf(at.prometheus) } : {}),
    health: {
      node: {
        interval: '500ms',
        suspiciousInterval: '100ms',
        timeout: settings.probeTimeout,
        mcpInterval: '2s',
        failures: 3,
        successes: 2,
      },
      zone: { share: 0.3, atLeast: 2 },
      region: { share: 0.5, atLeast: 3 },
      loadBalancer: { interval: '1s', timeout: '500ms', of: 3, failures: 2, successes: 2 },
      // Where a runbook answers it, it is asked as often as what a runbook of seconds answers has to be.
      sessions: settings.sentinel
        ? { interval: '300ms', timeout: '1s', of: 3, failures: 2, successes: 3 }
        : { interval: '5s', timeout: '1s', of: 3, failures: 1, successes: 2 },
      registry: { interval: '1s', timeout: '500ms', of: 5, failures: 3, successes: 5 },
      database: { interval: '300ms', timeout: '1s', of: 3, failures: 2, successes: 3 },
      control: { interval: '1s', timeout: '1s', of: 3, failures: 2, successes: 2 },
      // More than 5 s (H6).
      members: { interval: '1s', timeout: '2s', of: 6, failures: 6, successes: 2 },
      network: { interval: '5s', timeout: '1s', of: 20, loss: 0.05, slow: '500ms' },
    },
    objectives: {
      node: { rto: '5s' },
      sessions: { rto: '1s' },
      zone: { rto: '30s' },
      region: { rto: '5m' },
      formation: { rto: '15s' },
      registry: { rto: '10m' },
      database: { rto: '30s' },
      members: { rto: '10m' },
      outage: { rto: '10m' },
      // F13, F4
      'dr-1': { rto: '15m', rpo: '5m' },
      'dr-2': { rto: '15m', rpo: '5m' },
      'dr-3': { rto: '15m', rpo: '5m' },
      'dr-return': { rto: '2h' },
      control: { rto: '30s' },
      redis: { rto: '30s' },
      backup: { rto: '30m' },
      restore: { rto: '30m' },
      lb: { rto: '1m' },
      deploy: { rto: '1h' },
    },
    policies: {
      ...(settings.limits ? LIMITS : NO_LIMITS),
      zoneHold: '5s',
      nodeCapacity: 500,
      minimumHealthyShare: 0.5,
      restarts: 2,
      startTimeout: '8s',
      ramp: [25, 50, 100],
      rampInterval: '300ms',
      watch: '1s',
      drainTimeout: '10s',
    },
    ...(settings.limits ? {} : { schedules: NO_SCHEDULES }),
    escalation: [
      { to: 'on-call', webhook: `http://${at.notifications}/notify`, after: '0s' },
      { to: 'engineering-manager', webhook: `http://${at.notifications}/notify`, after: '30s' },
    ],
    server: {
      listen: at.server,
      tokens: [
        { name: 'viewer', role: 'viewer', secret: { env: TOKEN_VARIABLES.viewer } },
        { name: 'operator', role: 'operator', secret: { env: TOKEN_VARIABLES.operator } },
        { name: 'approver', role: 'approver', secret: { env: TOKEN_VARIABLES.approver } },
        { name: 'admin', role: 'admin', secret: { env: TOKEN_VARIABLES.admin } },
        { name: 'alertmanager', role: 'operator', secret: { env: TOKEN_VARIABLES.alertmanager } },
      ],
      temporalUi: `http://${at.temporalUi}`,
    },
    journal: { url: { env: DATABASE_VARIABLE } },
  };
}

function region(settings: Settings, { name, weight, role }: Place, index: number): RegionConfig {
  const { block, nodesPerZone, sparesPerZone } = settings;
  const balancer = balancerAddresses(block, index);
  const all = ZONES.length * nodesPerZone;
  // A site for disasters is half as large as a region (REQUIREMENTS T1), and has no spares.
  const [count, spares] = role === 'active' ? [all, sparesPerZone] : [Math.ceil(all / 2), 0];
  const zones = ZONES.flatMap((zone, z) => {
    const place = { block, region: index, zone: z };
    const own = Math.ceil((count - z) / ZONES.length);
    if (own <= 0) return [];
    return [
      [
        zone,
        {
          nodes: zoneMembers(place, 'n', 1, own),
          spares: zoneMembers(place, 's', FIRST_SPARE, spares),
        },
      ] as const,
    ];
  });
  return {
    weight,
    role,
    loadBalancer: {
      kind: 'haproxy',
      runtime: balancer.runtime,
      url: `http://${balancer.frontend}/mcp`,
      programs: balancerPrograms(name),
      backend: BACKEND,
    },
    fleet: fleetOf(block),
    vantage: vantageOf(block, index),
    ...(index === 0 ? { failover: FIRST_LOST } : {}),
    zones: Object.fromEntries(zones),
  };
}

function databaseOf(settings: Settings): DatabaseConfig {
  const { block } = settings;
  const at = sharedAddresses(block);
  const members = [
    ...databaseMembers(block).map((member) => [member.name, addressesOf(member)]),
    ...reserveMembers(settings).map((member) => [member.name, { ...addressesOf(member), reserve: true }]),
  ];
  const { postgres, patroni } = DATABASE_USERS;
  return {
    kind: 'patroni',
    url: `postgres://${at.database}/postgres`,
    members: Object.fromEntries(members) as DatabaseConfig['members'],
    etcd: { etcd: at.etcd },
    scope: DATABASE_SCOPE,
    postgres: { user: postgres.user, password: { env: postgres.variable } },
    patroni: { user: patroni.user, password: { env: patroni.variable } },
    fleet: fleetOf(block),
  };
}

function addressesOf({ rest, postgres, region: home }: DatabaseMember) {
  return { rest, postgres, region: home };
}

function dnsOf({ block, dnsTtl }: Settings): DnsConfig {
  const at = sharedAddresses(block);
  return {
    kind: 'route53',
    endpoint: `http://${at.route53}`,
    region: DNS_REGION,
    zone: DNS_ZONE,
    name: DNS_NAME,
    ttl: `${dnsTtl}s`,
    nameservers: [at.dns],
    accessKeyId: { env: DNS_KEY_VARIABLES.id },
    secretAccessKey: { env: DNS_KEY_VARIABLES.secret },
  };
}

function backupsOf(block: number): BackupsConfig {
  return { kind: 'pgbackrest', scratch: sharedAddresses(block).scratch, fleet: fleetOf(block) };
}

function sessionsOf({ block, sentinel, sentinelDownAfter }: Settings): SessionsConfig {
  const url = `redis://${sharedAddresses(block).redis}`;
  if (!sentinel) return { kind: 'redis', url };
  const members = sessionMembers(block);
  return {
    kind: 'redis',
    url,
    password: { env: SESSIONS_VARIABLE },
    sentinel: {
      name: SENTINEL_NAME,
      members: Object.fromEntries(members.map(({ name, redis }) => [name, redis])),
      regions: Object.fromEntries(members.map(({ name, region: home }) => [name, home])),
      sentinels: Object.fromEntries(members.map((member) => [member.watcher, member.sentinel])),
      password: { env: SENTINEL_VARIABLE },
      quorum: SENTINEL_QUORUM,
      downAfter: `${sentinelDownAfter}ms`,
      failoverTimeout: `${SENTINEL_FAILOVER_S}s`,
      fleet: fleetOf(block),
    },
  };
}

/** The one supervisor of the sandbox, which has the processes of every region. */
function fleetOf(block: number): SupervisordConfig {
  return {
    kind: 'supervisord',
    url: `http://${sharedAddresses(block).supervisor}/RPC2`,
    user: FLEET_USER,
    password: { env: FLEET_PASSWORD_VARIABLE },
  };
}
