import type { DatabaseMember, DatabaseView } from '../../core/database';
import { lastPrimary, membersApart, membersToBring, type Remains } from '../../core/partition';

const primary: DatabaseMember = {
  member: 'd1',
  agent: { role: 'primary', state: 'running', synchronous: false },
  postgres: { writable: true, timeline: 2, lsn: 1_000, limits: {} },
  said: 'primary',
};
const standby = (member: string, more: Partial<DatabaseMember> = {}): DatabaseMember => ({
  member,
  agent: { role: 'standby', state: 'running', synchronous: false },
  postgres: { writable: false, timeline: 2, lsn: 1_000, limits: {}, receiver: { from: 'd1', silentS: 0 } },
  said: 'standby',
  ...more,
});
const down = (member: string, refuses = true): DatabaseMember => ({ member, refuses, said: 'down' });
const view = (...members: DatabaseMember[]): DatabaseView => ({
  members,
  leader: 'd1',
  clients: { ok: true, said: 'a write took 3 ms' },
  synchronous: true,
});

describe('who is not with the primary', () => {
  const astray = standby('d2', { postgres: { writable: false, timeline: 2, lsn: 1, limits: {} } });
  const making: DatabaseMember = {
    member: 'd2',
    agent: { role: 'standby', state: 'creating replica', synchronous: false },
    refuses: true,
    said: 'creating replica',
  };
  const second: DatabaseMember = { member: 'd2', postgres: primary.postgres!, said: 'takes writes' };

  it.each<[string, DatabaseMember, string | undefined, boolean]>([
    ['follows', standby('d2'), undefined, false],
    ['does not run', down('d2'), 'stopped', true],
    ['takes writes beside it', second, 'writes', true],
    ['runs without following it', astray, 'lags', true],
    ['is made from it right now, which must not be interrupted', making, 'joins', false],
    ['is silent: nobody can bring it back before it is reached', down('d2', false), 'silent', false],
  ])('one that %s', (_, member, standing, toBring) => {
    const seen = view(primary, member);
    expect(membersApart(seen, 'd1').map((one) => one.standing)).toEqual(standing ? [standing] : []);
    expect(membersToBring(seen)).toHaveLength(toBring ? 1 : 0);
  });

  it('nobody is brought back while nobody has the lease', () => {
    expect(membersToBring({ ...view(primary, down('d2')), leader: null })).toEqual([]);
  });

  it('who is away is brought back while clients wait for it', () => {
    const waiting = { ...view(primary, down('d2')), clients: { ok: false, said: 'no answer' } };
    expect(membersToBring(waiting)).toHaveLength(1);
  });
});

describe('who was the primary last', () => {
  const was = (timeline: number, wasPrimary: boolean): Remains => ({
    processes: 0,
    data: { state: wasPrimary ? 'in production' : 'in archive recovery', wasPrimary, timeline },
  });
  const dark = view(down('d1'), down('d2'), down('d3'));

  it.each<[string, Record<string, Remains | undefined>, DatabaseView, string | undefined]>([
    ["whose data were a primary's", { d1: was(2, true), d2: was(2, false), d3: was(2, false) }, dark, 'd1'],
    [
      'of two primaries the one of the later timeline',
      { d1: was(2, true), d2: was(3, true), d3: was(3, false) },
      dark,
      'd2',
    ],
    [
      'nobody where two claim the same timeline',
      { d1: was(2, true), d2: was(2, true), d3: was(2, false) },
      dark,
      undefined,
    ],
    [
      'nobody where a standby followed a later one than any that is known',
      { d1: was(2, true), d2: was(3, false), d3: was(2, false) },
      dark,
      undefined,
    ],
    [
      "nobody where a member's machine cannot tell",
      { d1: was(2, true), d2: was(2, false), d3: undefined },
      dark,
      undefined,
    ],
    [
      'nobody where a member has no data any more',
      { d1: was(2, true), d2: was(2, false), d3: { processes: 0 } },
      dark,
      undefined,
    ],
    [
      'a member that answers says its timeline itself',
      { d1: was(2, true), d2: was(2, false) },
      view(down('d1'), down('d2'), standby('d3')),
      'd1',
    ],
  ])('%s', (_, remains, seen, expected) => expect(lastPrimary(remains, seen)).toBe(expected));
});
