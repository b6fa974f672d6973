import { GUARDS, whyNot, type PoolMember, type Questions } from '../../core/guards';

const serves = (server: string): PoolMember => ({ server, admin: 'ready', up: true });
const down = (server: string): PoolMember => ({ server, admin: 'ready', up: false });
const maint = (server: string): PoolMember => ({ server, admin: 'maint', up: true });
const drained = (server: string): PoolMember => ({ server, admin: 'drain', up: true });

/** What is asked, and the guard that refuses it; null where it is allowed. */
type Case<Question> = [what: string, question: Question, refusedBy: string | null];

const N1 = 'us-east-1/a/n1';
const pool = { pool: 'us-east-1', minimumShare: 0.5, memberCapacity: 500 };
const [a1, a2] = [down('a-n1'), down('a-n2')];
const four = ['n1', 'n2', 'n3', 'n4'].map(serves);
const six = [a1, a2, serves('b-n1'), serves('b-n2'), serves('c-n1'), serves('c-n2')];

const member = (members: PoolMember[], minimumShare = 0.5) => ({
  ...pool,
  server: 'n1',
  members,
  minimumShare,
});
const retired = (members: PoolMember[], peakPerS: number | null) => ({ ...member(members), peakPerS });
const zone = (members: PoolMember[], peakPerS: number | null) => ({
  ...pool,
  zone: 'us-east-1/a',
  servers: ['a-n1', 'a-n2'],
  members,
  peakPerS,
});
const batch = (members: PoolMember[], peakPerS: number | null, minimumShare = 0.5) => ({
  ...pool,
  minimumShare,
  servers: ['n1', 'n2'],
  members,
  peakPerS,
});
const led = (
  servers: string[],
  share: number,
  peakPerS: number | null = 1_000,
  members: PoolMember[] = four,
): Questions['lead to release'] => ({
  pool: 'us-east-1',
  servers,
  share,
  peakPerS,
  memberCapacity: 500,
  members,
});
const zoneWith = (failed: number, of: number) => ({
  zone: 'us-east-1/a',
  failed,
  of,
  rule: { share: 0.3, atLeast: 2 },
});
const region = (healthy: number, of: number) => ({ region: 'us-east-1', healthy, of, minimumShare: 0.5 });
const move = (from: string, to: string, receiving: number, of: number) => ({
  from,
  to,
  serving: receiving,
  of,
  minimumShare: 0.5,
});
const standby = (
  copying: boolean,
  silentS: number | undefined,
  name: string | undefined = 'r2',
): Questions['promote standby'] => ({ standby: name, copying, silentS });

const left = (more: Partial<Questions['leave region']>): Questions['leave region'] => ({
  region: 'us',
  doubt: undefined,
  receivers: ['eu', 'ap'],
  strained: [],
  planned: false,
  ...more,
});

const takeOver = (more: Partial<Questions['take over database']>): Questions['take over database'] => ({
  primary: 'd1',
  candidate: 'd2',
  synchronous: true,
  writable: [],
  control: true,
  ...more,
});

const switchTo = (more: Partial<Questions['switch database']>): Questions['switch database'] => ({
  primary: 'd1',
  candidate: 'd2',
  well: true,
  follows: true,
  synchronous: { cluster: true, candidate: true },
  lagBytes: 1_048_576,
  smaller: [],
  ...more,
});

const takeOverCache = (more: Partial<Questions['take over cache']>): Questions['take over cache'] => ({
  primary: 'm1',
  candidate: 'm2',
  writable: [],
  silent: [],
  ...more,
});
const handOver = (more: Partial<Questions['hand over cache']>): Questions['hand over cache'] => ({
  primary: 'm1',
  to: 'm2',
  follows: true,
  absent: [],
  ...more,
});

const shift = (weights: Record<string, number>, well: string[]): Questions['shift traffic'] => ({
  name: 'fleet.mcp.test.',
  weights,
  serving: well,
});

const activate = (more: Partial<Questions['activate site']>): Questions['activate site'] => ({
  level: 3,
  lost: ['us', 'eu'],
  well: ['ap'],
  unknown: [],
  of: 3,
  site: { site: 'west', reachable: true, said: '2 of 2 nodes run' },
  named: undefined,
  ...more,
});
const recover = (
  level: 1 | 2 | 3,
  by: Questions['recover store']['by'],
  stopped: string[] = [],
): Questions['recover store'] => {
  const lead = by === 'none' ? undefined : 'd3';
  return { level, store: 'database', by, member: lead, stopped };
};
const giveUp = (lost: string[], answers: boolean): Questions['give up member'] => ({
  member: 'd1',
  region: 'us',
  lost,
  answers,
});

