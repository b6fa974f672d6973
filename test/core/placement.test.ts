import * as fc from 'fast-check';
import {
  BUCKETS,
  Placement,
  REPLICAS,
  allBuckets,
  bucketOf,
  candidatesOf,
  type Candidate,
} from '../../core/placement';
import { environmentFile } from '../../sandbox/environment';
import { DEFAULTS } from '../../sandbox/settings';

/** The same fleets on every run: what a property says of a lottery has to be true of these draws. */
const seed = 20_240_917;
const config = environmentFile({ ...DEFAULTS, nodesPerZone: 2, sparesPerZone: 1 });
const world = candidatesOf(config);

/** A fleet of up to four regions with weights, up to four zones each and up to four nodes a zone. */
const fleets = fc
  .uniqueArray(fc.constantFrom('us', 'eu', 'ap', 'sa'), { minLength: 1 })
  .chain((regions) => fc.tuple(...regions.map(regionOf)))
  .map((regions) => regions.flat());

function regionOf(region: string): fc.Arbitrary<Candidate[]> {
  const zones = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  return fc.tuple(fc.integer({ min: 1, max: 50 }), zones).map(([weight, sizes]) =>
    sizes.flatMap((nodes, z) =>
      Array.from({ length: nodes }, (_, n) => {
        const zone = 'abcd'[z]!;
        return { id: `${region}/${zone}/n${n}`, region, zone, weight };
      }),
    ),
  );
}

/** A fleet of two nodes at least, and one of them. */
const fleetAndOne = fleets
  .filter((fleet) => fleet.length > 1)
  .chain((fleet) => fc.tuple(fc.constant(fleet), fc.constantFrom(...fleet)));
const ids = (fleet: readonly Candidate[]): Set<string> => new Set(fleet.map(({ id }) => id));
const without = (fleet: readonly Candidate[], one: Candidate): Candidate[] =>
  fleet.filter(({ id }) => id !== one.id);
const ownersIn = (placement: Placement, serving: ReadonlySet<string>): (string | undefined)[] =>
  allBuckets().map((bucket) => placement.owner(bucket, serving));
const check = <Values extends [unknown, ...unknown[]]>(property: fc.IProperty<Values>): void =>
  fc.assert(property, { seed, numRuns: 30 });

/**
 * How many buckets this share of them is to within the luck of a fair lottery: four standard deviations to each side, and
 * four buckets, for where few are drawn the deviations are lopsided.
 */
function fair(share: number): [least: number, most: number] {
  const spread = 4 * Math.sqrt(BUCKETS * share * (1 - share)) + 4;
  return [BUCKETS * share - spread, BUCKETS * share + spread];
}

