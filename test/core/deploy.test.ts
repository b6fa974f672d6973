import {
  halves,
  inTurns,
  isLed,
  measured,
  roomFor,
  toLead,
  weightsFor,
  worse,
  type Binding,
} from '../../core/deploy';

const pool = { minimumShare: 0.5, peakPerS: 0, memberCapacity: 500 };

describe('room', () => {
  it.each([
    ['half of 24 and one more stay', { serving: 24, members: 24 }, 11],
    ['a small pool spares one, though then nothing is left for a failure', { serving: 3, members: 3 }, 1],
    ['as many as have to serve spare none', { serving: 3, members: 6 }, 0],
    ['fewer than have to serve spare none', { serving: 1, members: 6 }, 0],
    ['one that is out already counts', { serving: 5, members: 6 }, 1],
    ['the last one stays whatever the share', { serving: 1, members: 1, minimumShare: 0 }, 0],
    ['the peak needs more than the share does', { serving: 6, members: 6, peakPerS: 2_001 }, 1],
    ['the peak needs all of them', { serving: 6, members: 6, peakPerS: 2_501 }, 0],
    ['a peak that nobody knows is for the guard to refuse', { serving: 6, members: 6, peakPerS: null }, 2],
  ])('%s', (_, seen, expected) => expect(roomFor({ ...pool, ...seen })).toBe(expected));
});

describe('turns', () => {
  it('one of each zone, so that none is emptied before the others have begun', () => {
    const nodes = ['r/a/n1', 'r/a/n2', 'r/a/n3', 'r/b/n1', 'r/c/n1', 'r/c/n2'];
    expect(inTurns(nodes)).toEqual(['r/a/n1', 'r/b/n1', 'r/c/n1', 'r/a/n2', 'r/c/n2', 'r/a/n3']);
  });

  it('of no nodes there are none', () => expect(inTurns([])).toEqual([]));
});

describe('two sides', () => {
  it('have half of each zone', () => {
    expect(halves(['r/a/n1', 'r/a/n2', 'r/b/n1', 'r/b/n2'])).toEqual({
      green: ['r/a/n1', 'r/b/n1'],
      blue: ['r/a/n2', 'r/b/n2'],
    });
    expect(halves(['r/a/n1', 'r/b/n1', 'r/c/n1'])).toMatchObject({ green: ['r/a/n1'] });
    expect(halves(['r/a/n1'])).toEqual({ green: [], blue: ['r/a/n1'] });
  });

  it.each([
    [0, 3, 3, { green: 0, blue: 100 }],
    [10, 3, 3, { green: 11, blue: 100 }],
    [50, 3, 3, { green: 100, blue: 100 }],
    [50, 1, 2, { green: 100, blue: 50 }],
    [50, 4, 2, { green: 50, blue: 100 }],
    [90, 3, 3, { green: 100, blue: 11 }],
    [1, 100, 1, { green: 1, blue: 100 }],
    [100, 3, 3, { green: 100, blue: 0 }],
  ])('%d %% for %d of them, beside %d', (share, green, blue, weights) =>
    expect(weightsFor(share, green, blue)).toEqual(weights),
  );
});

