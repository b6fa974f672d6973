import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { DAYS, ScheduleChangesSchema } from './schedule-schema';

/**
 * The environment file (`switchover.yaml`, DESIGN section 7): what the fleet is, where its systems are, what is
 * promised, who may do what. The schema is the single source of the type, of the checks and of the examples in errors.
 */
const object = <T extends Record<string, TSchema>>(fields: T, about: { description?: string } = {}) =>
  Type.Object(fields, { additionalProperties: false, ...about });

const Duration = (example: string, description: string) =>
  Type.String({
    pattern: '^\\d+(ms|s|m|h|d)$',
    examples: [example],
    description: `a duration such as ${example}; ${description}`,
  });

const Address = Type.String({
  pattern: '^[\\w.:-]+:\\d+$',
  examples: ['127.1.1.1:8080'],
  description: 'host:port',
});
const Url = (example: string) =>
  Type.String({ pattern: '^[a-z+]+://.+', examples: [example], description: 'a URL' });

/** Where a secret is found; never the secret itself (REQUIREMENTS S3). */
const Secret = Type.Union(
  [object({ env: Type.String({ minLength: 1 }) }), object({ file: Type.String({ minLength: 1 }) })],
  {
    examples: [{ env: 'SWITCHOVER_FLEET_PASSWORD' }],
    description: 'where the secret is: {env: NAME} or {file: PATH}',
  },
);

const Name = '^[a-z0-9][a-z0-9-]*$';
const Members = Type.Record(Type.String({ pattern: Name }), Address, {
  additionalProperties: false,
  examples: [{ n1: '127.1.1.1:8080' }],
});

const Zone = object({
  /** In service when all is well. */
  nodes: Members,
  /** Installed but stopped; a node that cannot be restarted is replaced by one of them. */
  spares: Type.Optional(Members),
});

const HaproxySchema = object({
  kind: Type.Literal('haproxy'),
  runtime: Address,
  /** What clients call. */
  url: Url('http://127.1.0.1:8080/mcp'),
  /**
   * The supervisor's names of the programs that can serve these addresses, one of which does: where it fails another is started in
   * its place. Such a program starts with every server in maintenance. Left out where there is no second one.
   */
  programs: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 2,
      uniqueItems: true,
      examples: [['haproxy-us-east-1', 'haproxy-us-east-1-standby']],
    }),
  ),
  /** The backend whose servers are the region's nodes; server names are `<zone>-<node>`. */
  backend: Type.String({ minLength: 1, examples: ['mcp'] }),
});

const SupervisordSchema = object({
  kind: Type.Literal('supervisord'),
  url: Url('http://127.0.0.11:9001/RPC2'),
  user: Type.String({ minLength: 1 }),
  password: Secret,
});

const Region = object({
  /** Share of the world's traffic, percent (REQUIREMENTS T1). */
  weight: Type.Integer({ minimum: 0, maximum: 100, examples: [40] }),
  role: Type.Union([Type.Literal('active'), Type.Literal('standby'), Type.Literal('cold')]),
  loadBalancer: HaproxySchema,
  fleet: SupervisordSchema,
  /** The local address from which the region's workers look at other regions; left out where they have only one way out. */
  vantage: Type.Optional(
    Type.String({
      pattern: '^\\d{1,3}(\\.\\d{1,3}){3}$',
      examples: ['127.1.0.8'],
      description: 'an IPv4 address',
    }),
  ),
  /**
   * Who takes its traffic when it is lost, percent by region; left out: the others, as their weights are (REQUIREMENTS F3: 70/30).
   */
  failover: Type.Optional(
    Type.Record(Type.String({ pattern: Name }), Type.Integer({ minimum: 0, maximum: 100 }), {
      additionalProperties: false,
      examples: [{ 'eu-central-1': 70, 'ap-southeast-1': 30 }],
    }),
  ),
  zones: Type.Record(Type.String({ pattern: Name }), Zone, { additionalProperties: false, minProperties: 1 }),
});