describe('a session', () => {
  it('has its bucket for ever, whoever computes it', () => {
    // xxHash32 of the empty text is 0x02CC5D05, of "abc" 0x32D153FF (the reference implementation's test vectors)
    expect([bucketOf(''), bucketOf('abc')]).toEqual([0x05, 0xff]);
  });

  it('falls into any bucket as likely as into any other', () => {
    const counts = allBuckets().map(() => 0);
    for (let i = 0; i < 100 * BUCKETS; i += 1) counts[bucketOf(`session-${i}`)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(60);
    expect(Math.max(...counts)).toBeLessThan(140);
  });
});

describe('the preferences of a bucket', () => {
  it('are three nodes in three zones, where the fleet has as many', () =>
    check(
      fc.property(fleets, (fleet) => {
        const placement = new Placement(fleet);
        const zoneOf = (id: string): string => id.slice(0, id.lastIndexOf('/'));
        const zones = new Set([...ids(fleet)].map(zoneOf));
        const found = allBuckets().map((bucket) => {
          const preferred = placement.preferences(bucket);
          return [new Set(preferred).size, new Set(preferred.map(zoneOf)).size];
        });
        const wanted = [Math.min(REPLICAS, fleet.length), Math.min(REPLICAS, zones.size)];
        expect(found).toEqual(found.map(() => wanted));
      }),
    ));

  it('stay in the region of the first while it has three zones', () => {
    const placement = new Placement(world);
    for (const bucket of allBuckets()) {
      const regions = placement.preferences(bucket).map((id) => id.split('/')[0]);
      expect(new Set(regions).size).toBe(1);
    }
  });
});

describe('a placement', () => {
  it('places every bucket, whichever nodes serve', () =>
    check(
      fc.property(fleetAndOne, ([fleet, one]) => {
        for (const serving of [ids(fleet), ids(without(fleet, one)), ids([one])]) {
          const owners = ownersIn(new Placement(fleet), serving);
          expect(owners).toHaveLength(BUCKETS);
          expect(owners.every((owner) => owner !== undefined && serving.has(owner))).toBe(true);
        }
      }),
    ));

  it('gives regions by weight, and the nodes of a region evenly, as a fair lottery would', () =>
    check(
      fc.property(fleets, (fleet) => {
        const owners = ownersIn(new Placement(fleet), ids(fleet));
        const within = (count: number, share: number): void => {
          const [least, most] = fair(share);
          expect(count).toBeGreaterThanOrEqual(least);
          expect(count).toBeLessThanOrEqual(most);
        };
        const weights = new Map(fleet.map(({ region, weight }) => [region, weight]));
        const sum = [...weights.values()].reduce((a, b) => a + b);
        for (const [region, weight] of weights) {
          const count = (start: string): number => owners.filter((owner) => owner!.startsWith(start)).length;
          within(count(`${region}/`), weight / sum);
          const nodes = fleet.filter((one) => one.region === region);
          for (const { id } of nodes)
            within(owners.filter((owner) => owner === id).length, weight / sum / nodes.length);
        }
      }),
    ));

  it('of the world of T1 is 40 : 35 : 25 to within 1 point, its nodes within a third of even', () => {
    const owners = ownersIn(new Placement(world), ids(world));
    const share = (region: string): number =>
      (100 * owners.filter((owner) => owner!.startsWith(region)).length) / BUCKETS;
    for (const { id, region, weight } of world) {
      expect(Math.abs(share(region) - weight)).toBeLessThan(1);
      expect(Math.abs(share(id) / (weight / 6) - 1)).toBeLessThan(1 / 3);
    }
  });

  it('gives a region of weight 0 nothing while another serves', () => {
    const fleet = world.map((node) => (node.region === 'us-east-1' ? { ...node, weight: 0 } : node));
    const cold = fleet.filter(({ weight }) => weight === 0);
    expect(ownersIn(new Placement(fleet), ids(fleet)).some((owner) => ids(cold).has(owner!))).toBe(false);
    expect(ownersIn(new Placement(fleet), ids(cold)).every((owner) => ids(cold).has(owner!))).toBe(true);
  });
});

describe('a node', () => {
  it('that stops serving loses its buckets to the next in their rankings, and no other moves', () =>
    check(
      fc.property(fleetAndOne, ([fleet, gone]) => {
        const placement = new Placement(fleet);
        const before = ownersIn(placement, ids(fleet));
        const after = ownersIn(placement, ids(without(fleet, gone)));
        const preferred = allBuckets().map((bucket) => placement.preferences(bucket));
        expect(before).toEqual(preferred.map(([first]) => first));
        expect(after).toEqual(preferred.map(([first, second]) => (first === gone.id ? second : first)));
      }),
    ));

  it('that joins the fleet, or leaves it, moves the buckets it gets, or had, and no other', () =>
    check(
      fc.property(fleetAndOne, ([fleet, one]) => {
        const rest = without(fleet, one);
        const withIt = ownersIn(new Placement(fleet), ids(fleet));
        const withoutIt = ownersIn(new Placement(rest), ids(rest));
        expect(withIt.map((owner, bucket) => (owner === one.id ? withoutIt[bucket] : owner))).toEqual(
          withoutIt,
        );
      }),
    ));
});

describe('moves', () => {
  it('are exactly the buckets that are not where they belong', () =>
    check(
      fc.property(fleetAndOne, ([fleet, gone]) => {
        const placement = new Placement(fleet);
        const serving = ids(without(fleet, gone));
        const placed = ownersIn(placement, ids(fleet)).map((owner, bucket) => ({
          bucket,
          owner: owner!,
          stamp: 7,
        }));
        const moves = placement.moves(placed, serving);
        const theirs = placed.filter(({ owner }) => owner === gone.id);
        expect(moves.map(({ bucket, from, stamp }) => ({ bucket, owner: from, stamp }))).toEqual(theirs);
        for (const { bucket, to } of moves) placed[bucket]!.owner = to;
        expect(placement.moves(placed, serving)).toEqual([]);
        expect(placement.moves(placed, ids(fleet)).map(({ bucket }) => bucket)).toEqual(
          theirs.map(({ bucket }) => bucket),
        );
      }),
    ));
});

describe('the candidates', () => {
  it('are the nodes of the environment, and those spares that are named', () => {
    expect(world).toHaveLength(18);
    expect(world[0]).toEqual({ id: 'us-east-1/a/n1', region: 'us-east-1', zone: 'a', weight: 40 });
    const spare = 'eu-central-1/b/s1';
    expect(candidatesOf(config, [spare]).filter((one) => !ids(world).has(one.id))).toEqual([
      { id: spare, region: 'eu-central-1', zone: 'b', weight: 35 },
    ]);
  });
});
