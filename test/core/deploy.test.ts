import { halves, inTurns, measured, roomFor, weightsFor, worse } from '../../core/deploy';

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
