import { follows as isStandbyOf, judgeCache } from '../../core/cache';
import { follows, judgeDatabase } from '../../core/database';
import type { Finding } from '../../core/run';
import { beating } from '../beating';
import { clientsOf } from '../cache/assess';
import type { Deps } from '../deps';

/** Where a store's primary is, and whether it serves. */
export interface StorePrimary {
  /** Undefined where nobody can tell. */
  primary: string | undefined;
  /** Whether it is in the region that was asked about. */
  inside: boolean;
  /** Of those that are not in that region and follow it, who could take over by plan with the least lost, if anybody can. */
  to?: string;
  /** Whether its clients' writes go through. */
  serves: boolean;
}

/** The stores of an environment; one that it does not have is left out. */
export interface RegionData {
  database?: StorePrimary;
  cache?: StorePrimary;
}

/** Reads about where the data are. */
export function regionData({ config, database, cache }: Deps) {
  return {
    /** Whether the primaries of database and session store are in a region. */
    lookAtRegionData: beating(async ({ region }: { region: string }): Promise<Finding<RegionData>> => {
      const value: RegionData = {};
      const told: string[] = [];
      if (database) {
        const view = await database.database.look();
        const { primary } = judgeDatabase(view);
        const inside = primary !== undefined && config.database?.members[primary]?.region === region;
        const able = view.members
          .filter(
            ({ member }) => config.database?.members[member]?.region !== region && follows(view, member),
          )
          .toSorted((a, b) => Number(b.agent?.synchronous) - Number(a.agent?.synchronous));
        value.database = { primary, inside, serves: view.clients.ok, ...namedTo(able) };
        told.push(inWords('database', value.database));
      }
      if (cache) {
        const [view, clients] = await Promise.all([cache.cache.look(), clientsOf(cache.cache)]);
        const { primary } = judgeCache(view, clients);
        const inside = primary !== undefined && config.sessions.sentinel?.regions?.[primary] === region;
        const able = view.members
          .filter((one) => config.sessions.sentinel?.regions?.[one.member] !== region)
          .filter((one) => primary !== undefined && isStandbyOf(one, primary))
          .toSorted((a, b) => (b.offset ?? 0) - (a.offset ?? 0));
        value.cache = { primary, inside, serves: clients.ok, ...namedTo(able) };
        told.push(inWords('session store', value.cache));
      }
      return { sentence: told.join('; ') || 'there are no data stores', value };
    }),
  };
}

function namedTo([best]: readonly { member: string }[]): { to?: string } {
  return best ? { to: best.member } : {};
}

function inWords(store: string, { primary, inside, serves }: StorePrimary): string {
  const where = inside ? 'in the region' : 'elsewhere';
  const state = serves ? 'serves' : 'does not serve';
  return `the primary of the ${store} is ${primary === undefined ? 'not known' : `${primary}, ${where},`} and ${state}`;
}
