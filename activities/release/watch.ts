import { sleep } from '@temporalio/activity';
import { measured, worse } from '../../core/deploy';
import { SwitchoverError } from '../../core/errors';
import { serving } from '../../core/guards';
import { HEALTHY, type NodeHealth } from '../../core/health';
import type { Finding } from '../../core/run';
import { millis } from '../../core/time';
import { findNode, nodesOf, type Node } from '../../core/topology';
import { beating } from '../beating';
import type { Deps } from '../deps';
import { observe } from '../node/observe';
import type { Service } from '../ports';

/** A release that is watched: the nodes that have it, for how long. */
export interface Watching {
  region: string;
  version: string;
  nodes: string[];
  /** e.g. `30s` */
  period: string;
  /** Those of the nodes that had to be rescued while the run went on. */
  rescued: string[];
}

/** What was measured last of the nodes with the release, and of the others. */
interface Comparison {
  fresh: Service | null;
  old: Service | null;
}

/** The same, at the end of the time. `provenAt`: ISO time. */
export interface Watched extends Comparison {
  provenAt: string;
}

/** So many looks in a row have to speak against a release: one alone may be chance. */
const LOOKS = 2;
/** So many rescues of nodes with the release speak against it: one alone may be chance. */
const RESCUES = 2;
/** For so long a node that is down may be waiting for its rescue, ms. */
const RESCUE_MS = 10_000;
/** Time between two questions to the metrics, ms. */
const MEASURE_MS = 1_000;

/** Watches a release that is in service (REQUIREMENTS D1, D3). */
export function releaseWatch(deps: Deps) {
  const { config, metrics } = deps;

  /** What speaks against the health of the nodes, by the monitor's rule: a sentence for each. */
  const lookAtHealth = async (
    { region }: Watching,
    nodes: readonly Node[],
    known: Map<string, NodeHealth>,
  ): Promise<string[]> => {
    const [members] = await Promise.all([
      deps.region(region).loadBalancer.members(),
      ...nodes.map(async ({ id, address }) =>
        known.set(id, await observe(deps, address, known.get(id) ?? HEALTHY)),
      ),
    ]);
    const servers = new Set(serving(members).map(({ server }) => server));
    return nodes.flatMap(({ id, server }) => {
      const { state, cause } = known.get(id)!;
      if (state === 'down') return [`${id} is down (${cause ?? 'no cause'})`];
      return servers.has(server) ? [] : [`${id} no longer serves`];
    });
  };

  /** What is measured of both, and why the release is worse than the one before it, or null. */
  const compare = async (
    fresh: string[],
    old: string[],
  ): Promise<{ seen: Comparison; why: string | null }> => {
    if (!metrics) return { seen: { fresh: null, old: null }, why: null };
    const [own, others] = await Promise.all([metrics.service(fresh), metrics.service(old)]);
    const { errors, p99 } = config.metrics!;
    return { seen: { fresh: own, old: others }, why: worse(own, others, { errors, p99Ms: millis(p99) }) };
  };

  return {
    /**
     * Watches the nodes that have a release for a time, against those of the region that have not: their health, and what is
     * measured of their service. A node that is down is left to its rescue, which interrupts this.
     * @throws RELEASE_UNFIT where one stays down, or several had to be rescued, or the release is worse than the one before it; METRICS_UNREACHABLE where nobody can tell
     */
    watchRelease: beating(async (ask: Watching): Promise<Finding<Watched>> => {
      const { region, version, period, rescued } = ask;
      const unfit = (why: string) => new SwitchoverError('RELEASE_UNFIT', `${version} does not hold: ${why}`);
      if (rescued.length >= RESCUES) throw unfit(`${rescued.join(', ')} had to be rescued with it`);
      const nodes = ask.nodes.map((id) => findNode(config, id));
      const others = nodesOf(config, region).filter(({ id }) => !ask.nodes.includes(id));
      const known = new Map<string, NodeHealth>();
      const end = Date.now() + millis(period);
      let [wellAt, measureAt, against] = [Date.now(), 0, 0];
      let seen: Comparison = { fresh: null, old: null };
      for (;;) {
        const sick = await lookAtHealth(ask, nodes, known);
        const now = Date.now();
        if (sick.length === 0) wellAt = now;
        if (now - wellAt > RESCUE_MS) throw unfit(sick.join('; '));
        if (now >= measureAt) {
          measureAt = now + MEASURE_MS;
          const compared = await compare(
            ask.nodes,
            others.map(({ id }) => id),
          );
          ({ seen } = compared);
          against = compared.why === null ? 0 : against + 1;
          if (compared.why !== null && against >= LOOKS) throw unfit(compared.why);
        }
        const inDoubt = nodes.some(({ id }) => known.get(id)!.state !== 'healthy');
        if (now >= end && wellAt === now && !inDoubt && against === 0) break;
        await sleep(millis(config.health.node.suspiciousInterval));
      }
      const said = seen.fresh ? measured(seen.fresh) : 'nobody measures their calls';
      return {
        sentence: `${nodes.length} nodes with ${version} were well for ${period}: ${said}`,
        value: { ...seen, provenAt: new Date().toISOString() },
      };
    }),
  };
}
