/**
 * What is decided when so many regions are lost that a site for disasters has to serve (REQUIREMENTS F4, F13). Pure rules; who looks is
 * activities/recovery.
 *
 * A region is lost when two others see it so and none sees it well, and is well when one sees it so and none sees it lost. What nobody
 * can tell is for people to say.
 */
import type { CacheView } from './cache';
import type { DatabaseVerdict, DatabaseView } from './database';
import type { RegionVerdict } from './region';

/**
 * How far a run may go, as people have agreed (F13). 1: one site; clients are led elsewhere, the data serve already · 2: a region with
 * its data; who has every acknowledged write takes over · 3: several regions; who may lack some takes over where nobody else is left, and
 * where nobody is, a backup.
 */
export type Level = 1 | 2 | 3;

/** How the regions that serve when all is well are seen. */
export interface Loss {
  lost: string[];
  well: string[];
  /** Of which nobody can tell, and why. */
  unknown: { region: string; why: string }[];
}

export function judgeLoss(verdicts: readonly { region: string; verdict: RegionVerdict }[]): Loss {
  const loss: Loss = { lost: [], well: [], unknown: [] };
  for (const { region, verdict } of verdicts) {
    if (verdict.serves) loss.well.push(region);
    else if (verdict.doubt !== undefined) loss.unknown.push({ region, why: verdict.doubt });
    else loss.lost.push(region);
  }
  return loss;
}

/** `us-east-1 and eu-central-1 are lost, ap-southeast-1 is well` */
export function lossInWords({ lost, well, unknown }: Loss): string {
  const part = (regions: readonly string[], state: string): string[] =>
    regions.length === 0 ? [] : [`${regions.join(' and ')} ${regions.length === 1 ? 'is' : 'are'} ${state}`];
  return [
    ...part(lost, 'lost'),
    ...part(well, 'well'),
    ...part(
      unknown.map(({ region }) => region),
      'not known to be either',
    ),
  ].join(', ');
}

/** A region that serves nobody until a disaster. */
export interface Site {
  site: string;
  role: 'standby' | 'cold';
  /** Its nodes, and how many of them are healthy now. */
  nodes: string[];
  healthy: number;
  /** Whether the supervisor of its processes answers, without which nothing can be started there. */
  reachable: boolean;
  said: string;
}

/** The site that takes over: a standby before a cold one, for it serves sooner; of two the one with more that is healthy. */
export function chooseSite(sites: readonly Site[], named?: string): Site | undefined {
  if (named !== undefined) return sites.find(({ site }) => site === named);
  const able = sites.filter(({ reachable }) => reachable);
  const rank = ({ role, healthy }: Site): number => (role === 'standby' ? 1e6 : 0) + healthy;
  return able.toSorted((a, b) => rank(b) - rank(a))[0];
}

/**
 * How a store comes to serve again. `serves`: it does already · `successor`: by its own failover, without a write lost · `survivor`:
 * by a member that may lack some, once those that are lost or silent (`others`) are fenced · `backup`: from one at the other site, by this
 * member in reserve, once all of `others` are fenced · `none`: no member is left outside of the lost regions; `stopped` are there,
 * have data and do not run.
 */
export type Way =
  | { by: 'serves' }
  | { by: 'successor'; member: string }
  | { by: 'survivor'; member: string; others: string[] }
  | { by: 'backup'; member: string; others: string[] }
  | { by: 'none'; stopped?: string[] };

/** @param places the region of each member */
export function databaseWay(
  view: DatabaseView,
  { primary, candidate, failed }: DatabaseVerdict,
  places: Readonly<Record<string, string>>,
  lost: readonly string[],
): Way {
  const gone = (member: string): boolean => lost.includes(places[member] ?? '');
  if (view.clients.ok && primary !== undefined && !gone(primary)) return { by: 'serves' };
  if (failed && candidate !== undefined && !gone(candidate)) return { by: 'successor', member: candidate };
  const left = view.members.filter(({ member, postgres }) => postgres && !gone(member));
  const [most] = left.toSorted((a, b) => b.postgres!.lsn - a.postgres!.lsn);
  return survivor(most, view.members, left);
}

/** @param ok whether clients can write now · @param places the region of each member */
export function cacheWay(
  { members }: CacheView,
  { ok, primary }: { ok: boolean; primary: string | undefined },
  places: Readonly<Record<string, string>>,
  lost: readonly string[],
): Way {
  const gone = (member: string): boolean => lost.includes(places[member] ?? '');
  if (ok && primary !== undefined && !gone(primary)) return { by: 'serves' };
  const left = members.filter(({ member, reachable, link }) => reachable && !link?.copying && !gone(member));
  const lead = left.find(({ role }) => role === 'primary');
  const [most] = left.toSorted((a, b) => b.offset! - a.offset!);
  const best = lead ?? most;
  const all = members.every(({ reachable, member }) => reachable || member === primary);
  // Where every standby answers, its own failover knows who has every acknowledged write.
  if (best && all && best.member !== primary) return { by: 'successor', member: best.member };
  return survivor(best, members, left);
}

interface Named {
  member: string;
}

function survivor(best: Named | undefined, members: readonly Named[], left: readonly Named[]): Way {
  if (!best) return { by: 'none' };
  const names = new Set(left.map(({ member }) => member));
  const others = members.flatMap(({ member }) => (names.has(member) ? [] : [member]));
  return { by: 'survivor', member: best.member, others };
}

/** Half of the way from these weights to those, in whole numbers. */
export function halfway(
  now: Readonly<Record<string, number>>,
  to: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.keys(to).map((region) => [region, Math.ceil(((now[region] ?? 0) + to[region]!) / 2)]),
  );
}
