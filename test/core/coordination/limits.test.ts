import {
  claimScope,
  forgive,
  noteEnd,
  noteStart,
  nothingOpen,
  openIncident,
  whyAsk,
  whyNotNow,
  type Coordination,
  type Rules,
  type Windows,
} from '../../../core/coordination';
import type { RunState } from '../../../core/run';
import { AT, claimOf, later } from './claims';

const scope = 'node/us-east-1/a/n1';
const rules: Rules = {
  nodes: { global: 24, 'region/us-east-1': 8, 'region/eu-central-1': 16, 'zone/us-east-1/a': 4 },
  degraded: { zone: { share: 0.3, atLeast: 2 }, region: { share: 0.5, atLeast: 3 } },
  repeats: { node: { times: 2, withinMs: 600_000 }, zone: { times: 1, withinMs: 900_000 } },
  budget: { runsPerHour: 3, capacityOut: 0.5 },
  windows: {},
};
const ask = (now: Coordination, at = AT) => whyAsk(now, rules, { runbook: 'node-failover', scope, at });
const ended = (now: Coordination, at: string, state: RunState = 'recovered', changed = true) =>
  noteEnd(now, { runbook: 'node-failover', scope, state, at, changed });

describe('automation asks a person', () => {
  it('before it does the same to one scope more often than it may', () => {
    const now = nothingOpen();
    ended(now, later(-20_000));
    expect(ask(now)).toBeNull();
    ended(now, later(-10_000));
    expect(ask(now)).toBe(
      'node-failover was carried out on node/us-east-1/a/n1 2 times within 10 min 0 s and it has failed again: repeating it does not cure it',
    );
  });

  it.each<[string, (now: Coordination) => void]>([
    ['what was long ago', (now) => [1, 2].forEach(() => ended(now, later(-600_000)))],
    ['what changed nothing', (now) => [1, 2].forEach(() => ended(now, AT, 'succeeded', false))],
    ['what a wider run took over', (now) => [1, 2].forEach(() => ended(now, AT, 'absorbed'))],
    ['what was refused', (now) => [1, 2].forEach(() => ended(now, AT, 'refused', false))],
    [
      'what a person has looked at since',
      (now) => {
        [1, 2].forEach(() => ended(now, AT));
        forgive(now, scope);
      },
    ],
    [
      'other places',
      (now) =>
        [1, 2].forEach(() =>
          noteEnd(now, {
            runbook: 'node-failover',
            scope: `${scope}2`,
            state: 'recovered',
            at: AT,
            changed: true,
          }),
        ),
    ],
  ])('not because of %s', (_, happened) => {
    const now = nothingOpen();
    happened(now);
    expect(ask(now)).toBeNull();
  });

  it('before it starts more runs within an hour than it may', () => {
    const now = nothingOpen();
    for (const ms of [-3_660_000, -2_000, -1_000]) noteStart(now, later(ms));
    expect(ask(now)).toBeNull();
    noteStart(now, AT);
    expect(ask(now)).toContain('has started 3 runs within an hour');
  });

  it('before more of the fleet is in the hands of runs than may be, those that wait included', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', 'region/us-east-1'));
    expect(ask(now)).toBeNull();
    claimScope(now, claimOf('r2', 'node/eu-central-1/a/n1', 'drill'));
    claimScope(now, claimOf('r3', 'region/eu-central-1'));
    expect(ask(now)).toBe(
      `with ${scope} runs would have 24 of all 24 nodes in their hands, more than 50 % (budget.capacityOut)`,
    );
  });

  it('but not because of a deploy, which leaves room for a rescue', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', 'region/us-east-1'));
    claimScope(now, { ...claimOf('r2', 'region/eu-central-1', 'planned'), waits: true });
    expect(ask(now)).toBeNull();
  });
});

describe('planned work waits', () => {
  const night: Windows = { drill: [{ days: ['fri', 'sat'], from: '22:00', to: '02:00' }] };
  it.each<[string, Windows, 'drill' | 'deploy', string, RegExp | null]>([
    ['nothing is said', {}, 'drill', AT, null],
    ['its window is open', night, 'drill', '2026-11-21T22:00:00.000Z', null],
    ['its window has gone over midnight', night, 'drill', '2026-11-22T01:59:00.000Z', null],
    ['its window is over', night, 'drill', '2026-11-22T02:00:00.000Z', /opens fri, sat 22:00–02:00 UTC/],
    ['it is the wrong night', night, 'drill', '2026-11-22T22:00:00.000Z', /window for drills is closed/],
    ['only drills have windows', night, 'deploy', AT, null],
    [
      'the time is blocked',
      { blocked: [{ from: '2026-11-20T00:00:00Z', to: '2026-11-22T00:00:00Z', reason: 'big sale' }] },
      'deploy',
      AT,
      /blocked until 2026-11-22T00:00:00Z: big sale/,
    ],
  ])('or not: %s', (_, windows, kind, at, expected) => {
    const why = whyNotNow(nothingOpen(), windows, { kind, at });
    if (expected) expect(why).toMatch(expected);
    else expect(why).toBeNull();
  });

  it('while an incident is open', () => {
    const now = nothingOpen();
    const alert = { source: 'monitor', fingerprint: 'a', summary: 'down', faultAt: AT };
    openIncident(now, { runbook: 'node-failover', input: {}, scope, trigger: 'monitor', alert }, 'r1', AT);
    expect(whyNotNow(now, {}, { kind: 'drill', at: AT })).toBe(
      'incident INC-20261121-0001 on node/us-east-1/a/n1 is open',
    );
  });
});
