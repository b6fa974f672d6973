import { Context } from '@temporalio/activity';
import { millis } from '../core/time';
import { messageOf } from '../core/errors';
import { HEALTHY, next, type HealthEvent, type NodeHealth } from '../core/health';
import { nodesOf, type Node } from '../core/topology';
import type { Deps } from './deps';

/** A watched node: its health, and when it is due. Times in ms since the epoch. */
interface Watched {
  node: Node;
  health: NodeHealth;
  dueAt: number;
  mcpDueAt: number;
  /** When its fault was last handed to the coordinator; 0 = never. */
  openedAt: number;
}

/** How often a fault that goes on is handed to the coordinator again: nothing is lost when a run ended meanwhile. */
const REASSERT_MS = 5_000;
const HEARTBEAT_MS = 500;

/** The monitor's eyes: probes every node of a region and opens incidents for those that are down (REQUIREMENTS H2, H3). */
export function monitorActivities(deps: Deps) {
  const rule = deps.config.health.node;
  const [interval, suspiciousInterval, mcpInterval] = [
    rule.interval,
    rule.suspiciousInterval,
    rule.mcpInterval,
  ].map(millis) as [number, number, number];

  return {
    /**
     * Watches until it is cancelled or `forMs` have passed. Node states travel in the heartbeat, so the next attempt
     * goes on where a dead worker left off.
     */
    async watchRegion({ region, forMs }: { region: string; forMs: number }): Promise<void> {
      const context = Context.current();
      const { loadBalancer } = deps.region(region);
      const known = (context.info.heartbeatDetails ?? {}) as Record<string, NodeHealth>;
      const all = nodesOf(deps.config, region).map((node, i) => start(node, known[node.id], i));
      const watched = new Map(all.map((entry) => [entry.node.server, entry]));
      const end = Date.now() + forMs;
      for (let poolDueAt = 0, heartbeatAt = 0; Date.now() < end;) {
        const now = Date.now();
        if (now >= poolDueAt) {
          poolDueAt = now + interval;
          void loadBalancer.members().then(
            (members) =>
              members.forEach((member) =>
                apply(watched.get(member.server), { kind: member.admin === 'ready' ? 'released' : 'held' }),
              ),
            (error: unknown) =>
              context.log.warn(`the load balancer of ${region} did not answer: ${messageOf(error)}`),
          );
        }
        for (const entry of watched.values()) {
          if (now >= entry.dueAt) void look(entry);
        }
        if (now >= heartbeatAt) {
          heartbeatAt = now + HEARTBEAT_MS;
          context.heartbeat(
            Object.fromEntries([...watched.values()].map(({ node, health }) => [node.id, health])),
          );
        }
        await context.sleep(Math.min(suspiciousInterval / 4, 25));
      }
    },
  };

  /** Spares and nodes an operator holds are in maintenance until the load balancer has them in service. */
  function start(node: Node, known: NodeHealth | undefined, position: number): Watched {
    const health = known ?? (node.spare ? { state: 'maintenance' as const, streak: 0 } : HEALTHY);
    const dueAt = Date.now() + ((position * 37) % interval);
    return { node, health, dueAt, mcpDueAt: dueAt + ((position * 211) % mcpInterval), openedAt: 0 };
  }

  /** One probe: MCP when it is due or when MCP was what failed, else health. */
  async function look(entry: Watched): Promise<void> {
    const { node, health } = entry;
    entry.dueAt = Number.POSITIVE_INFINITY;
    if (health.state === 'maintenance' || health.state === 'restarting') {
      entry.dueAt = Date.now() + suspiciousInterval;
      return;
    }
    const deep = Date.now() >= entry.mcpDueAt || (health.cause?.startsWith('MCP') ?? false);
    const at = new Date().toISOString();
    const probe = deep
      ? await deps.prober.mcp(`http://${node.address}/mcp`)
      : await deps.prober.health(node.address);
    if (deep) entry.mcpDueAt = Date.now() + mcpInterval;
    apply(
      entry,
      probe.ok
        ? { kind: 'ok', at }
        : { kind: 'fail', at, cause: `${deep ? 'MCP' : 'health'}: ${probe.said}` },
    );
    const settled = entry.health.state === 'healthy';
    entry.dueAt = Date.parse(at) + (settled ? interval : suspiciousInterval);
    if (entry.health.state === 'down') await report(entry);
  }

  function apply(entry: Watched | undefined, event: HealthEvent): void {
    if (!entry) return;
    entry.health = next(entry.health, event, rule);
    if (entry.health.state === 'healthy') entry.openedAt = 0;
  }

  async function report(entry: Watched): Promise<void> {
    if (Date.now() - entry.openedAt < REASSERT_MS) return;
    entry.openedAt = Date.now();
    const { id } = entry.node;
    const { faultAt = new Date().toISOString(), cause = 'no cause' } = entry.health;
    const alert = {
      source: 'monitor',
      fingerprint: `node-down/${id}`,
      summary: `${id} is down: ${cause}`,
      faultAt,
    };
    try {
      await deps.operations.openIncident({
        runbook: 'node-failover',
        input: { node: id },
        scope: `node/${id}`,
        trigger: 'monitor',
        alert,
      });
    } catch (error) {
      entry.openedAt = 0;
      Context.current().log.error(
        `the incident for ${id} could not be opened, it is tried again: ${messageOf(error)}`,
      );
    }
  }
}