describe('clients that are there', () => {
  const sides = { green: ['g1', 'g2'], blue: ['b1', 'b2'] };
  const on = (server: string, count: number, idleMs = 0): Binding[] =>
    Array.from({ length: count }, (_, i) => ({ client: `${server}-${idleMs}-${i}`, server, idleMs }));
  /** How many are on each server once those that have to be led elsewhere are there. */
  const led = (bound: Binding[], share: number, of = sides) => {
    const moved = new Map(toLead(bound, of, share).map(({ client, server }) => [client, server]));
    const after = bound.map((one) => ({ ...one, server: moved.get(one.client) ?? one.server }));
    expect(isLed(after, of, share)).toBe(true);
    const counts: Record<string, number> = {};
    for (const { server } of after) counts[server] = (counts[server] ?? 0) + 1;
    return counts;
  };

  it.each([
    [10, [...on('b1', 10), ...on('b2', 10)], { g1: 1, g2: 1 }],
    [50, [...on('b1', 10), ...on('b2', 10)], { g1: 5, g2: 5 }],
    [10, on('b1', 3), { g1: 1, b1: 2 }],
    [100, [...on('g1', 1), ...on('b1', 4)], { g1: 3, g2: 2 }],
    [0, [...on('g1', 5), ...on('b1', 1)], { b1: 4, b2: 2 }],
    [10, [...on('g1', 20), ...on('b1', 20)], { g1: 4 }],
    [10, [], {}],
    [50, [...on('b1', 4), ...on('other', 9)], { g1: 1, g2: 1, b1: 2, other: 9 }],
  ])('%d %% of them are bound to the new release', (share, bound, expected) => {
    expect(led(bound, share)).toMatchObject(expected);
  });

  it('who has not asked for long is not counted as one on whom a release proves itself, and leaves with the others', () => {
    const bound = [...on('b1', 100, 120_000), ...on('b2', 10)];
    expect(toLead(bound, sides, 10)).toEqual([{ client: 'b2-0-0', server: 'g1' }]);
    expect(led(bound, 100)).toEqual({ g1: 55, g2: 55 });
  });

  it('nobody is led to a side that has no server, and it is not waited for either', () => {
    const none = { ...sides, blue: [] };
    expect(toLead(on('g1', 5), none, 0)).toEqual([]);
    expect(isLed(on('g1', 5), none, 0)).toBe(true);
  });

  it('a few that came or went meanwhile are close enough, but of some clients it is not nobody', () => {
    expect(isLed([...on('g1', 9), ...on('b1', 91)], sides, 10)).toBe(true);
    expect(isLed([...on('g1', 2), ...on('b1', 98)], sides, 10)).toBe(false);
    expect(isLed(on('b1', 5), sides, 10)).toBe(false);
  });
});

describe('a release', () => {
  const limits = { errors: 0.01, p99Ms: 500 };
  const well = { errors: 0, p99Ms: 20 };

  it.each([
    ['as good as the one before', well, well],
    ['with no calls yet', { errors: null, p99Ms: null }, well],
    ['worse, but not beyond what it may', { errors: 0.01, p99Ms: 500 }, well],
    [
      'beyond what it may, as the one before is too',
      { errors: 0.3, p99Ms: 900 },
      { errors: 0.2, p99Ms: 800 },
    ],
    ['that is alone and well', well, { errors: null, p99Ms: null }],
  ])('%s is not worse', (_, fresh, old) => expect(worse(fresh, old, limits)).toBeNull());

  it.each([
    [{ errors: 0.5, p99Ms: 20 }, well, '50 % of its calls fail, against 0 % before; 1 % may'],
    [
      { errors: 0.021, p99Ms: 20 },
      { errors: 0.01, p99Ms: 20 },
      '2.1 % of its calls fail, against 1 % before; 1 % may',
    ],
    [
      { errors: 0.5, p99Ms: 20 },
      { errors: null, p99Ms: null },
      '50 % of its calls fail, against none before; 1 % may',
    ],
    [{ errors: 0, p99Ms: 1_200 }, well, 'its P99 is 1200 ms, against 20 ms before; 500 ms may be'],
    [
      { errors: 0, p99Ms: 1_200 },
      { errors: null, p99Ms: null },
      'its P99 is 1200 ms, against unknown before; 500 ms may be',
    ],
  ])('that has %j against %j is worse', (fresh, old, why) => expect(worse(fresh, old, limits)).toBe(why));

  it('is told in words', () => {
    expect(measured({ errors: 0.0042, p99Ms: 41.6 })).toBe('0.4 % failed, P99 42 ms');
    expect(measured({ errors: 0, p99Ms: null })).toBe('0 % failed, P99 unknown');
    expect(measured({ errors: null, p99Ms: null })).toBe('no calls');
  });
});
