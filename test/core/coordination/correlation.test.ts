import {
  claimScope,
  forgetReports,
  noteEnd,
  noteReports,
  nothingOpen,
  openIncident,
  rulesOf,
  widened as widenedAt,
  type Coordination,
  type Fault,
  type Rules,
} from '../../../core/coordination';
import type { Config } from '../../../core/config';
import type { Runbook } from '../../../core/runbook';
import { catalogue as published } from '../../../operations';
import { config } from '../readiness/world';
import { AT, claimOf, later } from './claims';

const rules: Rules = {
  nodes: { global: 24, 'region/us-east-1': 9, 'zone/us-east-1/a': 8, 'zone/us-east-1/b': 1 },
  degraded: { zone: { share: 0.3, atLeast: 2 }, region: { share: 0.5, atLeast: 3 } },
  repeats: { zone: { times: 1, withinMs: 900_000 } },
  budget: { runsPerHour: 60, capacityOut: 0.5 },
  windows: {},
};
const runbook = (kind: 'zone' | 'region') =>
  ({ id: `${kind}-failover`, whenDegraded: true, scope: { kind, input: kind } }) as Runbook;
const catalogue = [runbook('zone')];

const down = (name: string, faultAt = AT): Fault => ({
  runbook: 'node-failover',
  input: { node: `us-east-1/${name}` },
  scope: `node/us-east-1/${name}`,
  trigger: 'monitor',
  alert: { source: 'monitor', fingerprint: name, summary: `${name} is down`, faultAt },
});
const widened = (now: Coordination, known: Rules, from: readonly Runbook[], faults: Fault[], at = AT) =>
  widenedAt(now, known, from, faults, at);
const nodes = (count: number) => Array.from({ length: count }, (_, i) => down(`a/n${i + 1}`));

it('more than the share of a zone’s nodes is one fault of the zone', () => {
  expect(widened(nothingOpen(), rules, catalogue, nodes(2))).toEqual([]);
  expect(
    widened(nothingOpen(), rules, catalogue, [...nodes(2), down('a/n3', '2026-11-21T12:05:33.000Z')]),
  ).toEqual([
    {
      runbook: 'zone-failover',
      input: { zone: 'us-east-1/a' },
      scope: 'zone/us-east-1/a',
      trigger: 'monitor',
      alert: {
        source: 'correlation',
        fingerprint: 'degraded/zone/us-east-1/a',
        summary: '3 of 8 nodes of us-east-1/a have failed: n1, n2, n3',
        faultAt: '2026-11-21T12:05:33.000Z',
      },
    },
  ]);
});

describe('a region of an environment without DNS, whose clients nobody could lead elsewhere', () => {
  it('is left to its zones and nodes', () => {
    const all = [runbook('zone'), runbook('region')];
    const here = { ...rules, absent: ['region-failover'] };
    expect(widened(nothingOpen(), rules, all, nodes(5))).toMatchObject([{ scope: 'region/us-east-1' }]);
    expect(widened(nothingOpen(), here, all, nodes(5))).toMatchObject([{ scope: 'zone/us-east-1/a' }]);
  });

  it('is told by the environment file', () => {
    const { dns, ...without } = config;
    expect(dns).toBeDefined();
    expect(rulesOf(config, published).absent).not.toContain('region-failover');
    expect(rulesOf(without as Config, published).absent).toContain('region-failover');
    expect(rulesOf(without as Config, published).absent).not.toContain('zone-failover');
  });
});

it('open incidents count, the same node once', () => {
  const now = nothingOpen();
  for (const fault of nodes(2)) openIncident(now, fault, `run-${fault.scope}`, AT);
  expect(widened(now, rules, catalogue, [down('a/n2')])).toEqual([]);
  expect(widened(now, rules, catalogue, [down('a/n3')])).toMatchObject([{ scope: 'zone/us-east-1/a' }]);
});

it('faults whose runs were refused count for a moment, those that were dealt with do not', () => {
  const now = nothingOpen();
  noteReports(now, nodes(2), AT);
  expect(widened(now, rules, catalogue, [down('a/n3')], later(5_999))).toHaveLength(1);
  expect(widened(now, rules, catalogue, [down('a/n3')], later(6_000))).toEqual([]);
  forgetReports(now, 'node/us-east-1/a/n2');
  expect(widened(now, rules, catalogue, [down('a/n3')], AT)).toEqual([]);
  noteReports(now, nodes(2), AT);
  forgetReports(now, 'zone/us-east-1/a');
  expect(now.reported).toEqual({});
});

it('the fault of a drill does not count', () => {
  const now = nothingOpen();
  const [drilled, ...others] = nodes(3);
  claimScope(now, claimOf('drill', drilled!.scope, 'drill'));
  openIncident(now, drilled!, 'drill', AT);
  expect(widened(now, rules, catalogue, others)).toEqual([]);
  expect(widened(now, rules, catalogue, [...others, down('a/n4')])).toHaveLength(1);
});

it('one node is not a zone, however small the zone', () =>
  expect(widened(nothingOpen(), rules, catalogue, [down('b/n1')])).toEqual([]));

it('the widest place that is degraded answers for those in it', () => {
  const both = [...catalogue, runbook('region')];
  expect(widened(nothingOpen(), rules, both, nodes(4))).toMatchObject([{ scope: 'zone/us-east-1/a' }]);
  expect(widened(nothingOpen(), rules, both, nodes(5))).toMatchObject([
    { scope: 'region/us-east-1', runbook: 'region-failover', input: { region: 'us-east-1' } },
  ]);
});

it('the places of a zone’s incident count for its region', () => {
  const now = nothingOpen();
  const zone = openIncident(now, { ...down('a/n1'), scope: 'zone/us-east-1/a' }, 'zone-run', AT);
  zone.places = nodes(4).map(({ scope }) => scope);
  claimScope(now, claimOf('zone-run', 'zone/us-east-1/a'));
  expect(widened(now, rules, [runbook('region')], [down('b/n1')])).toMatchObject([
    { scope: 'region/us-east-1' },
  ]);
});

it('a place that somebody deals with is left to them', () => {
  const now = nothingOpen();
  claimScope(now, claimOf('r1', 'zone/us-east-1/a'));
  expect(widened(now, rules, catalogue, nodes(8))).toEqual([]);
});

it('a runbook that was refused there of late does not keep the parts from being healed', () => {
  const now = nothingOpen();
  noteEnd(now, {
    runbook: 'zone-failover',
    scope: 'zone/us-east-1/a',
    state: 'refused',
    at: AT,
    changed: false,
  });
  expect(widened(now, rules, catalogue, nodes(8))).toEqual([]);
  expect(widened(now, rules, catalogue, nodes(8), later(60_000))).toHaveLength(1);
});

it('what has failed since then is a new failure of the place', () => {
  const now = nothingOpen();
  const past = { runbook: 'zone-failover', scope: 'zone/us-east-1/a', changed: false };
  noteEnd(now, { ...past, state: 'refused', at: later(1_000) });
  const since = [down('a/n1'), down('a/n2', later(2_000)), down('a/n3', later(2_000))];
  expect(widened(now, rules, catalogue, since, later(3_000))).toEqual([]);
  expect(widened(now, rules, catalogue, [...since, down('a/n4', later(2_000))], later(3_000))).toHaveLength(
    1,
  );
});
