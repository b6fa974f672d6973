import { judgeDrill, type Bucket, type DrillLedger, type Experiment } from '../../core/drill';

const FAULT_AT = 1_900_000_000_000;
const bucket = (second: number, more: Partial<Bucket> = {}): Bucket => ({
  at: FAULT_AT + second * 1000,
  ok: 10,
  failed: 0,
  slowestMs: 20,
  serving: 2,
  ...more,
});

/** Seconds from five before the fault to ten after it; a node is away until `healed`, and so many calls fail in the fault's own. */
const ledger = ({
  healed = 3,
  failed = 2,
  before = {},
}: { healed?: number; failed?: number; before?: Partial<Bucket> } = {}): DrillLedger => ({
  everyMs: 1000,
  buckets: Array.from({ length: 16 }, (_, nth) => {
    const second = nth - 5;
    if (second < 0) return bucket(second, before);
    return bucket(second, { serving: second < healed ? 1 : 2, failed: second === 0 ? failed : 0 });
  }),
  sessionsLost: 0,
  failures: {},
});
const rescue = {
  run: 'node-failover-1',
  state: 'recovered',
  sentence: 'it serves again',
  detectedAt: FAULT_AT + 800,
};
const judge = (more: Partial<Experiment> = {}) =>
  judgeDrill({
    ledger: ledger(),
    fault: { at: FAULT_AT, until: FAULT_AT + 60_000 },
    rescue,
    rtoMs: 5_000,
    ...more,
  });

describe('a drill', () => {
  it('passes where clients and probes saw everything back in time', () => {
    expect(judge()).toMatchObject({
      outcome: 'succeeded',
      rtoMs: 3_000,
      detectedMs: 800,
      clientErrors: 2,
      sessionsLost: 0,
      before: { calls: 50, successRate: 1, serving: 2 },
      after: { serving: 2, successRate: 1 },
      sentence: 'healed by itself after 3.0 s (objective 5.0 s); clients saw 2 errors, no session was lost',
    });
  });

  it('lasts for as long as clients see errors, though the node is back', () => {
    const seen = ledger({ healed: 1 });
    seen.buckets.find(({ at }) => at === FAULT_AT + 5_000)!.failed = 1;
    expect(judge({ ledger: seen })).toMatchObject({ outcome: 'failed', rtoMs: 6_000 });
  });

  test.each<[string, Partial<Experiment>, string]>([
    ['it takes longer than the objective', { rtoMs: 2_000 }, 'it took 3.0 s, the objective is 2.0 s'],
    ['sessions are lost', { ledger: { ...ledger(), sessionsLost: 3 } }, '3 sessions were lost'],
    [
      'nobody answers',
      { rescue: null, ledger: ledger({ healed: 99 }) },
      'it was not healed: no run answered it',
    ],
    ['nobody answers, and it heals all the same', { rescue: null }, 'no run answered it'],
    [
      'the run says that it has healed what is broken still',
      { ledger: ledger({ healed: 99 }) },
      'it was not healed, although node-failover-1 says that it is recovered: it serves again',
    ],
    [
      'the fault heals itself before anybody does',
      { fault: { at: FAULT_AT, until: FAULT_AT + 2_500 } },
      'it was healed by nobody until the fault undid itself, although node-failover-1 says',
    ],
    [
      'it is healed only as the fault is taken away',
      { fault: { at: FAULT_AT, until: FAULT_AT + 60_000, undoneAt: FAULT_AT + 2_900 } },
      'it was healed by nobody until the fault undid itself',
    ],
    [
      'the run asks people',
      {
        ledger: ledger({ healed: 99 }),
        rescue: { ...rescue, state: 'needs attention', sentence: 'no spare' },
      },
      'it was not healed: node-failover-1 is needs attention: no spare',
    ],
  ])('fails where %s', (_, more, sentence) => {
    const { outcome, sentence: said } = judge(more);
    expect(said).toContain(sentence);
    expect(outcome).toBe('failed');
  });

  test.each<[string, Partial<Experiment>, string]>([
    [
      'clients were badly served before the fault',
      { ledger: ledger({ before: { ok: 5, failed: 5 } }) },
      'there was no steady state before the fault: 50.0 % of 50 calls succeeded',
    ],
    ['there were no clients', { ledger: ledger({ before: { ok: 0 } }) }, 'no call succeeded'],
    [
      'nobody saw the fault',
      { ledger: ledger({ healed: 0, failed: 0 }) },
      'neither clients nor probes saw the fault',
    ],
  ])('says nothing where %s', (_, more, sentence) => {
    const { outcome, sentence: said } = judge(more);
    expect(said).toContain(sentence);
    expect(outcome).toBe('inconclusive');
  });
});
