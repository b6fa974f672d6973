import { messageOf } from '../../core/errors';
import { HEALTHY, next, type HealthEvent, type NodeHealth } from '../../core/health';
import { millis } from '../../core/time';
import { nodesOf, type Node } from '../../core/topology';
import type { Deps } from '../deps';
import { storeAnswers } from '../node/store';
import type { Probe } from '../ports';
import type { Clock } from './loop';
import type { Reporter } from './reporter';

/** A watched node: its health, and when it is due. Times in ms since the epoch. */
interface Watched {
  node: Node;
  health: NodeHealth;
  dueAt: number;
  mcpDueAt: number;
  /** Probes that are not answered yet. */
  asked: number;
  /** When it was found down. */
  downAt: number;
}

/** So long a fault waits for the verdict on neighbours that are in doubt, ms: a zone that dies at once is one fault. */
const NEIGHBOURS_MS = 500;

/** Probes every node of a region (REQUIREMENTS H2, H3). */
export class NodesWatch {
  private readonly nodes: Map<string, Watched>;
  private poolDueAt = 0;
  private readonly interval: number;
  private readonly suspiciousInterval: number;
  private readonly mcpInterval: number;
  private readonly timeout: number;

  constructor(
    private readonly deps: Deps,
    private readonly region: string,
    private readonly clock: Clock,
    private readonly reporter: Reporter,
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

  tick(now: number): void {
    if (now >= this.poolDueAt) {
      this.poolDueAt = now + this.interval;
      void this.lookAtPool();
    }
    for (const entry of this.nodes.values()) if (now >= entry.dueAt) void this.look(entry);
    this.report(now);
  }

  /** The health of every node, by its id. */
  known(): Record<string, NodeHealth> {
    return Object.fromEntries([...this.nodes.values()].map(({ node, health }) => [node.id, health]));
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
      downAt: 0,
    };
  }

  /** Learns from the load balancer which nodes are kept out of service on purpose. */
  private async lookAtPool(): Promise<void> {
    try {
      const members = await this.deps.region(this.region).loadBalancer.members();
      const ready = new Set(members.filter(({ admin }) => admin === 'ready').map(({ server }) => server));
      // One that the load balancer does not know is a spare, or was decommissioned.
      for (const [server, entry] of this.nodes)
        this.apply(entry, { kind: ready.has(server) ? 'released' : 'held' });
    } catch (error) {
      this.reporter.warn(`the load balancer of ${this.region} did not answer: ${messageOf(error)}`);
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
      const excused = deep && !probe.ok && !(await storeAnswers(this.deps));
      if (!excused) this.judge(entry, probe, deep ? 'MCP' : 'health', at);
    }
    entry.asked -= 1;
    entry.dueAt = at + (entry.health.state === 'healthy' ? this.interval : this.suspiciousInterval);
    this.report(Date.now());
  }

  /** A time-out says nothing about a node when this process could not have heard the answer. */
  private judge(entry: Watched, probe: Probe, kind: string, at: number): void {
    if (!probe.ok && probe.ms >= this.timeout && this.clock.lateAt >= at) return;
    const time = new Date(at).toISOString();
    this.apply(
      entry,
      probe.ok ? { kind: 'ok', at: time } : { kind: 'fail', at: time, cause: `${kind}: ${probe.said}` },
    );
  }

  private apply(entry: Watched, event: HealthEvent): void {
    const { failures, successes } = this.deps.config.health.node;
    const was = entry.health;
    entry.health = next(was, event, { failures, successes });
    const { state, cause } = entry.health;
    if (state === was.state) return;
    const scope = `node/${entry.node.id}`;
    const at = 'at' in event ? event.at : new Date().toISOString();
    this.reporter.changed({ scope, from: was.state, to: state, at, ...(cause ? { cause } : {}) });
    if (state === 'healthy') this.reporter.well(scope);
    if (state === 'suspicious') this.askNeighbours(entry);
    if (state === 'down') entry.downAt = Date.now();
  }

  /** What took one node may have taken its zone: the others of it are asked at once, not each when it is due. */
  private askNeighbours({ node: { zone } }: Watched): void {
    for (const entry of this.nodes.values())
      if (entry.node.zone === zone && entry.health.state === 'healthy' && entry.asked === 0) entry.dueAt = 0;
  }

  /** Hands over the faults of nodes that are down, those of one zone together. */
  private report(now: number): void {
    const entries = [...this.nodes.values()];
    const inDoubt = new Set(
      entries.filter(({ health }) => health.state === 'suspicious').map(({ node }) => node.zone),
    );
    for (const { node, health, downAt } of entries) {
      if (health.state !== 'down' || (inDoubt.has(node.zone) && now < downAt + NEIGHBOURS_MS)) continue;
      const { id } = node;
      const { faultAt = new Date(now).toISOString(), cause = 'no cause' } = health;
      void this.reporter.fault({
        runbook: 'node-failover',
        input: { node: id },
        scope: `node/${id}`,
        alert: {
          source: 'monitor',
          fingerprint: `node-down/${id}`,
          summary: `${id} is down: ${cause}`,
          faultAt,
        },
      });
    }
  }
}
