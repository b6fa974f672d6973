import {
  attach,
  claimScope,
  closeIncidents,
  dealsWith,
  echoed,
  notePart,
  nothingOpen,
  openIncident,
  runId,
  unfinished,
  type Fault,
} from '../../../core/coordination';
import { AT, claimOf, later } from './claims';

const scope = 'node/us-east-1/a/n1';
const alert = (fingerprint: string, faultAt = AT) => ({
  source: 'test',
  fingerprint,
  summary: 'down',
  faultAt,
});
const fault: Fault = { runbook: 'node-failover', input: {}, scope, trigger: 'alert', alert: alert('a') };
const seen = (fingerprint: string, faultAt = AT): Fault => ({ ...fault, alert: alert(fingerprint, faultAt) });

describe('a fault is dealt with', () => {
  it.each([
    ['by a rescue on its scope', claimOf('r', scope), true],
    ['by a rescue around it', claimOf('r', 'zone/us-east-1/a'), true],
    ['by a drill on its scope, whose doing it is', claimOf('r', scope, 'drill'), true],
    ['by planned work on its scope, whose doing it is', claimOf('r', scope, 'planned'), true],
    ['not by planned work around it', claimOf('r', 'region/us-east-1', 'planned'), false],
    [
      'by planned work around it with a run beneath it there',
      { ...claimOf('r', 'region/us-east-1', 'planned'), inHand: [scope] },
      true,
    ],
    ['not by a deploy on its very scope', { ...claimOf('r', scope, 'planned'), waits: true }, false],
    [
      'by a deploy that has it in hand',
      { ...claimOf('r', 'region/us-east-1', 'planned'), waits: true, inHand: [scope] },
      true,
    ],
    [
      'not by a deploy that has another node in hand',
      { ...claimOf('r', 'region/us-east-1', 'planned'), waits: true, inHand: ['node/us-east-1/a/n2'] },
      false,
    ],
    ['not by work below it', claimOf('r', scope.replace('n1', 'n2')), false],
    [
      'not by a run that nobody has approved and that would do something else',
      { ...claimOf('r', scope, 'planned'), trigger: 'unknown' as const, runbook: 'replace-node' },
      false,
    ],
    [
      'by a run that nobody has approved and that would do the same',
      { ...claimOf('r', scope, 'planned'), trigger: 'unknown' as const },
      true,
    ],
  ])('%s', (_, holder, expected) => {
    const now = nothingOpen();
    claimScope(now, holder);
    expect(dealsWith(now, fault)?.run).toBe(expected ? 'r' : undefined);
  });

  it('by who waits for a wider scope rather than by who makes room for it', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', scope));
    claimScope(now, claimOf('wide', 'zone/us-east-1/a'));
    expect(dealsWith(now, fault)?.run).toBe('wide');
  });
});

describe('incidents', () => {
  it('are numbered by day', () => {
    const now = nothingOpen();
    expect(openIncident(now, fault, 'r1', AT).id).toBe('INC-20261121-0001');
    expect(openIncident(now, fault, 'r2', AT).id).toBe('INC-20261121-0002');
  });

  it('take each alert once, count every arrival and keep the earliest fault', () => {
    const incident = openIncident(nothingOpen(), fault, 'r1', AT);
    expect(attach(incident, seen('a'))).toBe(false);
    expect(attach(incident, seen('b', later(-3_412)))).toBe(true);
    expect(attach(incident, { ...fault, alert: { ...alert('a'), source: 'another' } })).toBe(true);
    expect(incident).toMatchObject({ arrivals: 4, faultAt: later(-3_412) });
    expect(incident.alerts).toHaveLength(3);
  });

  it('know which places below theirs have failed', () => {
    const incident = openIncident(nothingOpen(), { ...fault, scope: 'zone/us-east-1/a' }, 'r1', AT);
    for (let i = 0; i < 2; i += 1) attach(incident, seen('b'));
    expect(incident.places).toEqual([scope]);
  });

  it.each([
    ['the same alert a moment after its run', seen('a'), later(2_000), true],
    ['another alert', seen('b'), later(2_000), false],
    ['the same alert later', seen('a'), later(2_001), false],
    ['the same alert of a newer fault', seen('a', later(1)), later(88), false],
  ])('%s: echoed is what the run has answered', (_, again, when, is) => {
    const now = nothingOpen();
    const incident = openIncident(now, fault, 'r1', AT);
    closeIncidents(now, 'r1', AT);
    expect(echoed(now, again, when)).toEqual(is ? incident : undefined);
  });

  it('echo to the places around which they were', () => {
    const now = nothingOpen();
    const incident = openIncident(now, { ...fault, scope: 'zone/us-east-1/a' }, 'r1', AT);
    closeIncidents(now, 'r1', AT);
    expect(echoed(now, fault, later(1))).toEqual(incident);
    expect(echoed(now, { ...fault, scope: 'node/us-east-1/b/n1' }, later(1))).toBeUndefined();
  });

  it('that were ended from outside answer nothing, and old ones are forgotten', () => {
    const now = nothingOpen();
    openIncident(now, fault, 'r1', AT);
    closeIncidents(now, 'r1');
    expect(echoed(now, fault, AT)).toBeUndefined();
    openIncident(now, fault, 'r2', AT);
    closeIncidents(now, 'r2', AT);
    closeIncidents(now, 'r3', later(2_588));
    expect(now.closed).toEqual({});
  });

  it('of runs that make room become parts of the wider one', () => {
    const now = nothingOpen();
    claimScope(now, claimOf('r1', scope));
    openIncident(now, fault, 'r1', AT);
    const zone = 'zone/us-east-1/a';
    const contest = claimScope(now, claimOf('wide', zone));
    const parts = unfinished(now, contest.outcome === 'waits' ? contest.for : []);
    expect(parts).toEqual([fault]);
    for (const part of [...parts, seen('again')]) notePart(now, 'wide', part);
    expect(now.parts).toEqual({ wide: [fault] });
    expect(unfinished(now, [claimOf('wide', zone)])).toEqual([fault]);
  });

  it('keep a bounded number of alerts', () => {
    const incident = openIncident(nothingOpen(), fault, 'r1', AT);
    for (let i = 0; i < 1000; i += 1) attach(incident, seen(`f${i}`));
    expect(incident.alerts).toHaveLength(50);
    expect(incident.arrivals).toBe(1001);
  });
});

it('a run id says what and where and when', () => {
  expect(runId('node-failover', scope, AT)).toBe('node-failover-us-east-1-a-n1-1121-120533-412');
  expect(runId('global-failover', 'global', AT)).toBe('global-failover-global-1121-120533-412');
});
