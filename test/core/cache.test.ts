import {
  judgeCache,
  mostAhead,
  type CacheMember,
  type CacheView,
  type ClientsView,
  type SentinelView,
} from '../../core/cache';

const well = { ok: true, said: 'a write took 3 ms' };
const failing = { ok: false, said: 'no answer within 800 ms' };

const primary = (member = 'm1'): CacheMember => ({
  member,
  reachable: true,
  said: 'primary, 2 standbys',
  role: 'primary',
  offset: 1_000,
});
const standby = (
  member: string,
  { to = 'm1', up = true, silentS = 0, copying = false, offset = 1_000 } = {},
): CacheMember => ({
  member,
  reachable: true,
  said: `standby of ${to}`,
  role: 'standby',
  offset,
  link: { to, up, copying, silentS },
});
const gone = (member: string): CacheMember => ({ member, reachable: false, said: 'connection refused' });
const sentinel = (name: string, more: Partial<SentinelView> = {}): SentinelView => ({
  sentinel: name,
  said: 'watches m1',
  primary: 'm1',
  down: false,
  failingOver: false,
  held: false,
  standbys: 2,
  ...more,
});

const view = (more: Partial<CacheView> = {}): CacheView => ({
  members: [primary(), standby('m2'), standby('m3')],
  sentinels: ['s1', 's2', 's3'].map((name) => sentinel(name)),
  ...more,
});
const deaf = [standby('m2', { up: false, offset: 900 }), standby('m3', { up: false, offset: 950 })];

describe('a primary has failed', () => {
  it.each<[string, CacheView, string]>([
    [
      'it is gone and no standby has a link to it',
      view({ members: [gone('m1'), ...deaf] }),
      "m1 has failed: its clients' writes fail (no answer within 800 ms), no standby hears of it (connection refused), 0 of 3 Sentinels hold it for down",
    ],
    [
      'it hangs: links are up, and nothing comes through them',
      view({
        members: [gone('m1'), standby('m2', { silentS: 2 }), standby('m3', { silentS: 3 })],
        sentinels: ['s1', 's2'].map((name) => sentinel(name, { down: true })),
      }),
      "m1 has failed: its clients' writes fail (no answer within 800 ms), no standby hears of it (connection refused), 2 of 2 Sentinels hold it for down",
    ],
    [
      'it was started again, as a standby of nobody',
      view({ members: [{ ...standby('m1', { up: false }), link: { up: false, copying: false } }, ...deaf] }),
      "m1 has failed: its clients' writes fail (no answer within 800 ms), no standby hears of it (standby of m1), 0 of 3 Sentinels hold it for down",
    ],
  ])('where %s', (_, seen, said) => {
    expect(judgeCache(seen, failing)).toMatchObject({ failed: true, said, primary: 'm1' });
  });

  it('who has most can take over', () => {
    expect(judgeCache(view({ members: [gone('m1'), ...deaf] }), failing).candidate).toBe('m3');
  });
});

describe('a primary has not failed', () => {
  it.each<[string, CacheView, string, ClientsView?]>([
    ['it takes writes', view(), "m1 takes its clients' writes (a write took 3 ms)", well],
    [
      'it answers, and its clients do not get there',
      view(),
      "m1 is well itself, but its clients' writes fail (no answer within 800 ms): the fault is on the way to it, or its standbys are away (m1: primary, 2 standbys; m2: standby of m1; m3: standby of m1)",
    ],
    [
      'a standby hears of it',
      view({ members: [gone('m1'), standby('m2', { silentS: 1 }), standby('m3', { silentS: 5 })] }),
      'm1 cannot be reached from here (connection refused), but m2 still hears of it: it is well for others',
    ],
    [
      'nobody knows which it is',
      view({ members: [gone('m1'), gone('m2')], sentinels: [] }),
      'nobody can tell which member is the primary (m1: connection refused; m2: connection refused)',
    ],
  ])('where %s', (_, seen, said, clients = failing) => {
    expect(judgeCache(seen, clients)).toMatchObject({ failed: false, said });
  });
});

describe('who is the primary', () => {
  it.each<[string, Partial<CacheView>, string | undefined]>([
    ['who says so', {}, 'm1'],
    [
      'of two who say so, who is followed',
      { members: [primary(), primary('m2'), standby('m3', { to: 'm2' })] },
      'm2',
    ],
    ['of two whom nobody follows, whom the Sentinels watch', { members: [primary(), primary('m2')] }, 'm1'],
    ['who is followed, where nobody says so', { members: [gone('m1'), ...deaf] }, 'm1'],
    ['whom the Sentinels watch, where nobody answers', { members: [gone('m1'), gone('m2')] }, 'm1'],
  ])('%s', (_, seen, expected) => expect(judgeCache(view(seen), failing).primary).toBe(expected));
});

it('under a primary at work, who does not follow it is absent', () => {
  const members = [
    primary(),
    standby('m2', { copying: true }),
    gone('m3'),
    standby('m4', { to: 'm2' }),
    standby('m5'),
  ];
  expect(judgeCache(view({ members }), well).absent).toEqual(['m2', 'm3', 'm4']);
});

it('who is being copied has only a part, and is not ahead', () => {
  const members = [gone('m1'), standby('m2', { copying: true, offset: 2_000 }), standby('m3')];
  expect(mostAhead(members, 'm1')?.member).toBe('m3');
});
