import { z } from 'zod';

/** What one node is told at start, from its environment. Durations carry their unit in the name. */
export interface NodeConfig {
  /** Path of the node in the topology, `<region>/<zone>/<node>`. */
  nodeId: string;
  host: string;
  port: number;
  redisUrl: string;
  sessionTtlS: number;
  /** Directory of fault files, see `faults.ts`; undefined = this node takes no injected faults. */
  faultsDir: string | undefined;
  version: string;
}

const LISTEN = /^(?<host>127(?:\.\d{1,3}){3}):(?<port>\d{1,5})$/;

const Environment = z.object({
  NODE_ID: z.string().regex(/^[\w-]+\/[\w-]+\/[\w-]+$/, 'must be region/zone/node, e.g. us-east-1/a/n1'),
  LISTEN: z.string().regex(LISTEN, 'must be a loopback address and port, e.g. 127.1.1.1:8080'),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be a Redis URL, e.g. redis://127.0.0.1:6379' }),
  SESSION_TTL_S: z.coerce
    .number('must be a whole number of seconds, e.g. 3600')
    .int()
    .positive()
    .default(3600),
  FAULTS_DIR: z.string().optional(),
  VERSION: z.string().default('0.0.0'),
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
  const { NODE_ID, REDIS_URL, SESSION_TTL_S, FAULTS_DIR, VERSION } = parsed.data;
  const { host = '', port } = LISTEN.exec(parsed.data.LISTEN)?.groups ?? {};
  return {
    nodeId: NODE_ID,
    host,
    port: Number(port),
    redisUrl: REDIS_URL,
    sessionTtlS: SESSION_TTL_S,
    faultsDir: FAULTS_DIR,
    version: VERSION,
  };
}
