import { sleep } from '@temporalio/activity';
import { SwitchoverError } from '../../core/errors';
import { inTurns } from '../../core/deploy';
import { serving } from '../../core/guards';
import type { Finding } from '../../core/run';
import { millis } from '../../core/time';
import { nodesOf, regionConfig } from '../../core/topology';
import { beating } from '../beating';
import type { Deps } from '../deps';
import { lookAtPool } from '../pool';
import { roomIn } from './room';
import { fewAtOnce } from '../zone/together';
import { releaseOf, spread, type NodeRelease } from './standing';

/** Reads about releases. None of them changes anything. */
export function releaseLooks(deps: Deps) {
  const { config } = deps;
  /** Waits until a state that a rescue may be about to end is over. @returns what speaks against going on, or null */
  const settled = async (patience: string, why: () => Promise<string | null>): Promise<string | null> => {
    for (const end = Date.now() + millis(patience); ; await sleep(millis(config.health.node.interval))) {
      const trouble = await why();
      if (trouble === null || Date.now() >= end) return trouble;
    }
  };

  const all = (region: string): Promise<NodeRelease[]> =>
    fewAtOnce(nodesOf(config, region), (node) => releaseOf(deps, node));

  return {
    /** The regions that a deploy is for: the one that it names, else all. @throws UNKNOWN_TARGET */
    async lookAtRegions({ region }: { region?: string | undefined }): Promise<Finding<string[]>> {
      if (region !== undefined) regionConfig(config, region);
      const value = region === undefined ? Object.keys(config.regions) : [region];
      return { sentence: value.join(', '), value };
    },

    /** What every node of the region runs, whatever it is. */
    lookAtSpread: beating(async ({ region }: { region: string }): Promise<Finding<NodeRelease[]>> => {
      const value = await all(region);
      return { sentence: `${region} has ${spread(value)}`, value };
    }),

    /**
     * What every node of the region runs and could run, spares included.
     * @param patience how long a node that neither serves nor is out of service may take to be rescued
     * @throws RELEASE_MISSING where this release is not on every machine; NODE_UNHEALTHY where there still is such a node
     */
    lookAtReleases: beating(
      async ({
        region,
        version,
        patience,
      }: {
        region: string;
        version: string;
        patience: string;
      }): Promise<Finding<NodeRelease[]>> => {
        let value: NodeRelease[] = [];
        const trouble = await settled(patience, async () => {
          value = await all(region);
          const stuck = value.filter(({ state }) => state === 'stuck').map(({ node }) => node);
          return stuck.length === 0
            ? null
            : `${stuck.join(', ')} neither serve nor are out of service: heal or decommission them first`;
        });
        const without = value.filter(({ releases }) => !releases.includes(version)).map(({ node }) => node);
        if (without.length > 0)
          throw new SwitchoverError(
            'RELEASE_MISSING',
            `release ${version} is not on the machines of ${without.join(', ')}; ${without[0]} has ${value.find(({ node }) => node === without[0])!.releases.join(', ')}`,
          );
        if (trouble !== null) throw new SwitchoverError('NODE_UNHEALTHY', trouble);
        return { sentence: `${region} has ${spread(value)}`, value };
      },
    ),

    /** The release that stood before, where all nodes of the regions agree. @throws RELEASE_MISSING where they do not, or there is none */
    lookAtReleaseBefore: beating(async ({ regions }: { regions: string[] }): Promise<Finding<string>> => {
      const nodes = (await Promise.all(regions.map(all))).flat();
      const [value, ...others] = [...new Set(nodes.map(({ before }) => before))];
      if (typeof value === 'string' && others.length === 0)
        return { sentence: `${value} stood before ${spread(nodes)}`, value };
      const which = nodes.map(({ node, before }) => `${node}: ${before ?? 'none'}`).join(', ');
      throw new SwitchoverError(
        'RELEASE_MISSING',
        `the nodes do not agree which release stood before (${which}); name one`,
      );
    }),

    /**
     * The nodes that get the release next: of each zone in turn, no more than the region can spare.
     * @param patience how long it may take until it can spare any
     * @throws GUARD_REFUSED where it can spare none
     */
    chooseBatch: beating(
      async ({
        region,
        nodes,
        size,
        patience,
      }: {
        region: string;
        nodes: string[];
        size: number;
        patience: string;
      }): Promise<Finding<string[]>> => {
        let [room, told] = [0, ''];
        await settled(patience, async () => {
          const pool = await lookAtPool(deps.region(region).loadBalancer);
          room = roomIn(config.policies, pool);
          told = `${serving(pool.members).length} of ${pool.members.length} members of pool ${region} serve, which can spare ${room}`;
          return room > 0 ? null : told;
        });
        const value = inTurns(nodes).slice(0, Math.min(size, room));
        if (value.length === 0) throw new SwitchoverError('GUARD_REFUSED', `minimum healthy share: ${told}`);
        return { sentence: `${value.join(', ')}; ${told}`, value };
      },
    ),
  };
}
