import type { CacheMember, CacheView } from '../../core/cache';
import { judgeDatabase, type DatabaseMember, type DatabaseView } from '../../core/database';
import {
  cacheWay,
  chooseSite,
  databaseWay,
  halfway,
  judgeLoss,
  lossInWords,
  type Site,
} from '../../core/recovery';
import type { RegionVerdict } from '../../core/region';
import { rulesOf } from '../../core/coordination/rules';
import { candidatesOf } from '../../core/placement';
import { environmentFile } from '../../sandbox/environment';
import { DEFAULTS } from '../../sandbox/settings';

const site = (name: string, role: Site['role'], more: Partial<Site> = {}): Site => ({
  site: name,
  role,
  nodes: [`${name}/a/n1`, `${name}/b/n1`],
  healthy: role === 'standby' ? 2 : 0,
  reachable: true,
  said: 'well',
  ...more,
});

describe('the site that takes over', () => {
  const west = site('west', 'standby');
  const north = site('north', 'cold');
  it.each<[string, Site[], string | undefined, string | undefined]>([
    ['a standby before a cold one', [north, west], undefined, 'west'],
    [
      'a standby of which nothing runs before a cold one',
      [north, { ...west, healthy: 0 }],
      undefined,
      'west',
    ],
    [
      'of two standbys the one with more that is healthy',
      [west, site('east', 'standby', { healthy: 3 })],
      undefined,
      'east',
    ],
    [
      'a cold one where the standby is not reached',
      [{ ...west, reachable: false }, north],
      undefined,
      'north',
    ],
    ['the one that a person names', [west, north], 'north', 'north'],
    ['none where the one that is named is no site', [west, north], 'us', undefined],
    ['none where there is none', [], undefined, undefined],
  ])('%s', (_, sites, named, chosen) => expect(chooseSite(sites, named)?.site).toBe(chosen));
});

describe('what is lost', () => {
  const verdict = (more: Partial<RegionVerdict>): RegionVerdict => ({
    failed: false,
    said: '',
    serves: false,
    ...more,
  });
  it('is what is seen so without a doubt', () => {
    const loss = judgeLoss([
      { region: 'us', verdict: verdict({ failed: true }) },
      { region: 'eu', verdict: verdict({ doubt: 'eu is seen from 1 of the 2 vantage points' }) },
      {
        region: 'ap',
        verdict: verdict({ serves: true, doubt: 'ap is seen from 1 of the 2 vantage points' }),
      },
    ]);
    expect(loss).toEqual({
      lost: ['us'],
      well: ['ap'],
      unknown: [{ region: 'eu', why: 'eu is seen from 1 of the 2 vantage points' }],
    });
    expect(lossInWords(loss)).toBe('us is lost, ap is well, eu is not known to be either');
  });
});

describe('the way of the database', () => {
  const places = { d1: 'us', d2: 'eu', d3: 'ap' };
  const gone = (member: string): DatabaseMember => ({ member, said: 'no answer' });
  const standby = (member: string, synchronous: boolean, lsn = 1_000): DatabaseMember => ({
    member,
    agent: { role: 'standby', state: 'running', synchronous },
    postgres: { writable: false, timeline: 1, lsn, limits: {} },
    said: 'standby',
  });
  const view = (members: DatabaseMember[], ok = false): DatabaseView => ({
    members,
    leader: 'd1',
    clients: { ok, said: '' },
    synchronous: true,
  });
  const wayOf = (seen: DatabaseView, lost: string[]) => databaseWay(seen, judgeDatabase(seen), places, lost);

  it.each([
    [
      'its synchronous standby is left',
      view([gone('d1'), gone('d2'), standby('d3', true)]),
      ['us', 'eu'],
      { by: 'successor', member: 'd3' },
    ],
    [
      'a standby is left that did not have to have every row',
      view([gone('d1'), gone('d2'), standby('d3', false)]),
      ['us', 'eu'],
      { by: 'survivor', member: 'd3', others: ['d1', 'd2'] },
    ],
    [
      'of two that may lack rows the one that has more',
      view([gone('d1'), standby('d2', false, 900), standby('d3', false)]),
      ['us'],
      { by: 'survivor', member: 'd3', others: ['d1'] },
    ],
    [
      'who could take over is in a lost region too',
      view([gone('d1'), standby('d2', true), standby('d3', false)]),
      ['us', 'eu'],
      { by: 'survivor', member: 'd3', others: ['d1', 'd2'] },
    ],
    ['nobody is left', view([gone('d1'), gone('d2'), gone('d3')]), ['us', 'eu'], { by: 'none' }],
    [
      'clients are served from a region that is given up: it is no way to go on',
      view(
        [
          gone('d2'),
          standby('d3', false),
          { ...standby('d1', false), postgres: { writable: true, timeline: 1, lsn: 2_000, limits: {} } },
        ],
        true,
      ),
      ['us', 'eu'],
      { by: 'survivor', member: 'd3', others: ['d2', 'd1'] },
    ],
  ])('%s', (_, seen, lost, way) => expect(wayOf(seen, lost)).toEqual(way));
});

