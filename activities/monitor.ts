import { Context } from '@temporalio/activity';
import { SwitchoverError, messageOf } from '../core/errors';
import { HEALTHY, next, type HealthEvent, type NodeHealth } from '../core/health';
import { millis } from '../core/time';
import { nodesOf, type Node } from '../core/topology';
import type { Deps } from './deps';
import type { Probe } from './ports';

/** How often a fault that goes on is handed to the coordinator again: nothing is lost when a run ended meanwhile. */
const REASSERT_MS = 5_000;
const HEARTBEAT_MS = 500;
const TICK_MS = 25;

/** A watched node: its health, and when it is due. Times in ms since the epoch. */
interface Watched {
  node: Node;
  health: NodeHealth;
  dueAt: number;
  mcpDueAt: number;
  /** Probes that are not answered yet. */
  asked: number;
  /** When its fault was last handed to the coordinator; 0 = never. */
  reportedAt: number;
}

/** The monitor's eyes: probes every node of a region and opens incidents for those that are down (REQUIREMENTS H2, H3). */
export function monitorActivities(deps: Deps) {
  return {
    /**
     * Watches until it is cancelled or `forMs` have passed. Node states travel in the heartbeat, so the next attempt
     * goes on where a dead worker left off.
     */
    async watchRegion({ region, forMs }: { region: string; forMs: number }): Promise<void> {
      const known = (Context.current().info.heartbeatDetails ?? {}) as Record<string, NodeHealth>;
      await new RegionWatch(deps, region, known).watch(forMs);
    },
  };
}

class RegionWatch {
  private readonly context = Context.current();
  private readonly nodes: Map<string, Watched>;
  /** When this process was last too late to judge anybody's answer. */
  private lateAt = 0;
  private readonly interval: number;
  private readonly suspiciousInterval: number;
  private readonly mcpInterval: number;
  private readonly timeout: number;

  constructor(
    private readonly deps: Deps,
    private readonly region: string,
    known: Readonly<Record<string, NodeHealth>>,
  ) {
    const rule = deps.config.health.node;
    this.interval = millis(rule.interval);
    this.suspiciousInterval = millis(rule.suspiciousInterval);
    this.mcpInterval = millis(rule.mcpInterval);
    this.timeout = millis(rule.timeout);
    const nodes = nodesOf(deps.config, region);
    this.nodes = new Map(
      nodes.map((node, i) => [node.server, this.begin(node, known[node.id], i / nodes.length)]),
    );
  }

  async watch(forMs: number): Promise<void> {
    const end = Date.now() + forMs;
    for (let now = Date.now(), poolDueAt = 0, heartbeatAt = 0; now < end; now = await this.tick()) {
      if (now >= poolDueAt) {
        poolDueAt = now + this.interval;
        void this.lookAtPool();
      }
      for (const entry of this.nodes.values()) if (now >= entry.dueAt) void this.look(entry);
      if (now >= heartbeatAt) {
        heartbeatAt = now + HEARTBEAT_MS;
        this.context.heartbeat(
          Object.fromEntries([...this.nodes.values()].map(({ node, health }) => [node.id, health])),
        );
      }
    }
  }

  /** Spares are out of service until the load balancer has them. `phase` (0 to 1) spreads the probes over the interval. */
  private begin(node: Node, known: NodeHealth | undefined, phase: number): Watched {
    const health = known ?? (node.spare ? { state: 'maintenance' as const, streak: 0 } : HEALTHY);
    const now = Date.now();
    return {
      node,
      health,
      dueAt: now + phase * this.interval,
      mcpDueAt: now + phase * this.mcpInterval,
      asked: 0,
      reportedAt: 0,
    };
  }

  /** Waits for the next tick, and notices when it came so late that this machine, not a node, was slow. */
  private async tick(): Promise<number> {
    const asked = Date.now();
    await this.context.sleep(TICK_MS);
    const now = Date.now();
    if (now - asked - TICK_MS > this.timeout / 4) this.lateAt = now;
    return now;
  }

  /** Learns from the load balancer which nodes are kept out of service on purpose. */
  private async lookAtPool(): Promise<void> {
    try {
      for (const { server, admin } of await this.deps.region(this.region).loadBalancer.members()) {
        const entry = this.nodes.get(server);
        if (entry) this.apply(entry, { kind: admin === 'ready' ? 'released' : 'held' });
      }
    } catch (error) {
      this.context.log.warn(`the load balancer of ${this.region} did not answer: ${messageOf(error)}`);
    }
  }

  /**
   * One probe: MCP when it is due or when MCP was what failed, else health. A suspicious node is asked again without waiting
   * for its answer: one that hangs would have every time-out waited for in a row.
   */
  private async look(entry: Watched): Promise<void> {
    const { node, health } = entry;
    const at = Date.now();
    entry.asked += 1;
    const again = health.state === 'suspicious' && entry.asked < this.deps.config.health.node.failures;
    entry.dueAt = again ? at + this.suspiciousInterval : Number.POSITIVE_INFINITY;
    if (health.state !== 'maintenance' && health.state !== 'restarting') {
      const deep = at >= entry.mcpDueAt || (health.cause?.startsWith('MCP') ?? false);
      const { prober } = this.deps;
      const probe = await (deep ? prober.mcp(`http://${node.address}/mcp`) : prober.health(node.address));
      if (deep) entry.mcpDueAt = at + this.mcpInterval;
      this.judge(entry, probe, deep ? 'MCP' : 'health', at);
    }
    entry.asked -= 1;
    entry.dueAt = at + (entry.health.state === 'healthy' ? this.interval : this.suspiciousInterval);
    if (entry.health.state === 'down') await this.report(entry);
  }

  /** A time-out says nothing about a node when this process could not have heard the answer. */
  private judge(entry: Watched, probe: Probe, kind: string, at: number): void {
    if (!probe.ok && probe.ms >= this.timeout && this.lateAt >= at) return;
    const time = new Date(at).toISOString();
    this.apply(
      entry,
      probe.ok ? { kind: 'ok', at: time } : { kind: 'fail', at: time, cause: `${kind}: ${probe.said}` },
    );
  }

  private apply(entry: Watched, event: HealthEvent): void {
    const { failures, successes } = this.deps.config.health.node;
    entry.health = next(entry.health, event, { failures, successes });
    if (entry.health.state === 'healthy') entry.reportedAt = 0;
  }

  private async report(entry: Watched): Promise<void> {
    if (Date.now() - entry.reportedAt < REASSERT_MS) return;
    entry.reportedAt = Date.now();
    const { id } = entry.node;
    const { faultAt = new Date().toISOString(), cause = 'no cause' } = entry.health;
    const alert = {
      source: 'monitor',
      fingerprint: `node-down/${id}`,
      summary: `${id} is down: ${cause}`,
      faultAt,
    };
    try {
      const fault = {
        runbook: 'node-failover',
        input: { node: id },
        scope: `node/${id}`,
        trigger: 'monitor' as const,
        alert,
      };
      await this.deps.operations.openIncident(fault);
    } catch (error) {
      if (error instanceof SwitchoverError && error.code === 'LEVER_ENGAGED') return;
      entry.reportedAt = 0;
      this.context.log.error(
        `the incident for ${id} could not be opened, it is tried again: ${messageOf(error)}`,
      );
    }
  }
}