/** Redis servers that replicate from each other, and the Sentinels that watch them (REQUIREMENTS T5). */
const SentinelSchema = object({
  /** The Sentinels' name of them, their "master name". */
  name: Type.String({ pattern: Name, examples: ['sessions'] }),
  /** One of them the primary and the others its replicas. */
  members: Type.Record(Type.String({ pattern: Name }), Address, {
    additionalProperties: false,
    minProperties: 2,
    examples: [{ m1: '127.1.0.4:6379', m2: '127.2.0.4:6379' }],
  }),
  /** In which region each member is; left out where they are all in one. */
  regions: Type.Optional(
    Type.Record(Type.String({ pattern: Name }), Type.String({ pattern: Name }), {
      additionalProperties: false,
      examples: [{ m1: 'us-east-1', m2: 'eu-central-1' }],
    }),
  ),
  sentinels: Type.Record(Type.String({ pattern: Name }), Address, {
    additionalProperties: false,
    minProperties: 3,
    examples: [{ s1: '127.1.0.5:26379', s2: '127.2.0.5:26379', s3: '127.3.0.5:26379' }],
  }),
  /** The Sentinels' own password; that of the members is the session store's. */
  password: Type.Optional(Secret),
  /** What Sentinels are told when they are to watch anew; first how many must agree that the primary is down. */
  quorum: Type.Integer({ minimum: 1, examples: [2] }),
  downAfter: Duration('5s', 'without an answer for so long a member is down'),
  failoverTimeout: Duration('10s', 'after which a failover of the Sentinels has failed'),
  /** The supervisor of the members' processes, which it knows as `sessions-<member>`. */
  fleet: SupervisordSchema,
});

const SessionsSchema = object({
  kind: Type.Literal('redis'),
  /** What clients use; leads to whichever member is the primary, where there are several. */
  url: Url('redis://127.0.0.12:6379'),
  password: Type.Optional(Secret),
  /** Left out where it is one Redis alone. */
  sentinel: Type.Optional(SentinelSchema),
});

/** The registry of MCP nodes: which there are and are alive (REQUIREMENTS T4, F7). */
const RegistrySchema = object({
  kind: Type.Literal('redis'),
  /** What clients use; leads to whichever member is the primary. */
  url: Url('redis://127.0.0.18:6379'),
  /** The servers it consists of, one of them the primary and the others its standbys. */
  members: Type.Record(Type.String({ pattern: Name }), Address, {
    additionalProperties: false,
    minProperties: 2,
    examples: [{ r1: '127.0.0.19:6379', r2: '127.0.0.20:6379' }],
  }),
  password: Type.Optional(Secret),
  /** The supervisor of the members' processes, which it knows as `registry-<member>`. */
  fleet: SupervisordSchema,
});

const CredentialsSchema = object({
  user: Type.String({ minLength: 1, examples: ['postgres'] }),
  password: Secret,
});

const DatabaseMemberSchema = object({
  /** Of its Patroni's REST API. */
  rest: Address,
  postgres: Address,
  region: Type.String({ pattern: Name, examples: ['us-east-1'] }),
  /** It has no data, and is none of the members, until it gets a backup's in a disaster. */
  reserve: Type.Optional(Type.Boolean()),
});

/** PostgreSQL with its replicas under Patroni (REQUIREMENTS T6). */
const DatabaseSchema = object({
  kind: Type.Literal('patroni'),
  /** What clients use; leads to whichever member is the primary. */
  url: Url('postgres://127.0.0.21:5432/postgres'),
  /** The servers it consists of, one of them the primary and the others its replicas. */
  members: Type.Record(Type.String({ pattern: Name }), DatabaseMemberSchema, {
    additionalProperties: false,
    minProperties: 2,
    examples: [{ d1: { rest: '127.1.0.2:8008', postgres: '127.1.0.2:5432', region: 'us-east-1' } }],
  }),
  /** Where Patroni keeps who is the primary: the servers of its control plane. */
  etcd: Type.Record(Type.String({ pattern: Name }), Address, {
    additionalProperties: false,
    minProperties: 1,
    examples: [{ etcd: '127.0.0.22:2379' }],
  }),
  /** Patroni's name of this cluster; its keys in etcd begin with `/service/<scope>/`. */
  scope: Type.String({ pattern: Name, examples: ['main'] }),
  /** Of a PostgreSQL user that may see the state of replication and write. */
  postgres: CredentialsSchema,
  /** For the calls of Patroni's REST API that change something. */
  patroni: CredentialsSchema,
  /**
   * The supervisor of the processes of members and control plane: it knows the members' agents and the servers of etcd as
   * `database-<name>`. Programs of a member that end by themselves: `database-<member>-fence` ends every process of it and fails where
   * it cannot, `-remains` tells what is left of it, `-salvage` saves what only it has.
   */
  fleet: SupervisordSchema,
});