const rest = (more: Partial<Questions['rest site']>): Questions['rest site'] => ({
  site: 'west',
  weight: 0,
  buckets: 0,
  leads: undefined,
  ...more,
});

const CASES: { [Act in keyof Questions]: Case<Questions[Act]>[] } = {
  'take out': [
    ['a failed member of a healthy pool', member([serves('n1'), serves('n2')]), null],
    ['the failed member itself does not count', member([down('n1'), serves('n2')]), null],
    ['the last healthy member', member([serves('n1'), down('n2')], 0), 'last healthy member'],
    ['alone in its pool', member([serves('n1')], 0), 'last healthy member'],
    ['members in maintenance do not serve', member([serves('n1'), maint('n2')], 0), 'last healthy member'],
    ['drained members do not serve', member([serves('n1'), drained('n2')], 0), 'last healthy member'],
    [
      'exactly the minimum share is left',
      member([serves('n1'), serves('n2'), serves('n3'), down('n4')]),
      null,
    ],
    [
      'less than the minimum share is left',
      member([serves('n1'), serves('n2'), down('n3'), down('n4')]),
      'minimum healthy share',
    ],
    ['not a member: nothing to guard', member([serves('n2')], 1), null],
  ],
  retire: [
    ['the others serve and bear the peak', retired(four, 1_000), null],
    ['the peak is exactly what the others bear', retired(four, 1_500), null],
    ['one request a second more', retired(four, 1_501), 'capacity headroom'],
    ['nobody knows the peak', retired(four, null), 'capacity headroom'],
    ['no traffic was ever seen', retired(four, 0), null],
    [
      'it serves no more itself, and they are too few without it',
      retired([drained('n1'), serves('n2'), maint('n3')], 501),
      'minimum healthy share',
    ],
    ['drained already, and they bear the peak', retired([drained('n1'), serves('n2')], 500), null],
    ['drained already, and they do not', retired([drained('n1'), serves('n2')], 501), 'capacity headroom'],
    ['alone in its pool', retired([serves('n1')], 0), 'last healthy member'],
  ],
  'take out batch': [
    ['the others serve and bear the peak', batch(four, 1_000), null],
    ['one request a second more than they bear', batch(four, 1_001), 'capacity headroom'],
    ['nobody knows the peak', batch(four, null), 'capacity headroom'],
    ['less than the minimum share is left', batch(four.slice(0, 3), 0), 'minimum healthy share'],
    ['another has failed meanwhile', batch([...four.slice(0, 3), down('n4')], 0), 'minimum healthy share'],
    ['all that are healthy', batch([serves('n1'), serves('n2'), down('n3')], 0, 0), 'last healthy member'],
    ['drained already, and the others bear the peak', batch([drained('n1'), ...four.slice(1)], 1_000), null],
  ],
  'lead to release': [
    ['they bear all of the peak', led(['n1', 'n2'], 100), null],
    ['they bear their share of it', led(['n1', 'n2'], 10, 10_000), null],
    ['one request a second more', led(['n1', 'n2'], 100, 1_001), 'capacity headroom'],
    ['nobody knows the peak', led(['n1', 'n2'], 10, null), 'capacity headroom'],
    ['one of them is out', led(['n1', 'n2'], 10, 0, [maint('n1'), serves('n2')]), 'receivers serve'],
    ['one of them is down', led(['n1', 'n2'], 10, 0, [down('n1'), serves('n2')]), 'receivers serve'],
    ['there are none', led([], 10, 0), 'receivers serve'],
  ],
  'take out zone': [
    ['the others serve and bear the peak', zone(six, 1_600), null],
    ['the peak is exactly what the others bear', zone(six, 2_000), null],
    ['one request a second more', zone(six, 2_001), 'capacity headroom'],
    ['nobody knows the peak', zone(six, null), 'capacity headroom'],
    ['no traffic was ever seen', zone(six, 0), null],
    ['exactly the minimum share is left', zone([a1, a2, serves('b-n1'), serves('c-n1')], 0), null],
    [
      'less than the minimum share is left',
      zone([a1, a2, serves('b-n1'), down('b-n2'), serves('c-n1'), down('c-n2')], 0),
      'minimum healthy share',
    ],
    ['no other zone serves', zone([serves('a-n1'), a2, down('b-n1')], 0), 'last serving zone'],
    ['the only zone', zone([serves('a-n1'), a2], 0), 'last serving zone'],
    ['the other zones are out', zone([a1, a2, maint('b-n1'), drained('c-n1')], 0), 'last serving zone'],
  ],
  'bring back zone': [
    ['all of its nodes serve', zoneWith(0, 4), null],
    ['one of four does not', zoneWith(1, 4), null],
    ['one of two, which alone is no zone', zoneWith(1, 2), null],
    ['exactly the share that may be missing', zoneWith(3, 10), null],
    ['one more', zoneWith(4, 10), 'zone still degraded'],
    ['two of four', zoneWith(2, 4), 'zone still degraded'],
  ],
  'leave region': [
    ['both vantage points see it failed', left({}), null],
    ['one of them sees it well', left({ doubt: 'eu sees it well' }), 'two vantage points'],
    ['nobody could take its traffic', left({ receivers: [] }), 'last serving region'],
    ['the others are strained, and it is dead', left({ strained: ['eu'] }), null],
    [
      'the others are strained, and it is well',
      left({ strained: ['eu'], planned: true }),
      'capacity headroom',
    ],
  ],
  'lead back': [
    ['it is seen well', { region: 'us', why: undefined }, null],
    ['it is not', { region: 'us', why: 'its load balancer does not answer' }, 'seen well from outside'],
  ],
  'form region': [
    ['all of its nodes are healthy', region(3, 3), null],
    ['exactly the minimum share is', region(2, 4), null],
    ['less than that', region(1, 3), 'minimum healthy share'],
    ['none', region(0, 3), 'minimum healthy share'],
  ],
  'move sessions': [
    ['to a node that serves', move(N1, 'us-east-1/b/n1', 1, 1), null],
    ['to a region whose nodes serve', move('us-east-1', 'eu-central-1', 6, 6), null],
    ['to a place of the same name elsewhere', move('us-east-1/a', 'us-east-10/a', 1, 1), null],
    ['to itself', move(N1, N1, 1, 1), 'another place'],
    ['to the region it is in', move(N1, 'us-east-1', 6, 6), 'another place'],
    ['to a node in it', move('us-east-1', N1, 1, 1), 'another place'],
    ['to where nobody serves', move(N1, 'us-east-1/b/n1', 0, 1), 'receivers serve'],
    ['to where just the minimum share serves', move('us-east-1', 'eu-central-1', 3, 6), null],
    ['to where less than that serves', move('us-east-1', 'eu-central-1', 2, 6), 'minimum healthy share'],
  ],
  'promote standby': [
    ['it lost its primary a moment ago', standby(false, 0), null],
    ['a while ago, and it says how long', standby(false, 90), null],
    ['none answers', { standby: undefined, copying: false, silentS: 0 }, 'standby answers'],
    ['it never had a primary', { ...standby(false, 0), silentS: undefined }, 'standby lag known'],
    ['it has a part of what the primary has', standby(true, 1), 'standby whole'],
  ],
  'switch database': [
    ['the synchronous standby follows closely', switchTo({}), null],
    [
      'a standby of an asynchronous cluster follows closely',
      switchTo({ synchronous: { cluster: false, candidate: false } }),
      null,
    ],
    ['the primary takes no writes', switchTo({ well: false }), 'primary is well'],
    ['nobody follows', switchTo({ candidate: undefined }), 'candidate has every write'],
    ['it follows another', switchTo({ follows: false }), 'candidate has every write'],
    [
      'another is the synchronous one',
      switchTo({ synchronous: { cluster: true, candidate: false } }),
      'candidate has every write',
    ],
    ['it does not say what it has', switchTo({ lagBytes: undefined }), 'candidate has every write'],
    ['it is far behind', switchTo({ lagBytes: 1_048_577 }), 'candidate has every write'],
    ['it is set up smaller', switchTo({ smaller: ['max_connections 50 of 100'] }), 'settings parity'],
  ],
  'shift traffic': [
    ['to a region that serves', shift({ 'us-east-1': 0, 'eu-central-1': 70 }, ['eu-central-1']), null],
    ['one of those chosen serves', shift({ 'us-east-1': 40, 'eu-central-1': 35 }, ['eu-central-1']), null],
    [
      'only a region of weight 0 serves',
      shift({ 'us-east-1': 40, 'eu-central-1': 0 }, ['eu-central-1']),
      'some region serves',
    ],
    ['no region serves', shift({ 'us-east-1': 40, 'eu-central-1': 35 }, []), 'some region serves'],
    ['no region is chosen', shift({ 'us-east-1': 0 }, ['us-east-1']), 'some region serves'],
  ],
  'activate site': [
    ['two of three regions are lost', activate({}), null],
    ['all regions are lost', activate({ lost: ['us', 'eu', 'ap'], well: [] }), null],
    [
      'nobody can tell of one: a person is asked',
      activate({ lost: ['us'], unknown: ['eu is seen from 1'] }),
      null,
    ],
    [
      'nobody can tell of any, at level 3: people are asked',
      activate({ lost: [], well: [], unknown: ['us is seen from 1'] }),
      null,
    ],
    [
      'one vantage point alone, at level 2',
      activate({ level: 2, lost: [], well: [], unknown: ['us is seen from 1'] }),
      'two vantage points',
    ],
    ['no region is lost', activate({ lost: [], well: ['us', 'eu', 'ap'] }), 'two vantage points'],
    ['most regions are well', activate({ lost: ['us'], well: ['eu', 'ap'] }), 'majority seen well'],
    ['half of the regions are well', activate({ lost: ['us'], well: ['eu'], of: 2 }), null],
    ['the only region is lost, at level 1', activate({ level: 1, lost: ['us'], well: [], of: 1 }), null],
    ['two are lost at level 2', activate({ level: 2 }), 'level covers the loss'],
    ['there is no site', activate({ site: undefined }), 'site is there'],
    ['the region that was named is no site', activate({ site: undefined, named: 'eu' }), 'site is there'],
    [
      'the site cannot be reached',
      activate({ site: { site: 'west', reachable: false, said: 'no answer' } }),
      'site is there',
    ],
  ],
  'recover store': [
    ['it serves, at level 1', recover(1, 'serves'), null],
    ['a failover, at level 1', recover(1, 'successor'), 'level allows it'],
    ['a failover, at level 2', recover(2, 'successor'), null],
    ['one that may lack writes, at level 2', recover(2, 'survivor'), 'level allows it'],
    ['one that may lack writes, at level 3', recover(3, 'survivor'), null],
    ['a backup, at level 2', recover(2, 'backup'), 'level allows it'],
    ['a backup, at level 3', recover(3, 'backup'), null],
    ['nobody is left', recover(3, 'none'), 'a member is left'],
    ['one that is left has data, and does not run', recover(3, 'none', ['d3']), 'no member is stopped'],
  ],
  'give up member': [
    ['its region is lost', giveUp(['us', 'eu'], true), null],
    ['nobody hears of it', giveUp(['eu'], false), null],
    ['it answers from a region that is left', giveUp(['eu'], true), 'region is lost'],
  ],
  'lead with survivor': [
    ['nobody else takes writes', { member: 'd3', writable: [], control: true }, null],
    ['another takes writes', { member: 'd3', writable: ['d1'], control: true }, 'no second primary'],
    ['nobody can reach the lease', { member: 'd3', writable: [], control: false }, 'control plane answers'],
  ],
  'deactivate site': [
    ['all regions are whole', { site: 'west', role: 'standby', notWhole: [] }, null],
    ['one is not', { site: 'west', role: 'standby', notWhole: ['us is seen lost'] }, 'home regions whole'],
    ['a region that is no site', { site: 'eu', role: undefined, notWhole: [] }, 'site is there'],
  ],
  'rest site': [
    ['nobody is led there, nor has a session there', rest({}), null],
    ['clients are led there', rest({ weight: 1 }), 'nobody needs it'],
    ['sessions are there', rest({ buckets: 1 }), 'nobody needs it'],
    ['the primary of the database is there', rest({ leads: 'd5' }), 'nobody needs it'],
  ],
  'take over database': [
    ['a standby has every write', takeOver({}), null],
    ['another takes writes already', takeOver({ writable: ['d3'] }), 'no second primary'],
    ['nobody can reach the lease', takeOver({ control: false }), 'control plane answers'],
    ['who answers may lack writes', takeOver({ candidate: undefined }), 'candidate has every write'],
  ],
  'start primary': [
    ['nobody takes writes', { primary: 'd1', writable: [] }, null],
    ['another takes writes already', { primary: 'd1', writable: ['d3'] }, 'no second primary'],
  ],
  'pause member': [
    ['it is beside the primary', { member: 'd2', primary: 'd1', atWork: true }, null],
    ['it is the primary', { member: 'd1', primary: 'd1', atWork: true }, 'majority goes on'],
    ['nobody is the primary', { member: 'd2', primary: 'd1', atWork: false }, 'majority goes on'],
  ],
  'take over cache': [
    ['every standby answers, and one has most', takeOverCache({}), null],
    ['another takes writes already', takeOverCache({ writable: ['m3'] }), 'no second primary'],
    ['no standby answers', takeOverCache({ candidate: undefined }), 'standby answers'],
    ['who is silent may alone have a write', takeOverCache({ silent: ['m3'] }), 'candidate has every write'],
  ],
  'promote past Sentinel': [
    ['all Sentinels are held back', { candidate: 'm2', watching: [] }, null],
    ['one may act meanwhile', { candidate: 'm2', watching: ['s3'] }, 'Sentinels held back'],
  ],
  'put copy in place': [
    ['it is of an instant', { copy: '20300101-073628F', to: '2030-01-01T08:00:00Z', control: true }, null],
    ['there is none', { copy: undefined, to: undefined, control: true }, 'copy of an instant'],
    ['it is of no instant', { copy: '20300101-073628F', to: null, control: true }, 'copy of an instant'],
    [
      'nobody could become the primary',
      { copy: '20300101-073628F', to: '2030-01-01T08:00:00Z', control: false },
      'control plane answers',
    ],
  ],
  'hand over cache': [
    ['to a standby of a store that is whole', handOver({}), null],
    ['nobody takes writes', handOver({ primary: undefined }), 'primary at work'],
    ['to one that does not follow', handOver({ follows: false }), 'receiver follows'],
    ['another one is away', handOver({ absent: ['m3'] }), 'store is whole'],
  ],
};

