import { whyNotMoveSessions, whyNotTakeOut, type PoolMember } from '../../core/guards';

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
