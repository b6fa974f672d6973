import {
  whyNotBringBackZone,
  whyNotForm,
  whyNotMoveSessions,
  whyNotRetire,
  whyNotPromote,
  whyNotTakeOut,
  whyNotTakeOutZone,
  type PoolMember,
} from '../../core/guards';

const serves = (server: string): PoolMember => ({ server, admin: 'ready', up: true });
const down = (server: string): PoolMember => ({ server, admin: 'ready', up: false });
const maint = (server: string): PoolMember => ({ server, admin: 'maint', up: true });
const drained = (server: string): PoolMember => ({ server, admin: 'drain', up: true });

describe('may a member be taken out of its pool?', () => {
  const table: [string, PoolMember[], number, string | null][] = [
    ['healthy pool: yes', [serves('n1'), serves('n2')], 0.5, null],
    ['the failed member itself does not count', [down('n1'), serves('n2')], 0.5, null],
    ['last healthy member: no', [serves('n1'), down('n2')], 0, 'last healthy member'],
    ['alone in its pool: no', [serves('n1')], 0, 'last healthy member'],
    ['members in maintenance do not serve', [serves('n1'), maint('n2')], 0, 'last healthy member'],
    ['drained members do not serve', [serves('n1'), drained('n2')], 0, 'last healthy member'],
    ['exactly the minimum share: yes', [serves('n1'), serves('n2'), serves('n3'), down('n4')], 0.5, null],
    [
      'below the minimum share: no',
      [serves('n1'), serves('n2'), down('n3'), down('n4')],
      0.5,
      'minimum healthy share',
    ],
    ['not a member: nothing to guard', [serves('n2')], 1, null],
  ];

  it.each(table)('%s', (_, members, minimumShare, guard) => {
    const refusal = whyNotTakeOut({ pool: 'us-east-1', server: 'n1', members, minimumShare });
    expect(refusal?.guard ?? null).toBe(guard);
  });

  it('says how many serve, of how many, and what the rule is', () => {
    const members = [serves('n1'), serves('n2'), down('n3'), down('n4')];
    const refusal = whyNotTakeOut({ pool: 'us-east-1', server: 'n1', members, minimumShare: 0.5 });
    expect(refusal?.sentence).toBe(
      'n1 must stay: without it 1 of 4 members of pool us-east-1 serve, below the minimum share of 50 %',
    );
  });
});

describe('may a member be taken out of its pool by plan?', () => {
  const four = ['n1', 'n2', 'n3', 'n4'].map(serves);
  const table: [string, PoolMember[], number | null, string | null][] = [
    ['the others serve and bear the peak: yes', four, 1_000, null],
    ['the peak is exactly what the others bear: yes', four, 1_500, null],
    ['one request a second more: no', four, 1_501, 'capacity headroom'],
    ['nobody knows the peak: no', four, null, 'capacity headroom'],
    ['no traffic was ever seen: yes', four, 0, null],
    [
      'it serves no more itself, and they are too few without it: no',
      [drained('n1'), serves('n2'), maint('n3')],
      501,
      'minimum healthy share',
    ],
    ['it is drained already, and they bear the peak: yes', [drained('n1'), serves('n2')], 500, null],
    ['it is drained already, and they do not: no', [drained('n1'), serves('n2')], 501, 'capacity headroom'],
    ['alone in its pool: no', [serves('n1')], 0, 'last healthy member'],
  ];
  const ask = (members: PoolMember[], peakPerS: number | null) =>
    whyNotRetire({
      pool: 'us-east-1',
      server: 'n1',
      members,
      minimumShare: 0.5,
      peakPerS,
      memberCapacity: 500,
    });

  it.each(table)('%s', (_, members, peak, guard) => expect(ask(members, peak)?.guard ?? null).toBe(guard));

  it.each([
    [1_501, 'but the measured peak of 1501 requests/s needs 4 at 500 each'],
    [null, 'and the peak they would have to bear is not known'],
  ])('says what is left and what it would have to bear: %s', (peak, sentence) =>
    expect(ask(four, peak)?.sentence).toBe(
      `n1 must stay: without it 3 of 4 members of pool us-east-1 serve, ${sentence}`,
    ),
  );
});

describe('may a region begin to serve?', () => {
  it.each<[number, number, string | null]>([
    [3, 3, null],
    [2, 4, null],
    [1, 3, 'minimum healthy share'],
    [0, 3, 'minimum healthy share'],
  ])('%d of %d nodes are healthy: %s', (healthy, of, guard) =>
    expect(whyNotForm({ region: 'us-east-1', healthy, of, minimumShare: 0.5 })?.guard ?? null).toBe(guard),
  );

  it('says how many are, and what the rule is', () =>
    expect(whyNotForm({ region: 'us-east-1', healthy: 1, of: 3, minimumShare: 0.5 })?.sentence).toBe(
      'us-east-1 must not serve yet: 1 of 3 nodes are healthy, below the minimum share of 50 %',
    ));
});