/** The name by which clients find a region, one weighted record set a region (REQUIREMENTS T2). */
const DnsSchema = object({
  kind: Type.Literal('route53'),
  /** Left out for AWS's own. */
  endpoint: Type.Optional(Url('http://127.0.0.24:5000')),
  /** For which AWS region calls are signed; left out where the SDK finds it in its own places. */
  region: Type.Optional(Type.String({ minLength: 1, examples: ['us-east-1'] })),
  zone: Type.String({
    minLength: 1,
    examples: ['mcp.test.'],
    description: 'the hosted zone, by its name or by its id',
  }),
  /** Its record sets are of type A; the set identifier of each is the name of its region. */
  name: Type.String({
    pattern: '^[\\w-]+(\\.[\\w-]+)+\\.?$',
    examples: ['fleet.mcp.test.'],
    description: 'a domain name',
  }),
  ttl: Duration('30s', 'how long clients may keep an answer'),
  /** That answer for the zone with authority, by address: they are asked directly. */
  nameservers: Type.Array(Address, { minItems: 1, uniqueItems: true, examples: [['127.0.0.23:53']] }),
  /** Both, or neither: then the SDK looks for them in its own places, such as the role of the machine. */
  accessKeyId: Type.Optional(Secret),
  secretAccessKey: Type.Optional(Secret),
});

/** Backups of the database in two repositories, one of them at another site (REQUIREMENTS B1, B3, B5). */
const BackupsSchema = object({
  kind: Type.Literal('pgbackrest'),
  /** Where PostgreSQL serves what was restored beside the database: to be verified, and to be used. */
  scratch: object({ verify: Address, restore: Address }),
  /**
   * The supervisor of the programs that work on backups, see sandbox/backups: `database-backups` does what it is told,
   * `database-backups-near` and `-offsite` print what is in a repository, `database-copies` what is restored, `database-scratch-verify`
   * and `-restore` serve a restored copy.
   */
  fleet: SupervisordSchema,
});

/** What is measured of the nodes' service, and from when on a release is worse than the one before it (REQUIREMENTS D3). */
const MetricsSchema = object({
  kind: Type.Literal('prometheus'),
  /** It scrapes the nodes with the label `node`, their ids. */
  url: Url('http://127.0.0.14:9090'),
  window: Duration(
    '1m',
    'over how long rates and latencies are taken; at least four times the scrape interval',
  ),
  /** A release may fail more calls than this share, 0 to 1, only where the one before it does so too. */
  errors: Type.Number({ minimum: 0, maximum: 1, examples: [0.01] }),
  p99: Duration('500ms', 'a release may be slower only where the one before it is so too'),
});

/** How nodes are judged (REQUIREMENTS H2, H3). */
const NodeHealthSchema = object({
  interval: Duration('500ms', 'time between two probes of a node (H2)'),
  /** Between probes of a node that just failed one: a suspicion is settled fast. */
  suspiciousInterval: Duration('100ms', 'time between two probes of a suspicious node'),
  timeout: Duration('400ms', 'after which a probe has failed'),
  /** A real MCP initialize + ping, dearer than `/health`. */
  mcpInterval: Duration('2s', 'time between two MCP probes of a node'),
  failures: Type.Integer({ minimum: 1, examples: [3] }),
  successes: Type.Integer({ minimum: 1, examples: [2] }),
});

/** How a component is judged by m of n checks (REQUIREMENTS H1). */
const WindowSchema = object({
  interval: Duration('1s', 'time between two checks'),
  timeout: Duration('500ms', 'after which a check has failed'),
  of: Type.Integer({ minimum: 1, examples: [5], description: 'how many of the last checks count' }),
  failures: Type.Integer({ minimum: 1, examples: [3], description: 'so many of them failed: it has failed' }),
  successes: Type.Integer({ minimum: 1, examples: [5], description: 'so many good since: it is well again' }),
});

/** How the ways from each region to the others are probed, by its workers, and judged (REQUIREMENTS H5). */
const NetworkSchema = object({
  interval: Duration('5s', 'time between two probes of a way'),
  timeout: Duration('1s', 'after which a probe is lost'),
  of: Type.Integer({ minimum: 2, examples: [20], description: 'how many of the last probes count' }),
  loss: Type.Number({
    minimum: 0,
    maximum: 1,
    examples: [0.05],
    description: 'the share of them that may be lost',
  }),
  slow: Duration('500ms', 'the time that one of twenty probes may exceed'),
});

