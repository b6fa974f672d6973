import { shareOut, type Receiver, type Sharing } from '../../core/traffic';

const receiver = (region: string, weight: number, more: Partial<Receiver> = {}): Receiver => ({
  region,
  weight,
  serving: 6,
  spares: [`${region}/a/s1`, `${region}/b/s1`],
  peakPerS: weight * 10,
  ...more,
});
const share = (more: Partial<Sharing> = {}) =>
  shareOut({
    leaving: { regions: ['us'], weight: 40 },
    receivers: [receiver('eu', 35), receiver('ap', 25)],
    nodeCapacity: 500,
    ...more,
  });

it('goes to the others as their weights are, 100 % in all', () => {
  expect(share().weights).toEqual({ us: 0, eu: 58, ap: 42 });
});

it('goes as it was laid down', () => {
  expect(share({ preferred: { eu: 70, ap: 30 } })).toMatchObject({
    weights: { us: 0, eu: 70, ap: 30 },
    start: [],
    strained: [],
    said: 'eu 70 %, ap 30 %; for a peak of 1000 requests/s',
  });
});

it('one that does not serve gets nothing, also where it was laid down', () => {
  const receivers = [receiver('eu', 35, { serving: 0, spares: [], peakPerS: null }), receiver('ap', 25)];
  expect(share({ receivers, preferred: { eu: 70, ap: 30 } }).weights).toEqual({ us: 0, ap: 100 });
});

it('one that has no weight now may be laid down all the same', () => {
  const receivers = [receiver('eu', 35), receiver('west', 0, { peakPerS: null })];
  expect(share({ receivers, preferred: { west: 100 } }).weights).toEqual({ us: 0, eu: 0, west: 100 });
});

it('spares are started as far as the estimated peak needs them', () => {
  const receivers = [receiver('eu', 35, { serving: 6 }), receiver('ap', 25, { serving: 6 })];
  // 600 of 60 % of the world: 1,000 in all; 70 % of it needs 7 nodes of 100.
  const { start, strained } = share({ receivers, preferred: { eu: 70, ap: 30 }, nodeCapacity: 100 });
  expect({ start, strained }).toEqual({ start: ['eu/a/s1'], strained: [] });
});

it('is shared by capacity where what was laid down would overrun somebody', () => {
  const receivers = [receiver('eu', 35, { serving: 2 }), receiver('ap', 25, { serving: 8 })];
  const shared = share({ receivers, preferred: { eu: 70, ap: 30 }, nodeCapacity: 100 });
  expect(shared.weights).toEqual({ us: 0, eu: 29, ap: 71 });
  expect(shared.start).toEqual(['eu/a/s1']);
  expect(shared.strained).toEqual([]);
  expect(shared.said).toContain('shared by capacity, because eu cannot bear what was planned');
});

it('names those that cannot bear their share whatever is done', () => {
  const receivers = [
    receiver('eu', 35, { serving: 1, spares: [] }),
    receiver('ap', 25, { serving: 1, spares: [] }),
  ];
  expect(share({ receivers, nodeCapacity: 100 }).strained).toEqual(['eu', 'ap']);
});

it('says where nobody knows the peak, and starts nothing for it', () => {
  const receivers = [receiver('eu', 35, { peakPerS: null })];
  expect(share({ receivers })).toMatchObject({
    start: [],
    strained: [],
    said: 'eu 100 %; the peak of the world is not known',
  });
});

it('nobody can take it where nobody serves', () => {
  expect(share({ receivers: [] })).toMatchObject({ weights: { us: 0 }, start: [], strained: [] });
});
