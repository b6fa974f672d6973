import { Type, type Static, type TSchema } from '@sinclair/typebox';

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
  zones: Type.Record(Type.String({ pattern: Name }), Zone, { additionalProperties: false, minProperties: 1 }),
});

const SessionsSchema = object({
  kind: Type.Literal('redis'),
  url: Url('redis://127.0.0.12:6379'),
  password: Type.Optional(Secret),
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

const PoliciesSchema = object({
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
  health: object({ node: NodeHealthSchema }),
  objectives: object({ node: object({ rto: Duration('5s', 'fault to proven healthy (F1)') }) }),
  policies: PoliciesSchema,
  escalation: Type.Array(EscalationSchema, { minItems: 1 }),
  server: object({
    listen: Address,
    tokens: Type.Array(TokenSchema, { minItems: 1 }),
    /** The Temporal UI, for links. */
    temporalUi: Type.Optional(Url('http://127.0.0.10:8233')),
  }),
  /** The journal's Postgres; runs go on without it. */
  journal: Type.Optional(object({ url: Secret })),
});

export type Config = Static<typeof ConfigSchema>;
export type RegionConfig = Static<typeof Region>;
export type HaproxyConfig = Static<typeof HaproxySchema>;
export type SupervisordConfig = Static<typeof SupervisordSchema>;
export type SessionsConfig = Static<typeof SessionsSchema>;
export type SecretRef = Static<typeof Secret>;
export type EscalationLevel = Static<typeof EscalationSchema>;