/** From when on the failures of a place's nodes are one failure of the place (REQUIREMENTS H4). */
const DegradedSchema = object({
  /** More than this share of its nodes has failed, 0 to 1. */
  share: Type.Number({ minimum: 0, maximum: 1, examples: [0.3] }),
  /** And at least so many: in a small place one node is a large share. */
  atLeast: Type.Integer({ minimum: 2, examples: [2] }),
});

/** How often automation may do the same to one place before it asks a person. */
const RepeatSchema = object({
  times: Type.Integer({ minimum: 1, examples: [2] }),
  within: Duration('10m', 'older runs are forgotten'),
});

const ClockTime = Type.String({
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
  examples: ['02:00'],
  description: 'UTC',
});

/** When drills or deploys may begin: on these days, from one time of the day to another, UTC. */
const TimesSchema = object({
  days: Type.Array(Type.Union(DAYS.map((day) => Type.Literal(day))), {
    minItems: 1,
    examples: [['tue', 'thu']],
  }),
  from: ClockTime,
  to: ClockTime,
});

/** Between these ISO times neither drills nor deploys begin. */
const BlockedSchema = object({
  from: Type.String({ format: 'date-time', examples: ['2030-12-20T00:00:00Z'] }),
  to: Type.String({ format: 'date-time', examples: ['2031-01-03T00:00:00Z'] }),
  reason: Type.String({ minLength: 1, examples: ['end of the year'] }),
});

const PoliciesSchema = object({
  /** By kind of scope: more of it than this, and the next automatic run asks a person first (DESIGN section 4). */
  repeats: object({
    node: RepeatSchema,
    zone: RepeatSchema,
    region: RepeatSchema,
    lb: Type.Optional(RepeatSchema),
    registry: Type.Optional(RepeatSchema),
    database: Type.Optional(RepeatSchema),
    control: Type.Optional(RepeatSchema),
    members: Type.Optional(RepeatSchema),
    redis: Type.Optional(RepeatSchema),
    backups: Type.Optional(RepeatSchema),
  }),
  /** What all automatic runs together may do before the next one asks a person. */
  budget: object({
    runsPerHour: Type.Integer({ minimum: 1, examples: [60] }),
    /** Share of the environment's nodes within the scopes of all runs that are not over, 0 to 1. */
    capacityOut: Type.Number({ minimum: 0, maximum: 1, examples: [0.5] }),
  }),
  /** When drills and deploys may begin; at any time where it is left out (X5). */
  windows: Type.Optional(
    object({
      drill: Type.Optional(Type.Array(TimesSchema, { minItems: 1 })),
      deploy: Type.Optional(Type.Array(TimesSchema, { minItems: 1 })),
      blocked: Type.Optional(Type.Array(BlockedSchema)),
    }),
  ),
  /** How long a zone that is whole again is held out before its traffic comes back. */
  zoneHold: Duration('30s', 'restored to first traffic'),
  /** Requests a second that one node is known to bear; headroom is counted in it. */
  nodeCapacity: Type.Integer({ minimum: 1, examples: [500] }),
  /** Share of a pool's members that must stay healthy, 0 to 1. */
  minimumHealthyShare: Type.Number({ minimum: 0, maximum: 1, examples: [0.5] }),
  /** How often a node is restarted before it is replaced. */
  restarts: Type.Integer({ minimum: 0, examples: [2] }),
  /** How long a started node may take until it is healthy. */
  startTimeout: Duration('5s', 'start to two healthy checks'),
  /** Weights, percent, through which traffic comes back. */
  ramp: Type.Array(Type.Integer({ minimum: 1, maximum: 100 }), { minItems: 1, examples: [[25, 50, 100]] }),
  rampInterval: Duration('300ms', 'time at each weight of the ramp'),
  watch: Duration('1s', 'how long service must be seen healthy through the load balancer'),
  /** What still goes on at a node after that is closed. */
  drainTimeout: Duration('30s', 'how long a node that is taken out by plan may finish what it was asked'),
});

/** Whether runbooks could be carried out is looked at all the while; each field with what holds where it is left out. */
const ReadinessSchema = object({
  every: Type.Optional(
    Type.String({
      pattern: '^(\\d{1,5}ms|[1-9]\\d?s|[12]\\d\\ds|300s|[1-5]m)$',
      examples: ['5m'],
      description: 'a duration of at most 5m between two looks',
    }),
  ),
  backupAge: Type.Optional(Duration('26h', 'how old the newest backup may be')),
  /** Of the log, that a standby of the database may be behind. */
  lagBytes: Type.Optional(Type.Integer({ minimum: 0, examples: [16_777_216] })),
  provenWithin: Type.Optional(
    Duration('90d', 'how long ago a runbook may have been proven by a run or a drill'),
  ),
});