const acts = Object.keys(GUARDS) as (keyof Questions)[];

describe.each(acts)('may I %s?', (act) => {
  const cases = CASES[act] as Case<never>[];

  it.each(cases)('%s', (_, question, refusedBy) =>
    expect(whyNot(act, question)?.guard ?? null).toBe(refusedBy),
  );

  it('is seen allowed, and refused by each of its guards', () => {
    const seen = new Set(cases.map(([, , refusedBy]) => refusedBy));
    expect(seen).toEqual(new Set([null, ...GUARDS[act].map(({ name }) => name)]));
  });
});

describe('a refusal says what would be left, of how much, and what the rule is', () => {
  it.each([
    [
      whyNot('take out', member([serves('n1'), serves('n2'), down('n3'), down('n4')])),
      'n1 must stay: without it 1 of 4 members of pool us-east-1 serve, below the minimum share of 50 %',
    ],
    [
      whyNot('retire', retired(four, 1_501)),
      'n1 must stay: without it 3 of 4 members of pool us-east-1 serve, but the measured peak of 1501 requests/s needs 4 at 500 each',
    ],
    [
      whyNot('retire', retired(four, null)),
      'n1 must stay: without it 3 of 4 members of pool us-east-1 serve, and the peak they would have to bear is not known',
    ],
    [
      whyNot('take out zone', zone(six, 2_001)),
      'zone us-east-1/a must stay: without it 4 of 6 members of pool us-east-1 serve, but the measured peak of 2001 requests/s needs 5 at 500 each',
    ],
    [
      whyNot('bring back zone', zoneWith(2, 4)),
      'zone us-east-1/a must stay out: 2 of its 4 nodes do not serve, more than 30 %',
    ],
    [
      whyNot('form region', region(1, 3)),
      'us-east-1 must not serve yet: 1 of 3 nodes are healthy, below the minimum share of 50 %',
    ],
  ])('%#', (refusal, sentence) => expect(refusal?.sentence).toBe(sentence));
});
