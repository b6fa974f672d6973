import { drillPage, judgedIn } from '../../cli/report/drill-page';
import { judgeDrill, type Experiment } from '../../core/drill';
import type { RunReport } from '../../core/run';
import { reportOf } from '../server/fake-operations';

const FAULT_AT = Date.parse('2030-01-02T03:04:10.000Z');
const experiment: Experiment = {
  ledger: {
    everyMs: 1000,
    buckets: Array.from({ length: 20 }, (_, nth) => ({
      at: FAULT_AT + (nth - 5) * 1000,
      ok: 100,
      failed: nth === 5 ? 3 : 0,
      slowestMs: 12,
      serving: nth >= 5 && nth < 8 ? 1 : 2,
    })),
    sessionsLost: 0,
    failures: { timeout: 3 },
  },
  fault: { at: FAULT_AT, until: FAULT_AT + 60_000 },
  rescue: { run: 'node-failover-<1>', state: 'recovered', sentence: 'it serves', detectedAt: FAULT_AT + 900 },
  rtoMs: 5_000,
};

const drill = (seen: Experiment = experiment): RunReport => {
  const verdict = judgeDrill(seen);
  const judged = {
    id: 1,
    title: 'Judge what was seen',
    kind: 'look' as const,
    state: 'done' as const,
    sentence: verdict.sentence,
    after: { verdict, experiment: seen },
    startedAt: '2030-01-02T03:04:05.000Z',
    attempts: 1,
  };
  return reportOf({ run: 'component-drill-1', runbook: 'component-drill', steps: [judged] });
};

it('a drill that passed is a page with its numbers, and a plot in which fault, detection and recovery are marked', () => {
  const page = drillPage(drill());
  expect(page).toContain('<h1>Drill of us-east-1/a/n1: passed</h1>');
  expect(page).toContain('<th>RTO, as clients and probes saw it</th><td>3.0 s</td>');
  expect(page).toContain('<td>3 (3 × timeout)</td>');
  const plot = /<svg[\s\S]*<\/svg>/.exec(page)![0];
  for (const mark of ['fault', 'detected', 'recovered', 'calls a second', 'nodes that serve'])
    expect(plot).toContain(`>${mark}</text>`);
});

it('nothing that a run says of itself gets into the page as markup', () => {
  expect(drillPage(drill())).toContain('healed by node-failover-&lt;1>');
});

it('a drill in which nothing was healed says so, and marks no recovery', () => {
  const broken = { ...experiment, ledger: { ...experiment.ledger } };
  broken.ledger.buckets = broken.ledger.buckets.map((one) =>
    one.at < FAULT_AT ? one : { ...one, serving: 1 },
  );
  const page = drillPage(drill(broken));
  expect(page).toContain('failed</h1>');
  expect(page).toContain('<td>never recovered</td>');
  expect(page).not.toContain('>recovered</text>');
});

it('there is none of what is no drill, or has judged nothing yet', () => {
  expect(() => judgedIn(reportOf())).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  expect(() => judgedIn({ ...drill(), steps: [] })).toThrow(/has judged nothing/);
});
