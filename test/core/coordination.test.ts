import {
  NOTHING_OPEN,
  attach,
  claim,
  echoed,
  open,
  release,
  runId,
  type Coordination,
  type Fault,
  type Lock,
} from '../../core/coordination';

const at = '2026-11-21T12:05:33.412Z';
const scope = 'node/us-east-1/a/n1';
const lock = (run: string): Lock => ({ run, runbook: 'node-failover', trigger: 'alert', since: at });
const nothing = (): Coordination => structuredClone(NOTHING_OPEN);
const alert = (fingerprint: string, faultAt = at) => ({
  source: 'test',
  fingerprint,
  summary: 'down',
  faultAt,
});
const fault: Fault = { runbook: 'node-failover', input: {}, scope, trigger: 'alert', alert: alert('a') };

describe('scope locks', () => {
  it('a scope has one holder', () => {
    const now = nothing();
    expect(claim(now, scope, lock('r1'))).toEqual({ granted: true });
    expect(claim(now, scope, lock('r2'))).toEqual({ granted: false, holder: lock('r1') });
  });

  it('the holder is granted again, as it was', () => {
    const now = nothing();
    claim(now, scope, lock('r1'));
    expect(claim(now, scope, { ...lock('r1'), since: 'later' })).toEqual({ granted: true });
    expect(now.locks[scope]?.since).toBe(at);
  });

  it('release frees the scope and closes its incident, of that run alone', () => {
    const now = nothing();
    claim(now, scope, lock('r1'));
    open(now, fault, 'r1', at);
    release(now, 'r2');
    expect(Object.keys(now.locks)).toEqual([scope]);
    release(now, 'r1');
    expect(now).toMatchObject({ locks: {}, incidents: {} });
  });
});

describe('incidents', () => {
  it('are numbered by day', () => {
    const now = nothing();
    expect(open(now, fault, 'r1', at).id).toBe('INC-20261121-0001');
    expect(open(now, fault, 'r2', at).id).toBe('INC-20261121-0002');
  });

  it('take each alert once, count every arrival and keep the earliest fault', () => {
    const incident = open(nothing(), fault, 'r1', at);
    expect(attach(incident, alert('a'))).toBe(false);
    expect(attach(incident, alert('b', '2026-11-21T12:05:30.000Z'))).toBe(true);
    expect(attach(incident, { ...alert('a'), source: 'another' })).toBe(true);
    expect(incident).toMatchObject({ arrivals: 4, faultAt: '2026-11-21T12:05:30.000Z' });
    expect(incident.alerts).toHaveLength(3);
  });

  it.each([
    ['the same alert a moment after its run', alert('a'), '2026-11-21T12:05:35.412Z', true],
    ['another alert', alert('b'), '2026-11-21T12:05:35.412Z', false],
    ['the same alert later', alert('a'), '2026-11-21T12:05:35.413Z', false],
    [
      'the same alert of a newer fault',
      alert('a', '2026-11-21T12:05:33.413Z'),
      '2026-11-21T12:05:33.500Z',
      false,
    ],
  ])('%s: echoed is what the run has answered', (_, again, when, is) => {
    const now = nothing();
    claim(now, scope, lock('r1'));
    const incident = open(now, fault, 'r1', at);
    release(now, 'r1', at);
    const echo = echoed(now, { ...fault, alert: again }, when);
    expect(echo).toEqual(is ? incident : undefined);
  });

  it('that were ended from outside answer nothing, and old ones are forgotten', () => {
    const now = nothing();
    claim(now, scope, lock('r1'));
    open(now, fault, 'r1', at);
    release(now, 'r1');
    expect(echoed(now, fault, at)).toBeUndefined();
    open(now, fault, 'r2', at);
    release(now, 'r2', at);
    release(now, 'r3', '2026-11-21T12:05:36.000Z');
    expect(now.closed).toEqual({});
  });

  it('keep a bounded number of alerts', () => {
    const incident = open(nothing(), fault, 'r1', at);
    for (let i = 0; i < 1000; i += 1) attach(incident, alert(`f${i}`));
    expect(incident.alerts).toHaveLength(50);
    expect(incident.arrivals).toBe(1001);
  });
});

it('a run id says what and where and when', () => {
  expect(runId('node-failover', scope, at)).toBe('node-failover-us-east-1-a-n1-1121-120533-412');
  expect(runId('global-failover', 'global', at)).toBe('global-failover-global-1121-120533-412');
});
