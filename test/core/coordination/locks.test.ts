import {
  claimScope,
  free,
  grantNext,
  lend,
  nothingOpen,
  outranks,
  precedenceOf,
  record,
  type Precedence,
} from '../../../core/coordination';
import { AT, claimOf } from './claims';

const node = 'node/us-east-1/a/n1';
const zone = 'zone/us-east-1/a';

it.each([
  ['failover', 'execute', 'manual', 'manual'],
  ['failover', 'execute', 'monitor', 'failover'],
  ['failover', 'execute', 'alert', 'failover'],
  ['failover', 'execute', 'unknown', 'planned'],
  ['failover', 'drill', 'manual', 'drill'],
  ['failover', 'execute', 'schedule', 'planned'],
  ['fleet', 'execute', 'manual', 'planned'],
  ['deploy', 'execute', 'manual', 'planned'],
  ['drill', 'execute', 'schedule', 'drill'],
] as const)('a %s in mode %s started by %s goes as %s', (kind, mode, trigger, expected) =>
  expect(precedenceOf(kind, mode, trigger)).toBe(expected),
);

it.each<[Precedence, string, Precedence, string, boolean]>([
  ['failover', zone, 'failover', node, true],
  ['failover', node, 'failover', zone, false],
  ['failover', zone, 'manual', node, true],
  ['manual', node, 'failover', zone, false],
  ['manual', node, 'failover', node, true],
  ['failover', node, 'manual', node, false],
  ['failover', node, 'failover', node, false],
  ['failover', node, 'drill', zone, true],
  ['failover', node, 'planned', zone, true],
  ['drill', zone, 'failover', node, false],
  ['planned', zone, 'failover', node, false],
  ['planned', node, 'drill', zone, true],
  ['drill', 'global', 'drill', zone, true],
  ['failover', 'database/main', 'planned', 'members/main', true],
  ['planned', 'members/main', 'planned', 'database/main', false],
])('%s on %s before %s on %s: %s', (one, scope, other, otherScope, expected) =>
  expect(outranks(claimOf('a', scope, one), claimOf('b', otherScope, other))).toBe(expected),
);

