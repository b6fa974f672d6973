import { sleep } from '@temporalio/activity';
import { millis } from '../../core/time';
import { SwitchoverError } from '../../core/errors';
import type { Finding } from '../../core/run';
import { nodesOf } from '../../core/topology';
import { beating } from '../beating';
import { place, type Deps } from '../deps';
import type { ProcessStatus, Probe } from '../ports';
import { assess, type Assessment } from './assess';
import { proveService, type Proof } from './prove';
import { standingOf, told, type NodeStanding } from './standing';

/** Naming a node, as every node activity is. */
export interface OfNode {
  node: string;
}

/** Reads about one node. None of them changes anything. */
export function nodeLooks(deps: Deps) {
  const { config, prober } = deps;
  const rule = config.health.node;

  const chosen = async (id: string, wanted: string): Promise<Finding<string>> => {
    const [{ node }, other] = [place(deps, id), place(deps, wanted)];
    const standing = await standingOf(deps, wanted);
    const free = standing.member === null && standing.process.pid === 0;
    if (free && other.node.region === node.region)
      return { sentence: `${wanted} is free to replace ${id}`, value: wanted };
    throw new SwitchoverError(
      'NO_SPARE',
      `${wanted} cannot replace ${id}: it has to be a node of ${node.region} that is stopped and unknown to the load balancer, and it is ${told(standing)}`,
    );
  };

  return {
    /** How the node stands, seen from two sides at least. */
    async assessNode({ node }: OfNode): Promise<Finding<Assessment>> {
      return assess(deps, node);
    },

    /** The node's process, as its supervisor sees it. */
    async lookAtProcess({ node: id }: OfNode): Promise<Finding<ProcessStatus>> {
      const { node, fleet } = place(deps, id);
      const status = await fleet.status(node.program);
      return {
        sentence: `its process is ${status.state}${status.pid ? ` (pid ${status.pid})` : ''}`,
        value: status,
      };
    },

    /**
     * Waits until the node has passed as many checks in a row as the health rule asks, each a health and an MCP call.
     * @throws NODE_UNHEALTHY when its process is gone, or fails a check after the start time-out of the policies.
     */
    awaitHealthy: beating(async ({ node: id }: OfNode): Promise<Finding<Probe[]>> => {
      const { node, fleet, mcpUrl } = place(deps, id);
      const deadline = Date.now() + millis(config.policies.startTimeout);
      const passed: Probe[] = [];
      let last = 'never probed';
      for (;;) {
        const process = await fleet.status(node.program);
        if (process.state !== 'running' && process.state !== 'starting') {
          throw new SwitchoverError(
            'NODE_UNHEALTHY',
            `${id} ended again: ${process.state} ${process.description}`,
          );
        }
        const health = await prober.health(node.address);
        const probe = health.ok ? await prober.mcp(mcpUrl) : health;
        if (probe.ok) passed.push(probe);
        else passed.length = 0;
        if (passed.length >= rule.successes) break;
        last = probe.said;
        if (!probe.ok && Date.now() > deadline) {
          throw new SwitchoverError(
            'NODE_UNHEALTHY',
            `${id} is not healthy ${config.policies.startTimeout} after its start: ${last}`,
          );
        }
        // One that answers is given time: where many start at once, their checks would keep them from it.
        await sleep(health.ok ? millis(rule.interval) : millis(rule.suspiciousInterval));
      }
      return {
        sentence: `${id} passed ${passed.length} checks in a row, MCP included (${passed.at(-1)?.said})`,
        value: passed,
      };
    }),

    /** How the node stands, before a run changes that. */
    async lookAtNode({ node }: OfNode): Promise<Finding<NodeStanding>> {
      const value = await standingOf(deps, node);
      return { sentence: `${node} is ${told(value)}`, value };
    },

    /**
     * A spare of the node's zone that is free: stopped and unknown to the load balancer; or the one that was asked for, any
     * free node of the region. @throws NO_SPARE
     */
    async chooseSpare({ node: id, wanted }: OfNode & { wanted?: string }): Promise<Finding<string>> {
      if (wanted !== undefined) return chosen(id, wanted);
      const { node, loadBalancer, fleet } = place(deps, id);
      const known = new Set((await loadBalancer.members()).map(({ server }) => server));
      const spares = nodesOf(config, node.region).filter(
        (other) => other.spare && other.zone === node.zone && !known.has(other.server),
      );
      for (const spare of spares) {
        const { state } = await fleet.status(spare.program);
        if (state !== 'running' && state !== 'starting')
          return { sentence: `${spare.id} is free to replace ${id}`, value: spare.id };
      }
      throw new SwitchoverError(
        'NO_SPARE',
        `zone ${node.region}/${node.zone} has no free spare to replace ${id}`,
      );
    },

    /** See {@link proveService}, with the node in service. */
    watchService: beating(({ node: id, watch }: OfNode & { watch?: string }): Promise<Finding<Proof>> => {
      const { node } = place(deps, id);
      return proveService(deps, node.region, [node], watch);
    }),
  };
}
