import {
  HEALTHY,
  isDegraded,
  next,
  type HealthEvent,
  type NodeHealth,
  type NodeState,
} from '../../core/health';

const at = '2026-11-21T12:00:00.000Z';
const ok: HealthEvent = { kind: 'ok', at };
const fail: HealthEvent = { kind: 'fail', at, cause: 'connection refused' };
const held: HealthEvent = { kind: 'held' };
const released: HealthEvent = { kind: 'released' };

/** The states a node goes through, from `healthy`, under these events. */
function path(...events: HealthEvent[]): NodeState[] {
  let now: NodeHealth = HEALTHY;
  return events.map((event) => (now = next(now, event)).state);
}

describe('node health (REQUIREMENTS H2, H3)', () => {
  const table: [string, HealthEvent[], NodeState[]][] = [
    ['stays healthy', [ok, ok], ['healthy', 'healthy']],
    ['one failure is a suspicion', [fail], ['suspicious']],
    ['a success clears a suspicion', [fail, fail, ok], ['suspicious', 'suspicious', 'healthy']],
    ['three failures in a row are down', [fail, fail, fail], ['suspicious', 'suspicious', 'down']],
    [
      'failures do not add up over a success',
      [fail, fail, ok, fail, fail],
      ['suspicious', 'suspicious', 'healthy', 'suspicious', 'suspicious'],
    ],
    [
      'down needs two successes, through syncing',
      [fail, fail, fail, ok, ok],
      ['suspicious', 'suspicious', 'down', 'syncing', 'healthy'],
    ],
    [
      'a failure while syncing is down again',
      [fail, fail, fail, ok, fail],
      ['suspicious', 'suspicious', 'down', 'syncing', 'down'],
    ],
    [
      'a run isolates a failing node: restarting',
      [fail, fail, fail, held],
      ['suspicious', 'suspicious', 'down', 'restarting'],
    ],
    ['an operator holds a healthy node: maintenance', [held], ['maintenance']],
    ['probes do not move a held node', [held, ok, fail], ['maintenance', 'maintenance', 'maintenance']],
    [
      'back from a restart: syncing, then healthy',
      [fail, fail, fail, held, released, ok, ok],
      ['suspicious', 'suspicious', 'down', 'restarting', 'syncing', 'syncing', 'healthy'],
    ],
    [
      'dies right after its restart: down',
      [fail, fail, fail, held, released, fail],
      ['suspicious', 'suspicious', 'down', 'restarting', 'syncing', 'down'],
    ],
    ['release of a node in service changes nothing', [released], ['healthy']],
  ];

  it.each(table)('%s', (_, events, states) => expect(path(...events)).toEqual(states));

  it('keeps the first failure as the start of the fault', () => {
    const later: HealthEvent = { kind: 'fail', at: '2026-11-21T12:00:09.000Z', cause: 'no answer' };
    const down = [fail, later, later].reduce((now, event) => next(now, event), HEALTHY);
    expect(down).toMatchObject({ state: 'down', faultAt: at, cause: 'no answer' });
  });

  it('obeys another rule', () => {
    const rule = { failures: 1, successes: 1 };
    expect(next(HEALTHY, fail, rule).state).toBe('down');
    expect(next(next(HEALTHY, fail, rule), ok, rule).state).toBe('healthy');
  });
});

describe('so many nodes are down that the place is (REQUIREMENTS H4)', () => {
  it.each<[number, number, boolean]>([
    [3, 10, false],
    [4, 10, true],
    [2, 3, true],
    [1, 1, false],
    [1, 2, false],
    [2, 2, true],
    [0, 0, false],
  ])('%d of %d: %s', (down, of, expected) =>
    expect(isDegraded(down, of, { share: 0.3, atLeast: 2 })).toBe(expected),
  );
});
