import { z } from 'zod';
import type { Candidate } from '../../core/placement';
import { parseNode } from '../../core/scope';

/** What one node is told at start, from its environment. Durations carry their unit in the name. */
export interface NodeConfig {
  /** Path of the node in the topology, `<region>/<zone>/<node>`. */
  nodeId: string;
  host: string;
  port: number;
  redisUrl: string;
  /** Where the node registers; undefined = nowhere. */
  registryUrl: string | undefined;
  /** The nodes among which sessions are placed. */
  fleet: Candidate[];
  sessionTtlS: number;
  /** Directory of fault files, see `faults.ts`; undefined = this node takes no injected faults. */
  faultsDir: string | undefined;
  version: string;
  /** What is wrong with this release: it never gets ready, or every second call of a tool fails once it has been ready for so long, ms. */
  defect: { kind: 'never-ready' | 'errors'; afterMs: number } | undefined;
}

const LISTEN = /^(?<host>127(?:\.\d{1,3}){3}):(?<port>\d{1,5})$/;

/** Reads `us-east-1/a/n1=40,…`: the fleet's nodes, each with the weight of its region. */
const Fleet = z.string().transform((text, { addIssue }) =>
  text.split(',').map((entry): Candidate => {
    const [id = '', weight = ''] = entry.split('=');
    const place = parseNode(id);
    if (!place || !/^\d+$/.test(weight)) {
      addIssue(`must be nodes with the weights of their regions, e.g. us-east-1/a/n1=40,us-east-1/a/n2=40`);
      return z.NEVER;
    }
    return { id, region: place.region, zone: place.zone, weight: Number(weight) };
  }),
);

const RedisUrl = z.url({
  protocol: /^rediss?$/,
  error: 'must be a Redis URL, e.g. redis://127.0.0.1:6379',
});

const Environment = z.object({
  NODE_ID: z.string().regex(/^[\w-]+\/[\w-]+\/[\w-]+$/, 'must be region/zone/node, e.g. us-east-1/a/n1'),
  LISTEN: z.string().regex(LISTEN, 'must be a loopback address and port, e.g. 127.1.1.1:8080'),
  REDIS_URL: RedisUrl,
  REGISTRY_URL: RedisUrl.optional(),
  FLEET: Fleet,
  SESSION_TTL_S: z.coerce
    .number('must be a whole number of seconds, e.g. 3600')
    .int()
    .positive()
    .default(3600),
  FAULTS_DIR: z.string().optional(),
  VERSION: z.string().default('0.0.0'),
  DEFECT: z.enum(['never-ready', 'errors']).optional(),
  DEFECT_AFTER_MS: z.coerce.number('must be a whole number of ms, e.g. 30000').int().nonnegative().default(0),
});

/**
 * Reads the node's configuration.
 * @throws Error naming every bad variable, what it must look like, and its value, in one message.
 */
export function readConfig(env: NodeJS.ProcessEnv): NodeConfig {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return `${name} ${message} (is ${env[name] === undefined ? 'not set' : `"${env[name]}"`})`;
    });
    throw new Error(`MCP node not started, its environment is wrong: ${problems.join('; ')}`);
  }
  const {
    NODE_ID,
    REDIS_URL,
    REGISTRY_URL,
    FLEET,
    SESSION_TTL_S,
    FAULTS_DIR,
    VERSION,
    DEFECT,
    DEFECT_AFTER_MS,
  } = parsed.data;
  const { host = '', port } = LISTEN.exec(parsed.data.LISTEN)?.groups ?? {};
  return {
    nodeId: NODE_ID,
    host,
    port: Number(port),
    redisUrl: REDIS_URL,
    registryUrl: REGISTRY_URL,
    fleet: FLEET,
    sessionTtlS: SESSION_TTL_S,
    faultsDir: FAULTS_DIR,
    version: VERSION,
    defect: DEFECT && { kind: DEFECT, afterMs: DEFECT_AFTER_MS },
  };
}
