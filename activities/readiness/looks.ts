import { setTimeout as delay } from 'node:timers/promises';
import { primaryOf } from '../../core/cache';
import { judgeDatabase } from '../../core/database';
import { ERRORS, SwitchoverError, messageOf } from '../../core/errors';
import type { Looked, RegionSeen, StoreSeen, WorldSeen } from '../../core/readiness';
import type { Deps } from '../deps';
import { lookAtPool } from '../pool';
import type { Fleet } from '../ports';

/** How long one look may take, ms; that at the backups starts programs, and one repository may be far. */
const LOOK_MS = 15_000;
const BACKUPS_MS = 60_000;
/** So often it is looked before what was seen amiss counts, so far apart, ms: a moment's silence is no shortfall. */
const TRIES = 3;
const AGAIN_MS = 1_000;
/** A timer that comes so much too late means that this worker was held up, ms, and that silence is no sign of anybody else's trouble. */
const LATE_MS = 250;
const TICK_MS = 50;

/**
 * Everything that readiness is judged by. Each look has its own time and its own failure: what cannot be seen is told, and the rest is
 * there. Nothing is changed anywhere. Nobody waits for it, so it is looked at one thing after the other, beside whatever is at work.
 * @param history what the journal said last; kept where it does not answer now
 */
export async function lookAtWorld(
  deps: Deps,
  history: WorldSeen['history'],
  since: string,
): Promise<WorldSeen> {
  const { config, sessions, reader } = deps;
  const regions: Record<string, RegionSeen> = {};
  for (const name of Object.keys(config.regions)) regions[name] = await regionOf(deps, name);
  const owners = await looked(async () => {
    await sessions.ping();
    return null;
  });
  const registry = await registryOf(deps);
  const database = await databaseOf(deps);
  const cache = await cacheOf(deps);
  const dns = await dnsOf(deps);
  const backups = await backupsOf(deps);
  const past = reader && (await looked(() => reader.history(since)));
  const known = past && 'value' in past ? past.value : history;
  return {
    at: new Date().toISOString(),
    regions,
    sessions: owners,
    ...(registry ? { registry } : {}),
    ...(database ? { database } : {}),
    ...(cache ? { cache } : {}),
    ...(dns ? { dns } : {}),
    ...(backups ? { backups } : {}),
    ...(known ? { history: known } : {}),
  };
}

async function regionOf(deps: Deps, name: string): Promise<RegionSeen> {
  const { loadBalancer, fleet } = deps.region(name);
  const pool = await looked(async () => {
    const { members, load } = await lookAtPool(loadBalancer);
    return {
      members: members.map(({ server, admin, up }) => ({ server, admin, up })),
      peakPerS: load.peakPerS,
    };
  });
  return { pool, rights: await looked(() => loadBalancer.rights()), programs: await programsOf(fleet) };
}

async function registryOf({ registry }: Deps): Promise<WorldSeen['registry']> {
  if (!registry) return undefined;
  return storeOf(
    () => registry.registry.members(),
    registry.fleet,
    (members) => members.every(({ reachable }) => reachable),
  );
}

async function databaseOf({ database }: Deps): Promise<WorldSeen['database']> {
  if (!database) return undefined;
  const seen = await storeOf(
    () => database.database.look(),
    database.fleet,
    (view) => view.clients.ok && judgeDatabase(view).candidate !== undefined,
  );
  const control = await looked(() => database.database.control(), {
    whole: (servers) => servers.every(({ ok }) => ok),
  });
  return { ...seen, control };
}

async function cacheOf({ cache }: Deps): Promise<WorldSeen['cache']> {
  if (!cache) return undefined;
  return storeOf(
    () => cache.cache.look(),
    cache.fleet,
    (view) => primaryOf(view) !== undefined && view.members.every(({ reachable }) => reachable),
  );
}

async function dnsOf({ dns }: Deps): Promise<WorldSeen['dns']> {
  if (!dns) return undefined;
  return looked(async () => ({ view: await dns.look(), answers: await dns.answers() }), {
    whole: ({ answers }) => answers.every(({ addresses }) => Object.keys(addresses).length > 0),
  });
}

async function backupsOf({ backups }: Deps): Promise<WorldSeen['backups']> {
  if (!backups) return undefined;
  return looked(() => backups.backups.look(), {
    withinMs: BACKUPS_MS,
    whole: ({ archiving }) => archiving !== undefined,
  });
}

async function storeOf<View>(
  look: () => Promise<View>,
  fleet: Fleet,
  whole: (view: View) => boolean,
): Promise<StoreSeen<View>> {
  return { view: await looked(look, { whole }), programs: await programsOf(fleet) };
}

function programsOf(fleet: Fleet): Promise<Looked<readonly string[]>> {
  return looked(() => fleet.programs());
}

/** How it is looked. `whole`: whether nothing is amiss in what was seen, of looks that never throw; `withinMs`: once. */
interface Way<T> {
  whole?: (value: T) => boolean;
  withinMs?: number;
}

/**
 * What a look came to, or why it came to nothing. What is amiss is looked at again. Never throws.
 * @returns without a code where this worker was held up: then nobody knows
 */
async function looked<T>(look: () => Promise<T>, way: Way<T> = {}): Promise<Looked<T>> {
  const { whole = () => true, withinMs = LOOK_MS } = way;
  for (let nth = 1; ; nth += 1) {
    const { seen, heldUp } = await once(look, withinMs);
    const well = 'value' in seen ? whole(seen.value) : !seen.code || !ERRORS[seen.code].retryable;
    if (well) return seen;
    if (nth === TRIES && !heldUp) return seen;
    if (nth === TRIES)
      return {
        said: 'value' in seen ? 'this worker was held up' : `this worker was held up, and ${seen.said}`,
      };
    await delay(AGAIN_MS);
  }
}

async function once<T>(
  look: () => Promise<T>,
  withinMs: number,
): Promise<{ seen: Looked<T>; heldUp: boolean }> {
  let [heldUp, tickedAt] = [false, Date.now()];
  const pulse = setInterval(() => {
    heldUp ||= Date.now() - tickedAt > TICK_MS + LATE_MS;
    tickedAt = Date.now();
  }, TICK_MS);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Looked<T>>((resolve) => {
    timer = setTimeout(resolve, withinMs, { said: `the look was not finished within ${withinMs / 1_000} s` });
  });
  const answer = look().then(
    (value) => ({ value }),
    (error: unknown) => ({
      said: messageOf(error),
      ...(error instanceof SwitchoverError ? { code: error.code } : {}),
    }),
  );
  const seen = await Promise.race([answer, late]);
  clearTimeout(timer);
  clearInterval(pulse);
  return { seen, heldUp };
}