/** One rung of the escalation ladder (REQUIREMENTS M5): the first is called at once, the next after `after` without acknowledgement. */
const EscalationSchema = object({
  to: Type.String({ minLength: 1, examples: ['on-call'] }),
  webhook: Url('http://127.0.0.13:9094/notify'),
  after: Duration('5m', 'how long the rung before it is given'),
});

export const ROLES = ['viewer', 'operator', 'approver', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const TokenSchema = object({
  /** Who the token speaks for; this name is what audit and reports say. */
  name: Type.String({ minLength: 1, examples: ['ada'] }),
  role: Type.Union(ROLES.map((role) => Type.Literal(role))),
  secret: Secret,
});

export const ConfigSchema = object({
  environment: Type.String({ pattern: Name, examples: ['production'] }),
  regions: Type.Record(Type.String({ pattern: Name }), Region, {
    additionalProperties: false,
    minProperties: 1,
  }),
  sessions: SessionsSchema,
  /** Left out where nodes are found in another way. */
  registry: Type.Optional(RegistrySchema),
  database: Type.Optional(DatabaseSchema),
  /** Left out where clients find regions in another way. */
  dns: Type.Optional(DnsSchema),
  /** Of the database; left out where somebody else takes them. */
  backups: Type.Optional(BackupsSchema),
  /** Left out where nothing is measured: then a release is judged by the health of its nodes alone. */
  metrics: Type.Optional(MetricsSchema),
  health: object({
    node: NodeHealthSchema,
    zone: DegradedSchema,
    region: DegradedSchema,
    loadBalancer: WindowSchema,
    sessions: WindowSchema,
    registry: WindowSchema,
    database: WindowSchema,
    /** The database's control plane, whose loss nobody else notices before it is needed. */
    control: WindowSchema,
    /** Whether every member of the database is with its primary; a partition of less than the whole window is none (H6). */
    members: WindowSchema,
    /** Left out where nobody probes the ways between regions. */
    network: Type.Optional(NetworkSchema),
  }),
  /** What runbooks are measured against, by the name they give. */
  objectives: Type.Record(
    Type.String({ pattern: Name }),
    object({
      rto: Duration('5s', 'fault to proven healthy'),
      rpo: Type.Optional(Duration('5m', 'of how much time before the fault data may be lost')),
    }),
    { additionalProperties: false, examples: [{ node: { rto: '5s' }, zone: { rto: '30s' } }] },
  ),
  policies: PoliciesSchema,
  readiness: Type.Optional(ReadinessSchema),
  /** What is otherwise than the catalogue's schedules have it, by name; `switchover schedules` lists them. */
  schedules: Type.Optional(ScheduleChangesSchema),
  escalation: Type.Array(EscalationSchema, { minItems: 1 }),
  server: object({
    listen: Address,
    tokens: Type.Array(TokenSchema, { minItems: 1 }),
    /** The Temporal UI, for links. */
    temporalUi: Type.Optional(Url('http://127.0.0.10:8233')),
  }),
  /** The journal's Postgres; runs go on without it. */
  journal: Type.Optional(
    object({
      url: Secret,
      /** Default 90 days, the least that is asked for (S1). */
      keepAudit: Type.Optional(Duration('90d', 'how long the audit is kept')),
    }),
  ),
});

export type Config = Static<typeof ConfigSchema>;
export type RegionConfig = Static<typeof Region>;
export type HaproxyConfig = Static<typeof HaproxySchema>;
export type SupervisordConfig = Static<typeof SupervisordSchema>;
export type SessionsConfig = Static<typeof SessionsSchema>;
export type SentinelConfig = Static<typeof SentinelSchema>;
export type RegistryConfig = Static<typeof RegistrySchema>;
export type DatabaseConfig = Static<typeof DatabaseSchema>;
export type DnsConfig = Static<typeof DnsSchema>;
export type BackupsConfig = Static<typeof BackupsSchema>;
export type MetricsConfig = Static<typeof MetricsSchema>;
export type SecretRef = Static<typeof Secret>;
export type ComponentRule = Static<typeof WindowSchema>;
export type EscalationLevel = Static<typeof EscalationSchema>;
