import { xxHash32 } from 'js-xxhash';
import type { Config } from './config';
import { nodesOf, type Node } from './topology';

/**
 * Where sessions belong (REQUIREMENTS T7). A session's id gives its bucket, for ever; a bucket belongs to one node at a
 * time, so moving a node's sessions is moving its buckets. Which node that should be is computed, by everybody alike,
 * from names and region weights alone: weighted rendezvous hashing, which is consistent hashing without a ring.
 *
 * Each bucket ranks the fleet's nodes, and belongs to the first in its ranking that serves. So a node that stops serving
 * loses its buckets to the next in each one's ranking, and one that comes back takes back those and no others.
 */

/** Buckets there are (T7). */
export const BUCKETS = 256;

/** Nodes that a bucket prefers, in different zones where the fleet has as many (T7: replication 3). */
export const REPLICAS = 3;

/**
 * Which of many draws of lots decides. 256 lots come out some points beside the weights; in this draw, of the first 4,000,
 * the regions and names of T1 are within 1 point of 40 : 35 : 25. Trap: another number moves most buckets of every fleet.
 */
const DRAW = 127;

/** A node that may own buckets. */
export interface Candidate extends Pick<Node, 'id' | 'region' | 'zone'> {
  /** Its region's share of the world, in any unit; 0: only when no other region serves. */
  weight: number;
}

/** Where a bucket is. */
export interface Placed {
  bucket: number;
  /** Node id. */
  owner: string;
  /** When it came there, ms of the session store's clock; of two placements the one with the larger stamp is the newer. */
  stamp: number;
}

/** A bucket that is to change hands, which it does only while it is still where it was seen. */
export interface BucketMove {
  bucket: number;
  from: string;
  to: string;
  /** The stamp it was seen with; left out: whatever became of it meanwhile, as long as `from` owns it. */
  stamp?: number;
}

/** The bucket of a session: xxHash32 of its id's UTF-8 bytes, seed 0, modulo {@link BUCKETS}. */
export function bucketOf(session: string): number {
  return xxHash32(session) % BUCKETS;
}

/** Every bucket's number. */
export function allBuckets(): number[] {
  return Array.from({ length: BUCKETS }, (_, bucket) => bucket);
}

/**
 * The nodes of the environment that may own buckets: all but the spares and those of regions that serve nobody when all is well, and
 * of these the ones that are named.
 */
export function candidatesOf(
  { regions }: Pick<Config, 'regions'>,
  called: readonly string[] = [],
): Candidate[] {
  return Object.entries(regions).flatMap(([region, { weight, role }]) =>
    nodesOf({ regions }, region)
      .filter(({ id, spare }) => (role === 'active' && !spare) || called.includes(id))
      .map(({ id, zone }) => ({ id, region, zone, weight })),
  );
}

/** The rankings of one set of nodes; each bucket's is computed once, when it is first asked for. */
export class Placement {
  private readonly rankings: (readonly string[] | undefined)[] = [];

  private readonly regions: [Candidate, ...Candidate[]][] = [];

  constructor(candidates: readonly Candidate[]) {
    for (const candidate of candidates) {
      const known = this.regions.find(([{ region }]) => region === candidate.region);
      if (known) known.push(candidate);
      else this.regions.push([candidate]);
    }
  }

  /** The nodes that the bucket prefers, first one first: {@link REPLICAS} of them where there are as many nodes. */
  preferences(bucket: number): readonly string[] {
    return this.ranking(bucket).slice(0, REPLICAS);
  }

  /** The node that the bucket belongs to when only these serve; undefined where none of the candidates does. */
  owner(bucket: number, serving: ReadonlySet<string>): string | undefined {
    return this.ranking(bucket).find((id) => serving.has(id));
  }

  /** The fewest moves that bring every bucket to its owner when only these serve. */
  moves(placed: readonly Placed[], serving: ReadonlySet<string>): BucketMove[] {
    return placed.flatMap(({ bucket, owner: from, stamp }) => {
      const to = this.owner(bucket, serving);
      return to === undefined || to === from ? [] : [{ bucket, from, to, stamp }];
    });
  }

  /**
   * All candidates, the preferred ones first: regions by weighted lot, within a region nodes by even lot; then the best
   * node of each zone comes before the second of any, until there are {@link REPLICAS}. The very first is the winner of
   * both lots whatever the zones are, so a node that joins or leaves the fleet moves no bucket but its own.
   */
  private ranking(bucket: number): readonly string[] {
    return (this.rankings[bucket] ??= spread(this.drawn(bucket)).map(({ id }) => id));
  }

  private drawn(bucket: number): Candidate[] {
    const regions = draw(this.regions, bucket, ([{ region, weight }]) => ({ name: region, weight }));
    return regions.flatMap((nodes) => draw(nodes, bucket, ({ id }) => ({ name: id, weight: 1 })));
  }
}

/** The first of each zone, as many as there are replicas, then the rest, both in the order given. */
function spread(candidates: readonly Candidate[]): Candidate[] {
  const zones = new Set<string>();
  const first = candidates.filter(({ region, zone }) => {
    const place = `${region}/${zone}`;
    return zones.size < REPLICAS && !zones.has(place) && zones.add(place);
  });
  return [...first, ...candidates.filter((candidate) => !first.includes(candidate))];
}

/**
 * Puts things into an order by lot: each comes first as often as its weight says, and the order of two does not depend on
 * what else is there (Schindelhauer, Schomaker: weighted distributed hash tables).
 */
function draw<T>(
  things: readonly T[],
  bucket: number,
  entry: (thing: T) => { name: string; weight: number },
): T[] {
  const lots = things.map((thing) => {
    const { name, weight } = entry(thing);
    const uniform = (xxHash32(name, DRAW * BUCKETS + bucket) + 0.5) / 2 ** 32;
    return { thing, lot: -weight / Math.log(uniform) };
  });
  return lots.sort((a, b) => b.lot - a.lot).map(({ thing }) => thing);
}
