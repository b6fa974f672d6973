import { elapsed, question, timeline } from '../../core/report';
import type { RunReport } from '../../core/run';
import { at, needsAttention, recovered, running, step, waitingForApproval } from '../cli/fixtures';

/** The lines of a run's page that hold this text. */
const lines = (report: RunReport, text: string): string[] =>
  timeline(report)
    .split('\n')
    .filter((line) => line.includes(text));

describe('a run as Markdown', () => {
  it('begins with where it stands, then what it asks of a person', () => {
    const report = waitingForApproval();
    expect(timeline(report).split('\n').filter(Boolean).slice(0, 5)).toEqual([
      `### WAITING FOR APPROVAL: node-failover on ${report.scope}`,
      `**${report.sentence}**`,
      `➜ Needs the approval of one more person, not of ${report.by} who asked for the run.`,
      '- In the Temporal UI: _More Actions_, _Send an Update_, `approve` or `reject` with `{"by": "your name", "reason": "why"}`',
      `- On a command line: \`./switchover approve ${report.run} --reason "why"\``,
    ]);
  });

  it('gives the objective beside what was reached', () => {
    expect(lines(recovered(), 'RTO')).toEqual([
      '**RTO** 3.9 s of 5.0 s (met) · **isolated** after 620 ms · **sessions lost** 0',
    ]);
    expect(lines(recovered({ actual: { rtoMs: 61_000 } }), 'RTO')[0]).toContain(
      '1 min 1 s of 5.0 s (missed)',
    );
  });

  it('has a line a step, numbered, with its state, time, tries and sentence', () => {
    const report = running({
      steps: [
        step('Restart it', 700, 1240, { id: 1, state: 'failed', attempts: 2, sentence: 'it died\nagain' }),
        step('Restart it', 1300, undefined, { id: 2 }),
      ],
    });
    expect(lines(report, 'Restart it').slice(-2)).toEqual([
      '1. ✗ 03:12:05 **Restart it** (try 2, 540 ms): it died again',
      '2. ▶ 03:12:06 **Restart it** (under way)',
    ]);
  });

  it('says who decided what and why, and which alerts came', () => {
    const report = recovered({
      decisions: [{ kind: 'approve', by: 'ada', reason: 'seen on the dashboard', at: at(200) }],
    });
    expect(lines(report, '**approve**')).toEqual(['- 03:12:05 **approve** by ada: seen on the dashboard']);
    expect(lines(report, '**alert**')).toEqual([
      '- 03:12:05 **alert** from monitor: us-east-1/a/n1: connection refused',
    ]);
  });

  it('begins with what a person who asked for it has to know', () => {
    const late = {
      runs: 9,
      rtoMs: 42_000,
      loss: 'no acknowledged row',
      rpoMs: 0,
      doubt: 'no node of us-east-1 serves',
    };
    const report = recovered({ forecast: late, trigger: 'manual', mode: 'plan' });
    expect(timeline(report).split('\n').filter(Boolean).slice(2, 4)).toEqual([
      '⚠ **It is expected to take 42.0 s, longer than its objective of 5 s (95 % of 9 runs took no longer)**',
      '⚠ **It was not ready when that was last looked at: no node of us-east-1 serves**',
    ]);
    expect(lines(report, 'expected RTO')).toEqual([
      '**expected RTO** 42.0 s (95 % of 9 runs), objective 5 s · **expected loss** no acknowledged row',
    ]);
  });

  it('argues with no rescue, and guesses nothing', () => {
    expect(
      lines(recovered({ forecast: { runs: 9, rtoMs: 42_000, doubt: 'x' }, trigger: 'monitor' }), '⚠'),
    ).toEqual([]);
    const first = recovered({ forecast: { runs: 0 }, trigger: 'manual' });
    expect(lines(first, '⚠')).toEqual([]);
    expect(lines(first, 'expected')).toEqual(['**expected RTO** no history yet, objective 5 s']);
    expect(lines(recovered(), 'expected')).toEqual([]);
  });

  it('lists what a plan would change', () => {
    const plan = { mutating: 1, readOnly: 2, changes: ['would restart us-east-1/a/n1'] };
    expect(timeline(recovered({ mode: 'plan', plan }))).toContain(
      '**Plan**: 1 step(s) would change something, 2 only look.\n\n- would restart us-east-1/a/n1',
    );
  });

  it('shows text from outside as it was written', () => {
    const [line] = lines(running({ reason: '<none> of *these* [links](x)' }), 'asked for by');
    expect(line).toContain('“\\<none> of \\*these\\* \\[links](x)”');
  });
});

test.each([
  [waitingForApproval(), ['approve', 'reject']],
  [needsAttention(), ['retry', 'skip', 'abort', 'acknowledge']],
  [running({ state: 'paused' }), ['resume', 'abort']],
  [running(), undefined],
  [recovered(), undefined],
])('what a run waits for: %#', (report, kinds) => {
  expect(question(report)?.kinds).toEqual(kinds);
});

test.each([
  [840.4, '840 ms'],
  [3_249, '3.2 s'],
  [250_000, '4 min 10 s'],
])('%d ms is read as %s', (ms, text) => {
  expect(elapsed(ms)).toBe(text);
});
