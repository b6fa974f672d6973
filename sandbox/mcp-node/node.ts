import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { NodeConfig } from './config';
import { Defect } from './defect';
import { handleMcp } from './endpoint';
import { Faults } from './faults';
import { createMetrics } from './metrics';
import { Registration } from './registry';
import { SessionStore, connectRedis } from './sessions';

/** Where a node is in its life. Only a `ready` node answers `/health` with 200. */
export type NodeState = 'syncing' | 'ready' | 'draining';

const SYNC_RETRY_MS = 50;
const SWEEP_MS = 10_000;
const DRAIN_MS = 5_000;
const CRASH_AFTER_MS = 300;
/** Longer than a balancer keeps an idle connection, so that it is never the node that closes one just being reused. */
const KEEP_ALIVE_MS = 75_000;

/** One node of the fleet: the HTTP server with `/mcp`, `/health` and `/metrics`, and its life from boot to drain. */
export class McpNode {
  private state: NodeState = 'syncing';
  private sessions = 0;
  private inFlight = 0;
  private readonly redis;
  private readonly store;
  private readonly registration: Registration | undefined;
  private readonly faults;
  private readonly defect;
  private readonly metrics;
  private readonly server: Server;

  constructor(
    private readonly config: NodeConfig,
    private readonly log: Logger,
  ) {
    this.redis = connectRedis(config.redisUrl);
    this.redis.on('error', (err) => log.warn({ err }, 'Redis connection failed, trying again'));
    this.store = new SessionStore(this.redis, config);
    const { registryUrl, nodeId, host, port, version } = config;
    const entry = { address: `${host}:${port}`, version };
    this.registration = registryUrl ? new Registration(registryUrl, nodeId, entry, log) : undefined;
    this.faults = new Faults(config.faultsDir, config.nodeId);
    this.defect = new Defect(config.defect);
    this.metrics = createMetrics(config.nodeId, config.version);
    this.server = createServer((req, res) => void this.handle(req, res));
    this.server.keepAliveTimeout = KEEP_ALIVE_MS;
  }

  /**
   * Listens (answering `/health` with 503 `syncing`), loads the node's sessions from Redis, then is ready.
   * Waits for Redis as long as it takes.
   * @throws the system's error when the address cannot be listened on.
   */
  async start(): Promise<void> {
    this.server.listen(this.config.port, this.config.host);
    await once(this.server, 'listening');
    while (!(await this.sync())) await delay(SYNC_RETRY_MS);
    if (this.state !== 'syncing' || this.defect.neverReady) return; // told to drain meanwhile
    this.state = 'ready';
    this.defect.ready();
    this.registration?.start();
    this.log.info({ sessions: this.sessions, bootMs: uptimeMs() }, 'ready');
    setInterval(() => void this.sync(), SWEEP_MS).unref();
    if (this.faults.crashing) setTimeout(() => process.exit(1), CRASH_AFTER_MS);
  }

  /**
   * Leaves the registry, lets requests in flight finish, for 5 s at most, and closes everything. Requests that still arrive are
   * served, each closing its connection, so that the balancer moves on without a failed call.
   */
  async drain(): Promise<void> {
    if (this.state === 'draining') return;
    this.state = 'draining';
    const left = this.registration?.end();
    this.log.info({ inFlight: this.inFlight }, 'draining');
    const deadline = AbortSignal.timeout(DRAIN_MS);
    while (this.inFlight > 0 && !deadline.aborted) {
      await once(this.server, 'idle', { signal: deadline }).catch(() => undefined);
    }
    if (this.inFlight > 0)
      this.log.warn({ inFlight: this.inFlight }, 'drain ran out of time, cutting requests off');
    this.server.close();
    this.server.closeAllConnections();
    await left;
    this.redis.disconnect();
  }

  private async sync(): Promise<boolean> {
    try {
      this.sessions = await this.store.sweep();
      return true;
    } catch (err) {
      this.log.warn({ err }, 'could not read the own sessions from Redis');
      return false;
    }
  }

  private async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (this.state === 'draining') res.setHeader('connection', 'close');
    const path = req.url?.split('?', 1)[0];
    if (path === '/mcp') await this.mcp(req, res);
    else if (path === '/health') this.health(res);
    else if (path === '/metrics') await this.exposition(res);
    else res.writeHead(404).end();
  }

  private async mcp(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const started = performance.now();
    this.inFlight += 1;
    res.once('close', () => {
      this.inFlight -= 1;
      if (this.inFlight === 0) this.server.emit('idle');
      const status = res.writableFinished ? res.statusCode : 499;
      this.metrics.observe(req.method ?? '', status, (performance.now() - started) / 1_000);
    });
    const { config: node, store, faults, defect, log } = this;
    await handleMcp({ node, store, faults, defect, log }, req, res);
  }

  private health(res: ServerResponse): void {
    const { state, sessions } = this;
    const { nodeId: node, version } = this.config;
    const ready = state === 'ready';
    const body = {
      status: ready ? 'ok' : 'unavailable',
      node,
      version,
      state,
      sessions,
      uptimeMs: uptimeMs(),
    };
    res.writeHead(ready ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  private async exposition(res: ServerResponse): Promise<void> {
    this.metrics.setLoad(this.sessions, this.inFlight);
    res.setHeader('content-type', this.metrics.registry.contentType);
    res.end(await this.metrics.registry.metrics());
  }
}

function uptimeMs(): number {
  return Math.round(process.uptime() * 1_000);
}
