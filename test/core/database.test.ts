import { compareSuccessor, judgeDatabase, type DatabaseMember, type DatabaseView } from '../../core/database';

const well = { ok: true, said: 'a write took 3 ms' };
const failing = { ok: false, said: 'no answer within 800 ms' };

const primary = (more: Partial<DatabaseMember> = {}): DatabaseMember => ({
  member: 'd1',
  agent: { role: 'primary', state: 'running', synchronous: false },
  postgres: { writable: true, timeline: 1, lsn: 1_000, limits: {} },
  said: 'primary',
  ...more,
});
const standby = (
  member: string,
  { synchronous = false, lsn = 1_000, silentS = 0, from = 'd1' }: Partial<Standby> = {},
): DatabaseMember => ({
  member,
  agent: { role: 'standby', state: 'running', synchronous },
  postgres: { writable: false, timeline: 1, lsn, limits: {}, receiver: { from, silentS } },
  said: `standby of ${from}`,
});
interface Standby {
  synchronous: boolean;
  lsn: number;
  silentS: number;
  from: string;
}
const gone = (member: string): DatabaseMember => ({ member, said: 'connection refused' });

const view = (more: Partial<DatabaseView> = {}): DatabaseView => ({
  members: [primary(), standby('d2', { synchronous: true }), standby('d3')],
  leader: 'd1',
  clients: failing,
  synchronous: true,
  ...more,
});
const deaf = [standby('d2', { synchronous: true, silentS: 3 }), standby('d3', { silentS: 3 })];

describe('a primary has failed', () => {
  it.each<[string, DatabaseView, string]>([
    [
      'it is gone and no standby hears of it',
      view({ members: [gone('d1'), ...deaf] }),
      "d1 has failed: its clients' writes fail (no answer within 800 ms), no standby hears of it (connection refused)",
    ],
    [
      'it hangs: its lease lives on, nobody hears of it',
      view({ members: [{ member: 'd1', said: 'no answer' }, ...deaf] }),
      "d1 has failed: its clients' writes fail (no answer within 800 ms), no standby hears of it (no answer)",
    ],
    [
      'its lease is gone too, and those that followed it say who it was',
      view({ leader: null, members: [gone('d1'), ...deaf] }),
      "d1 has failed: its clients' writes fail (no answer within 800 ms), no standby hears of it (connection refused)",
    ],
    [
      'its agent is gone while its PostgreSQL takes writes, which its standbys replicate happily',
      view({
        members: [primary({ agent: undefined, said: 'agent gone' }), standby('d2', { synchronous: true })],
      }),
      "d1 has lost its agent while its PostgreSQL goes on taking writes, and its clients' writes fail (no answer within 800 ms) (agent gone)",
    ],
    [
      'its agent hangs with PostgreSQL, and the control plane does not answer',
      view({ leader: undefined, members: [gone('d1'), ...deaf] }),
      "d1 has failed: its clients' writes fail (no answer within 800 ms), no standby hears of it (connection refused)",
    ],
  ])('%s', (_, seen, said) => {
    expect(judgeDatabase(seen)).toEqual({ failed: true, said, primary: 'd1', candidate: 'd2' });
  });
});

describe('a primary has not failed', () => {
  it.each<[string, DatabaseView, string]>([
    ['all is well', view({ clients: well }), "d1 takes its clients' writes (a write took 3 ms)"],
    [
      'the control plane is cut off from it, and clients notice nothing',
      view({ clients: well, leader: undefined }),
      "d1 takes its clients' writes (a write took 3 ms)",
    ],
    [
      'we cannot reach it, but its standbys hear of it',
      view({ members: [gone('d1'), standby('d2', { synchronous: true }), standby('d3')] }),
      'd1 cannot be reached from here (connection refused), but d2 and d3 still hear of it: it is well for others',
    ],
    [
      'only the way of the clients to it is broken',
      view(),
      "d1 is well itself, but its clients' writes fail (no answer within 800 ms): the fault is on the way to it (primary)",
    ],
  ])('%s', (_, seen, said) => expect(judgeDatabase(seen)).toMatchObject({ failed: false, said }));
});

describe('a database that nobody writes to, and of which nobody can tell the primary', () => {
  it.each<[string, DatabaseView, string]>([
    [
      'all is down, and nobody has the lease',
      view({ leader: null, members: [gone('d1'), gone('d2'), gone('d3')] }),
      'nobody can tell which member is the primary (d1: connection refused; d2: connection refused; d3: connection refused)',
    ],
    [
      'two take writes and nobody has the lease: who is right is for a person to say',
      view({ leader: null, members: [primary(), { ...primary(), member: 'd2' }] }),
      'nobody can tell which member is the primary (d1: primary; d2: primary)',
    ],
  ])('%s: it has failed, and nobody takes over', (_, seen, said) => {
    const { failed, primary: who, candidate, said: told } = judgeDatabase(seen);
    expect({ failed, who, candidate, told }).toEqual({ failed: true, told: said });
  });
});

describe('a successor beside the primary', () => {
  const limited = (connections: number) => ({
    ...standby('d2').postgres!,
    limits: { max_connections: connections },
  });
  const compare = (own: Partial<DatabaseMember>, more: Partial<DatabaseMember> = {}) =>
    compareSuccessor(
      view({ members: [primary(more), { ...standby('d2', { lsn: 900 }), ...own }] }),
      'd1',
      'd2',
    );

  it.each<[string, ReturnType<typeof compare>, Partial<ReturnType<typeof compare>>]>([
    ['follows, with less than all', compare({}), { follows: true, lagBytes: 100, smaller: [] }],
    ['asked a moment later has more: that is no lag', compare({ postgres: limited(1) }), { lagBytes: 0 }],
    [
      'set up smaller',
      compare(
        { postgres: limited(50) },
        { postgres: { ...primary().postgres!, limits: { max_connections: 100 } } },
      ),
      { smaller: ['max_connections 50 of 100'] },
    ],
  ])('%s', (_, seen, expected) => expect(seen).toMatchObject(expected));

  it('that does not answer has no lag that anybody knows', () => {
    const silent = compareSuccessor(view({ members: [primary(), gone('d2')] }), 'd1', 'd2');
    expect(silent).toEqual({ follows: false, synchronous: false, smaller: [] });
  });
});

describe('who takes over', () => {
  const candidate = (members: DatabaseMember[], synchronous: boolean) =>
    judgeDatabase(view({ members: [gone('d1'), ...members], synchronous })).candidate;

  it.each<[string, DatabaseMember[], boolean, string | undefined]>([
    [
      'in synchronous mode the synchronous standby, also where another has more',
      [standby('d2', { lsn: 2_000 }), standby('d3', { synchronous: true })],
      true,
      'd3',
    ],
    [
      'nobody where the synchronous one is gone: another may lack acknowledged writes',
      [standby('d2'), gone('d3')],
      true,
      undefined,
    ],
    ['else the one that has most', [standby('d2', { lsn: 900 }), standby('d3', { lsn: 1_000 })], false, 'd3'],
    [
      'nobody whose agent is gone: it could not take the lease',
      [{ ...standby('d2'), agent: undefined }],
      false,
      undefined,
    ],
    ['nobody where none answers', [gone('d2'), gone('d3')], false, undefined],
  ])('%s', (_, members, synchronous, expected) => expect(candidate(members, synchronous)).toBe(expected));
});
