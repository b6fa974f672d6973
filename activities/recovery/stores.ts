import { judgeCache } from '../../core/cache';
import { cacheWay, databaseWay, type Way } from '../../core/recovery';
import type { Finding } from '../../core/run';
import { beating } from '../beating';
import { assessCache } from '../cache/assess';
import { assessDatabase } from '../database/assess';
import { remainsOf } from '../database/fence';
import { databaseOf, type Deps } from '../deps';

/** How each store comes to serve again; one that the environment does not have is left out. */
export interface StoreWays {
  database?: Way;
  cache?: Way;
}

/** In which region each member of the database is. */
export function databasePlaces({ config }: Deps): Record<string, string> {
  const members = Object.entries(config.database?.members ?? {});
  return Object.fromEntries(members.map(([member, { region }]) => [member, region]));
}

/** In which region each member of the session store is. */
export function cachePlaces({ config }: Deps): Record<string, string> {
  return config.sessions.sentinel?.regions ?? {};
}

/** Reads about the stores after regions were lost. */
export function recoveryStores(deps: Deps) {
  return {
    /**
     * What is left of database and session store outside of the lost regions, and how they come to serve again.
     * @param ask.site where a backup would be restored
     */
    lookAtStores: beating(async (ask: { lost: string[]; site: string }): Promise<Finding<StoreWays>> => {
      const { lost, site } = ask;
      const { database, cache } = deps;
      const value: StoreWays = {};
      const [seen, found] = await Promise.all([
        database && assessDatabase(database),
        cache && assessCache(cache),
      ]);
      if (seen) {
        const way = databaseWay(seen.value.view, seen.value, databasePlaces(deps), lost);
        value.database = way.by === 'none' ? await withoutMembers(deps, lost, site) : way;
      }
      if (found) {
        const { view, clients } = found.value;
        const { primary } = judgeCache(view, clients);
        value.cache = cacheWay(view, { ok: clients.ok, primary }, cachePlaces(deps), lost);
      }
      const told = [
        ...(value.database ? [`database: ${inWords(value.database)}`] : []),
        ...(value.cache ? [`session store: ${inWords(value.cache)}`] : []),
      ];
      return { sentence: told.join('; ') || 'there are no data stores', value };
    }),
  };
}

/** No member outside of the lost regions answers: whether one could be started, or a backup take its place. */
async function withoutMembers(deps: Deps, lost: readonly string[], site: string): Promise<Way> {
  const all = Object.entries(deps.config.database!.members);
  const members = all.filter(([, { reserve }]) => !reserve);
  const left = members.filter(([, { region }]) => !lost.includes(region)).map(([member]) => member);
  const remains = await Promise.all(left.map((member) => remainsOf(databaseOf(deps), member)));
  const stopped = left.filter((_, i) => remains[i]!.data !== undefined || remains[i]!.processes > 0);
  if (stopped.length > 0) return { by: 'none', stopped };
  const [reserve] = all.find(([, one]) => one.reserve && one.region === site) ?? [];
  if (reserve === undefined || !deps.backups) return { by: 'none' };
  return { by: 'backup', member: reserve, others: members.map(([member]) => member) };
}

function inWords(way: Way): string {
  switch (way.by) {
    case 'serves':
      return 'served from a region that is left';
    case 'successor':
      return `${way.member} has every acknowledged write and can take over`;
    case 'survivor':
      return `only ${way.member} is left, which may lack acknowledged writes`;
    case 'backup':
      return `no member is left, and ${way.member} can be given a backup`;
    case 'none':
      return (way.stopped ?? []).length > 0
        ? `${way.stopped!.join(' and ')} has data and does not run`
        : 'no member is left';
  }
}
