import { whyNotTakeOut, type PoolMember } from '../../core/guards';

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