describe('the way of the session store', () => {
  const places = { m1: 'us', m2: 'eu', m3: 'ap' };
  const gone = (member: string): CacheMember => ({ member, reachable: false, dark: true, said: 'no answer' });
  const primary: CacheMember = { member: 'm1', reachable: true, said: '', role: 'primary', offset: 1_000 };
  const standby = (member: string, offset = 1_000): CacheMember => ({
    member,
    reachable: true,
    said: '',
    role: 'standby',
    offset,
    link: { to: 'm1', up: false, copying: false },
  });
  const view = (...members: CacheMember[]): CacheView => ({ members, sentinels: [] });
  it.each([
    ['clients are served', view(primary, standby('m2'), standby('m3')), true, ['ap'], { by: 'serves' }],
    [
      'every standby answers',
      view(gone('m1'), standby('m2', 900), standby('m3')),
      false,
      ['us'],
      { by: 'successor', member: 'm3' },
    ],
    [
      'one standby is silent',
      view(gone('m1'), gone('m2'), standby('m3')),
      false,
      ['us', 'eu'],
      { by: 'survivor', member: 'm3', others: ['m1', 'm2'] },
    ],
    [
      'the primary has lost all its standbys',
      view(primary, gone('m2'), gone('m3')),
      false,
      ['eu', 'ap'],
      { by: 'survivor', member: 'm1', others: ['m2', 'm3'] },
    ],
    ['nobody is left', view(gone('m1'), gone('m2'), standby('m3')), false, ['us', 'ap'], { by: 'none' }],
  ])('%s', (_, seen, ok, lost, way) =>
    expect(cacheWay(seen, { ok, primary: 'm1' }, places, lost)).toEqual(way),
  );
});

it('half of the way home, in weights that Route 53 takes', () => {
  expect(halfway({ us: 0, eu: 0, ap: 67, west: 33 }, { us: 40, eu: 35, ap: 25, west: 0 })).toEqual({
    us: 20,
    eu: 18,
    ap: 46,
    west: 17,
  });
});

describe('a region that serves nobody until a disaster', () => {
  const config = environmentFile({ ...DEFAULTS, recovery: true });
  it('is half as large as one that serves, and has no share of the world', () => {
    const sizes = Object.values(config.regions).map(({ role, weight, zones }) => [
      role,
      weight,
      Object.values(zones).reduce((sum, { nodes }) => sum + Object.keys(nodes).length, 0),
    ]);
    expect(sizes).toEqual([
      ['active', 40, 6],
      ['active', 35, 6],
      ['active', 25, 6],
      ['standby', 0, 3],
      ['cold', 0, 3],
    ]);
  });
  it('owns no sessions unless it is called', () => {
    expect(candidatesOf(config)).toHaveLength(18);
    expect(candidatesOf(config, ['us-west-1/a/n1'])).toHaveLength(19);
  });
  it('is no capacity of the world', () => {
    expect(rulesOf(config, []).nodes).toMatchObject({ global: 18, 'region/us-west-1': 3 });
  });
});