describe('may sessions be moved from one place to another?', () => {
  const N1 = 'us-east-1/a/n1';
  it.each([
    ['to a node that serves: yes', N1, 'us-east-1/b/n1', 1, 1, null],
    ['to a region whose nodes serve: yes', 'us-east-1', 'eu-central-1', 6, 6, null],
    ['to a place of the same name elsewhere: yes', 'us-east-1/a', 'us-east-10/a', 1, 1, null],
    ['to itself: no', N1, N1, 1, 1, 'another place'],
    ['to the region it is in: no', N1, 'us-east-1', 6, 6, 'another place'],
    ['to a node in it: no', 'us-east-1', N1, 1, 1, 'another place'],
    ['to where nobody serves: no', N1, 'us-east-1/b/n1', 0, 1, 'receivers serve'],
    ['to where just the minimum share serves: yes', 'us-east-1', 'eu-central-1', 3, 6, null],
    ['to where less than that serves: no', 'us-east-1', 'eu-central-1', 2, 6, 'minimum healthy share'],
  ])('%s', (_, from, to, receiving, of, guard) => {
    const refusal = whyNotMoveSessions({ from, to, serving: receiving, of, minimumShare: 0.5 });
    expect(refusal?.guard ?? null).toBe(guard);
  });
});

describe('may a zone be taken out of its pool?', () => {
  const [a1, a2] = [down('a-n1'), down('a-n2')];
  const six = [a1, a2, serves('b-n1'), serves('b-n2'), serves('c-n1'), serves('c-n2')];
  const table: [string, PoolMember[], number | null, string | null][] = [
    ['the others serve and bear the peak: yes', six, 1_600, null],
    ['the peak is exactly what the others bear: yes', six, 2_000, null],
    ['one request a second more: no', six, 2_001, 'capacity headroom'],
    ['nobody knows the peak: no', six, null, 'capacity headroom'],
    ['no traffic was ever seen: yes', six, 0, null],
    ['exactly the minimum share is left: yes', [a1, a2, serves('b-n1'), serves('c-n1')], 0, null],
    [
      'less than the minimum share: no',
      [a1, a2, serves('b-n1'), down('b-n2'), serves('c-n1'), down('c-n2')],
      0,
      'minimum healthy share',
    ],
    ['no other zone serves: no', [serves('a-n1'), a2, down('b-n1')], 0, 'last serving zone'],
    ['the only zone: no', [serves('a-n1'), a2], 0, 'last serving zone'],
    ['the other zones are out: no', [a1, a2, maint('b-n1'), drained('c-n1')], 0, 'last serving zone'],
    [
      'its own healthy nodes are not what is left',
      [serves('a-n1'), a2, down('b-n1')],
      0,
      'last serving zone',
    ],
  ];
  const ask = (members: PoolMember[], peakPerS: number | null) =>
    whyNotTakeOutZone({
      pool: 'us-east-1',
      zone: 'us-east-1/a',
      servers: ['a-n1', 'a-n2'],
      members,
      minimumShare: 0.5,
      peakPerS,
      memberCapacity: 500,
    });

  it.each(table)('%s', (_, members, peak, guard) => expect(ask(members, peak)?.guard ?? null).toBe(guard));

  it.each([
    [2_001, 'but the measured peak of 2001 requests/s needs 5 at 500 each'],
    [null, 'and the peak they would have to bear is not known'],
  ])('says what is left and what it would have to bear: %s', (peak, sentence) =>
    expect(ask(six, peak)?.sentence).toBe(
      `zone us-east-1/a must stay: without it 4 of 6 members of pool us-east-1 serve, ${sentence}`,
    ),
  );
});

describe('may a zone that was left get traffic again?', () => {
  const rule = { share: 0.3, atLeast: 2 };
  it.each<[number, number, string | null]>([
    [0, 4, null],
    [1, 4, null],
    [1, 2, null],
    [3, 10, null],
    [4, 10, 'zone still degraded'],
    [2, 4, 'zone still degraded'],
  ])('%d of %d nodes do not serve: %s', (failed, of, guard) =>
    expect(whyNotBringBackZone({ zone: 'us-east-1/a', failed, of, rule })?.guard ?? null).toBe(guard),
  );

  it('says how many do not', () =>
    expect(whyNotBringBackZone({ zone: 'us-east-1/a', failed: 2, of: 4, rule })?.sentence).toBe(
      'zone us-east-1/a must stay out: 2 of its 4 nodes do not serve, more than 30 %',
    ));
});

describe('may a standby be promoted?', () => {
  it.each<[string, Parameters<typeof whyNotPromote>[0], string | null]>([
    ['it lost its primary a moment ago: yes', { standby: 'r2', copying: false, silentS: 0 }, null],
    ['a while ago, and it says how long: yes', { standby: 'r2', copying: false, silentS: 90 }, null],
    ['none answers: no', { standby: undefined, copying: false, silentS: 0 }, 'standby answers'],
    [
      'it never had a primary: no',
      { standby: 'r2', copying: false, silentS: undefined },
      'standby lag known',
    ],
    [
      'it has a part of what the primary has: no',
      { standby: 'r2', copying: true, silentS: 1 },
      'standby whole',
    ],
  ])('%s', (_, question, guard) => expect(whyNotPromote(question)?.guard ?? null).toBe(guard));
});
