import { judgeRegion, type NoView, type RegionView } from '../../core/region';

const RULE = { share: 0.5, atLeast: 3 };
const view = (from: string, healthy: number, more: Partial<RegionView> = {}): RegionView => ({
  from,
  balancer: { ok: true, said: 'answered in 2 ms' },
  nodes: { healthy, of: 6 },
  reaches: ['elsewhere'],
  ...more,
});
const dead = (from: string): RegionView =>
  view(from, 0, { balancer: { ok: false, said: 'no answer within 1000 ms' } });
const judge = (...views: (RegionView | NoView)[]) => judgeRegion('us', views, RULE);

it('has failed where two see it failed', () => {
  const verdict = judge(dead('eu'), dead('ap'));
  expect(verdict).toMatchObject({ failed: true });
  expect(verdict.doubt).toBeUndefined();
  expect(verdict.said).toBe(
    'seen from eu its load balancer does not answer (no answer within 1000 ms), 0 of 6 nodes are healthy; seen from ap its load balancer does not answer (no answer within 1000 ms), 0 of 6 nodes are healthy',
  );
});

it.each([
  ['more than the share of its nodes, its load balancer answers', 2, true],
  ['just the share of its nodes', 3, false],
])('%s', (_, healthy, failed) => {
  expect(judge(view('eu', healthy), view('ap', healthy)).failed).toBe(failed);
});

it('has not failed where one of them sees it well, and that is said', () => {
  expect(judge(dead('eu'), view('ap', 6))).toMatchObject({
    failed: false,
    doubt: 'eu sees us failed, ap does not',
  });
  expect(judge(dead('eu'), dead('sa'), view('ap', 6))).toMatchObject({
    failed: false,
    doubt: 'eu and sa see us failed, ap does not',
  });
});

it('a vantage point that reaches nobody has no say, whatever it sees', () => {
  const blind = { ...dead('ap'), reaches: [] };
  const verdict = judge(dead('eu'), blind);
  expect(verdict).toMatchObject({
    failed: false,
    doubt: 'us is seen from 1 of the 2 vantage points that are needed',
  });
  expect(verdict.said).toContain('ap reaches nobody: it is cut off itself');
  expect(judge(dead('eu'), dead('sa'), blind).failed).toBe(true);
});

it('from where nobody looks nothing is seen', () => {
  const none: NoView = { from: 'ap', why: 'no worker answers there' };
  expect(judge(dead('eu'), none)).toMatchObject({
    failed: false,
    doubt: expect.stringContaining('1 of the 2'),
  });
  expect(judge(dead('eu'), none).said).toContain('nobody looks from ap (no worker answers there)');
});

it('how the way from there was lately is told beside it', () => {
  const way = '9 of 20 probes lost, p50 12 ms, p95 40 ms';
  expect(judge(view('eu', 6, { way }), view('ap', 6)).said).toBe(
    `seen from eu its load balancer answers, 6 of 6 nodes are healthy (${way}); seen from ap its load balancer answers, 6 of 6 nodes are healthy`,
  );
});
