import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import type { Config } from '../../core/config';
import { buildApp } from '../../server/app';
import type { Alert } from '../../server/alerts';
import type { Inbox } from '../../server/inbox';
import type { Token } from '../../server/deps';
import { FakeOperations } from './fake-operations';

// An ES module that jest on this Node cannot load; @fastify/static, below the pages of the API's description, needs it for
// downloads alone, of which there are none.
jest.mock('content-disposition', () => ({}));

/** Two zones in one region, a spare, and nothing that listens. */
export const config: Config = {
  environment: 'test',
  regions: {
    'us-east-1': {
      weight: 100,
      role: 'active',
      loadBalancer: {
        kind: 'haproxy',
        runtime: '127.151.0.1:9999',
        url: 'http://127.151.0.1:8080/mcp',
        backend: 'mcp',
      },
      fleet: {
        kind: 'supervisord',
        url: 'http://127.151.0.2:9001/RPC2',
        user: 'test',
        password: { env: 'UNUSED' },
      },
      zones: {
        a: { nodes: { n1: '127.151.1.1:8080', n2: '127.151.1.2:8080' }, spares: { s1: '127.151.1.9:8080' } },
        b: { nodes: { n1: '127.151.2.1:8080' } },
      },
    },
  },
  sessions: { kind: 'redis', url: 'redis://127.151.0.3:6379' },
  health: {
    node: {
      interval: '500ms',
      suspiciousInterval: '100ms',
      timeout: '400ms',
      mcpInterval: '2s',
      failures: 3,
      successes: 2,
    },
    zone: { share: 0.3, atLeast: 2 },
    region: { share: 0.5, atLeast: 3 },
    loadBalancer: { interval: '1s', timeout: '500ms', of: 3, failures: 2, successes: 2 },
    sessions: { interval: '5s', timeout: '1s', of: 3, failures: 1, successes: 2 },
    registry: { interval: '1s', timeout: '500ms', of: 5, failures: 3, successes: 5 },
    database: { interval: '1s', timeout: '500ms', of: 3, failures: 2, successes: 3 },
    control: { interval: '1s', timeout: '500ms', of: 3, failures: 2, successes: 3 },
    members: { interval: '1s', timeout: '500ms', of: 6, failures: 6, successes: 2 },
  },
  objectives: { node: { rto: '5s' } },
  policies: {
    repeats: {
      node: { times: 2, within: '10m' },
      zone: { times: 1, within: '15m' },
      region: { times: 1, within: '1h' },
    },
    budget: { runsPerHour: 60, capacityOut: 0.5 },
    zoneHold: '1ms',
    drainTimeout: '1s',
    nodeCapacity: 500,
    minimumHealthyShare: 0.5,
    restarts: 2,
    startTimeout: '5s',
    ramp: [100],
    rampInterval: '1ms',
    watch: '1ms',
  },
  escalation: [{ to: 'on-call', webhook: 'http://127.151.0.4:9094/notify', after: '0s' }],
  server: {
    listen: '127.150.0.10:8080',
    temporalUi: 'http://127.150.0.11:8233',
    tokens: [{ name: 'ada', role: 'admin', secret: { env: 'UNUSED' } }],
  },
};

export const tokens: readonly Token[] = [
  { name: 'vera', role: 'viewer', secret: 'secret-of-vera' },
  { name: 'otto', role: 'operator', secret: 'secret-of-otto' },
  { name: 'anna', role: 'approver', secret: 'secret-of-anna' },
  { name: 'ada', role: 'admin', secret: 'secret-of-ada' },
];

/** The header that proves somebody's token. */
export const as = (name: string) => ({ authorization: `Bearer secret-of-${name}` });

export interface Server {
  app: FastifyInstance;
  operations: FakeOperations;
  /** Every line logged, parsed. */
  log: Record<string, unknown>[];
}

/** Runs `use` with a server over operations in memory, and closes it. */
export async function withServer(
  use: (server: Server) => Promise<void>,
  inbox?: Inbox<Alert>,
): Promise<void> {
  const operations = new FakeOperations();
  const log: Record<string, unknown>[] = [];
  const logger = pino(
    { level: 'info' },
    { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const app = await buildApp({
    config,
    operations,
    tokens,
    namespace: 'default',
    logger,
    ...(inbox ? { inbox } : {}),
  });
  try {
    await use({ app, operations, log });
  } finally {
    await app.close();
  }
}