describe('a scope', () => {
  it('has one holder, who is granted again, as it was', () => {
    const now = nothingOpen();
    expect(claimScope(now, claimOf('r1', node))).toEqual({ outcome: 'granted' });
    expect(claimScope(now, claimOf('r2', node))).toMatchObject({
      outcome: 'refused',
      by: { run: 'r1', scope: node },
    });
    expect(claimScope(now, { ...claimOf('r1', node), since: 'later' })).toEqual({ outcome: 'granted' });
    expect(now.locks[node]?.since).toBe(AT);
  });

  it('excludes the scopes above and below, and no others', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', zone));
    expect(claimScope(now, claimOf('r2', node))).toMatchObject({ outcome: 'refused', by: { run: 'r1' } });
    expect(claimScope(now, claimOf('r3', 'node/us-east-1/b/n1'))).toEqual({ outcome: 'granted' });
    expect(claimScope(now, claimOf('r4', 'database/main'))).toEqual({ outcome: 'granted' });
    expect(claimScope(now, claimOf('r5', 'lb/us-east-1'))).toEqual({ outcome: 'granted' });
  });

  it('goes to the wider rescue once all those below have made room', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', node));
    claimScope(now, claimOf('r2', 'node/us-east-1/a/n2'));
    const contest = claimScope(now, claimOf('wide', zone));
    expect(contest).toMatchObject({ outcome: 'waits', for: [{ run: 'r1' }, { run: 'r2' }] });
    expect(now.locks[node]).toMatchObject({ run: 'r1', yieldsTo: 'wide' });
    expect(grantNext(now)).toEqual([]);
    free(now, 'r1');
    expect(grantNext(now)).toEqual([]);
    free(now, 'r2');
    expect(grantNext(now)).toMatchObject([{ run: 'wide', scope: zone }]);
    expect(now).toMatchObject({ locks: { [zone]: { run: 'wide' } }, waiting: [] });
  });

  it('that somebody waits for is refused to who would go after them', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('drill', node, 'drill'));
    claimScope(now, claimOf('wide', zone));
    expect(claimScope(now, claimOf('r3', 'node/us-east-1/a/n3'))).toMatchObject({
      outcome: 'refused',
      by: { run: 'wide' },
    });
  });

  it('goes to the widest of those who wait: the others have to make room as well', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', node));
    claimScope(now, claimOf('wide', zone));
    expect(claimScope(now, claimOf('widest', 'region/us-east-1'))).toMatchObject({
      outcome: 'waits',
      for: [{ run: 'r1' }, { run: 'wide' }],
    });
    free(now, 'r1');
    expect(grantNext(now)).toMatchObject([{ run: 'widest' }]); // who only waited has touched nothing
    expect(now.waiting).toMatchObject([{ run: 'wide', yieldsTo: 'widest' }]);
  });

  it('that a rescue waits for as well as a person goes to the wider one: both are asked to make room', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', node));
    claimScope(now, claimOf('person', node, 'manual'));
    claimScope(now, claimOf('wide', zone));
    expect(now.locks[node]).toMatchObject({ run: 'r1', yieldsTo: 'wide' });
    expect(now.waiting).toMatchObject([{ run: 'person', yieldsTo: 'wide' }, { run: 'wide' }]);
  });

  describe('of a deploy', () => {
    const region = 'region/us-east-1';
    const deploy = { ...claimOf('deploy', region, 'planned'), waits: true };

    it('is lent to a rescue within it, and goes back to it afterwards', () => {
      const now = nothingOpen();
      claimScope(now, deploy);
      expect(claimScope(now, claimOf('rescue', node))).toMatchObject({ outcome: 'waits', for: [deploy] });
      expect(now.locks[region]).toMatchObject({ run: 'deploy', yieldsTo: 'rescue' });
      lend(now, deploy);
      expect(grantNext(now)).toMatchObject([{ run: 'rescue' }]);
      expect(now.waiting).toEqual([{ ...deploy, lent: true }]);
      free(now, 'rescue');
      expect(grantNext(now)).toMatchObject([{ run: 'deploy' }]);
      expect(now.locks).toEqual({ [region]: expect.not.objectContaining({ lent: true }) });
    });

    it('that is lent goes to further rescues at once, and back only after all who wait for a part of it', () => {
      const now = nothingOpen();
      claimScope(now, claimOf('drill', 'node/us-east-1/b/n1', 'drill'));
      lend(now, deploy);
      expect(claimScope(now, claimOf('one', node))).toEqual({ outcome: 'granted' });
      expect(claimScope(now, claimOf('other', 'zone/us-east-1/b'))).toMatchObject({ outcome: 'waits' });
      free(now, 'one');
      free(now, 'drill');
      expect(grantNext(now)).toMatchObject([{ run: 'other' }]);
      free(now, 'other');
      expect(grantNext(now)).toMatchObject([{ run: 'deploy' }]);
    });

    it.each([
      ['wider planned work', claimOf('other', 'global', 'planned')],
      ['another deploy of it', { ...claimOf('other', region, 'planned'), waits: true }],
      ['a drill within it', claimOf('other', node, 'drill')],
    ])('is refused to %s, whether it is lent or not', (_, asked) => {
      const now = nothingOpen();
      claimScope(now, deploy);
      expect(claimScope(now, asked)).toMatchObject({ outcome: 'refused', by: { run: 'deploy' } });
      lend(now, deploy);
      expect(claimScope(now, asked)).toMatchObject({ outcome: 'refused', by: { run: 'deploy' } });
    });

    it('lent twice, because the answer was lost, is lent once', () => {
      const now = nothingOpen();
      claimScope(now, deploy);
      lend(now, deploy);
      lend(now, deploy);
      expect(now).toMatchObject({ locks: {}, waiting: [{ run: 'deploy', lent: true }] });
    });
  });

  it('of a run that is at work unrecorded is recorded, unless somebody else is there', () => {
    const now = nothingOpen();
    record(now, claimOf('r1', node));
    record(now, claimOf('r2', zone));
    expect(now.locks).toMatchObject({ [node]: { run: 'r1' } });
    expect(Object.keys(now.locks)).toEqual([node]);
  });

  it('of a run that was approved meanwhile goes as its approver’s', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', node, 'planned'));
    record(now, claimOf('r1', node, 'manual'));
    expect(now.locks[node]).toMatchObject({ precedence: 'manual', trigger: 'manual' });
  });

  it('has in hand what was told last, whatever arrives late that says nothing of it', () => {
    const now = nothingOpen();
    const run = claimOf('r1', zone, 'planned');
    claimScope(now, run);
    record(now, { ...run, inHand: [node] });
    record(now, run);
    expect(now.locks[zone]).toMatchObject({ inHand: [node] });
    record(now, { ...run, inHand: [] });
    expect(now.locks[zone]).not.toHaveProperty('inHand');
  });
});
