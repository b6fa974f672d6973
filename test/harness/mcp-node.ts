import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { build } from 'esbuild';
import { z } from 'zod';
import { startProcess } from './process';
import type { TestProcess } from './process';
import { until } from './until';

/** What `/health` of a node says. */
const Health = z.strictObject({
  status: z.string(),
  node: z.string(),
  version: z.string(),
  state: z.string(),
  sessions: z.int(),
  uptimeMs: z.int(),
});

/** One real node process. */
export interface TestNode extends TestProcess {
  nodeId: string;
  /** MCP endpoint. */
  url: string;
  /** Status and body of `/health`. */
  health(): Promise<{ code: number; body: z.infer<typeof Health> }>;
}

/** Node processes of one test file, with their faults. Everything it starts, `stop` ends. */
export interface TestNodes {
  /** Starts `us-east-1/a/<name>` without waiting for it. */
  launch(name: string, env?: NodeJS.ProcessEnv): TestNode;
  /** Starts `us-east-1/a/<name>` and waits until it is ready. */
  start(name: string, env?: NodeJS.ProcessEnv): Promise<TestNode>;
  /** Puts a fault on a node. @param content of the fault's file. */
  fault(name: string, kind: string, content?: string): Promise<void>;
  /** Takes a fault off again. */
  heal(name: string, kind: string): Promise<void>;
  /** Kills the processes and removes the faults, e.g. after each test. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Bundles the node and gives a place to start processes of it.
 * @param addresses name → loopback address; the port is 8080. No other test file may use them.
 */
export async function createNodes(redisUrl: string, addresses: Record<string, string>): Promise<TestNodes> {
  const dir = await mkdtemp(join(tmpdir(), 'mcp-node-'));
  const bundle = join(dir, 'node.js');
  const entry = join(__dirname, '../../sandbox/mcp-node/main.ts');
  await build({ entryPoints: [entry], outfile: bundle, bundle: true, platform: 'node', target: 'node20' });
  const fleet = Object.keys(addresses)
    .map((name) => `us-east-1/a/${name}=100`)
    .join();
  const running: TestNode[] = [];
  const faults = new Set<string>();
  const faultFile = (name: string, kind: string): string => join(dir, `us-east-1-a-${name}.${kind}`);

  function launch(name: string, env: NodeJS.ProcessEnv = {}): TestNode {
    const nodeId = `us-east-1/a/${name}`;
    const address = `${addresses[name]}:8080`;
    const settings = {
      NODE_ID: nodeId,
      LISTEN: address,
      REDIS_URL: redisUrl,
      FLEET: fleet,
      FAULTS_DIR: dir,
      VERSION: '1.2.3',
    };
    const health = async () => {
      const answer = await fetch(`http://${address}/health`, { headers: { connection: 'close' } });
      return { code: answer.status, body: Health.parse(await answer.json()) };
    };
    const child = startProcess(process.execPath, [bundle], { ...settings, ...env });
    const node = { ...child, nodeId, url: `http://${address}/mcp`, health };
    running.push(node);
    return node;
  }

  async function reset(): Promise<void> {
    await Promise.all(running.splice(0).map((node) => node.kill()));
    await Promise.all([...faults].map((file) => rm(file, { force: true })));
    faults.clear();
  }

  return {
    launch,
    async start(name, env) {
      const node = launch(name, env);
      const ended = node.exited.then((code) => {
        throw new Error(`${node.nodeId} ended with ${code} instead of getting ready:\n${node.output()}`);
      });
      const ready = until(`${node.nodeId} is ready`, async () => (await node.health()).code === 200);
      await Promise.race([ready, ended]);
      return node;
    },
    async fault(name, kind, content = '') {
      faults.add(faultFile(name, kind));
      await writeFile(faultFile(name, kind), content);
    },
    heal: (name, kind) => rm(faultFile(name, kind)),
    reset,
    async stop() {
      await reset();
      await rm(dir, { recursive: true });
    },
  };
}

/** An official SDK client on one node. */
export interface TestClient {
  sessionId: string;
  /** Calls a tool. @returns its structured answer. @throws Error with the tool's words when it answers an error. */
  call(tool: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Ends the session. */
  end(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects a client to a node.
 * @param sessionId continues this session without initializing; a new one is made without it.
 */
export async function connectClient(url: string, sessionId?: string): Promise<TestClient> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(
    new URL(url),
    sessionId === undefined ? {} : { sessionId },
  );
  await client.connect(transport);
  return {
    sessionId: transport.sessionId ?? '',
    async call(tool, args = {}) {
      const answer = CallToolResultSchema.parse(await client.callTool({ name: tool, arguments: args }));
      if (answer.isError) throw new Error(JSON.stringify(answer.content));
      return answer.structuredContent ?? {};
    },
    end: () => transport.terminateSession(),
    close: () => client.close(),
  };
}
