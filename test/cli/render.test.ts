import { stripVTControlCharacters } from 'node:util';
import { createColors } from 'picocolors';
import stringWidth from 'string-width';
import { changes } from '../../cli/render/log';
import { statusPage } from '../../cli/render/status';
import { summary } from '../../cli/render/summary';
import { clip, wrap } from '../../cli/render/text';
import { timeline } from '../../cli/render/timeline';
import { isOver } from '../../core/run';
import {
  EVERY,
  RUN,
  aborted,
  at,
  look,
  needsAttention,
  recovered,
  running,
  step,
  waitingForApproval,
} from './fixtures';

const kinds = Object.entries(EVERY);
const LONG = 'the process ended '.repeat(40).trim();

describe('a timeline', () => {
  test.each(kinds.flatMap(([name, make]) => [80, 100, 120].map((width) => [name, width, make] as const)))(
    'of a run that is %s keeps within %i columns',
    (_, width, make) => {
      const lines = [...timeline(make(), look({ width })), ...summary(make(), look({ width }))];
      expect(Math.max(...lines.map((text) => stringWidth(text)))).toBeLessThanOrEqual(width);
    },
  );

  test.each(kinds)('of a run that is %s keeps within 40 columns but for the commands', (_, make) => {
    const lines = timeline(make(), look({ width: 40 })).filter((text) => !text.includes('./switchover'));
    expect(Math.max(...lines.map((text) => stringWidth(text)))).toBeLessThanOrEqual(40);
  });

  test.each(kinds)('of a run that is %s keeps within 24 rows', (_, make) => {
    expect(timeline(make(), look({ height: 24 })).length).toBeLessThanOrEqual(24);
  });

  test.each(kinds)('of a run that is %s says the same with and without colours', (_, make) => {
    const colored = look({ colors: createColors(true) });
    const result = isOver(make().state) ? summary(make(), colored) : [];
    const plain = isOver(make().state) ? summary(make(), look()) : [];
    expect([...timeline(make(), colored), ...result].map(stripVTControlCharacters)).toEqual([
      ...timeline(make(), look()),
      ...plain,
    ]);
  });

  test('shows what is done, what runs, and the clock', () => {
    expect(timeline(running(), look())).toEqual([
      'node-failover node/us-east-1/a/n1                                      ● running',
      `${RUN} · execute · monitor us-east-1 ·`,
      'INC-20260301-0001',
      'RTO 3.9 s of 5.0 s  ━━━━━━━━━━━━━━━━━━━─────',
      '',
      ' ✓ Confirm the failure           us-east-1/a/n1 has failed: /health:      100 ms',
      '                                 connection refused; haproxy says DOWN;',
      '                                 process exited',
      ' ✓ Can the pool spare it?        5 of 6 nodes stay healthy, 3 are needed   30 ms',
      ' ✓ Take it out of the load       a-n1 is out of service (was ready, 4     180 ms',
      '   balancer                      requests in flight)',
      ' ✓ Hand its sessions to the      24 sessions handed to 5 nodes, none       80 ms',
      '   others                        lost',
      ' ⠙ Bring its capacity back                                                 3.2 s',
      ' ⠙ Restart it                                                              3.2 s',
    ]);
  });

  test('on a narrow terminal has the sentences below the titles', () => {
    expect(timeline(running({ steps: running().steps.slice(1, 3) }), look({ width: 44 })).slice(-5)).toEqual([
      ' ✓ Can the pool spare it?              30 ms',
      '   5 of 6 nodes stay healthy, 3 are needed',
      ' ✓ Take it out of the load balancer   180 ms',
      '   a-n1 is out of service (was ready, 4',
      '   requests in flight)',
    ]);
  });

  test('with too little height shortens what is done, then leaves out the oldest', () => {
    const tall = timeline(recovered(), look());
    expect(timeline(recovered(), look({ height: tall.length - 1 }))).toContain(
      ' ✓ Confirm the failure           us-east-1/a/n1 has failed: /health: co…  100 ms',
    );
    const low = timeline(recovered(), look({ height: 10 }));
    expect(low).toHaveLength(10);
    expect(low).toContain('   … earlier steps');
    expect(low.at(-1)).toContain('Prove it');
  });

  test('that waits for approval names the commands that give and refuse it', () => {
    const lines = timeline(waitingForApproval(), look());
    expect(lines).toContain(`  ./switchover approve ${RUN} --reason "why"`);
    expect(lines).toContain(`  ./switchover reject ${RUN} --reason "why"`);
  });

  test('breaks a command that does not fit so that a shell still reads it as one', () => {
    const lines = timeline(needsAttention(), look());
    const start = lines.indexOf(`  ./switchover acknowledge ${RUN} \\`);
    expect(lines[start + 1]).toBe('    --reason "why"');
  });

  test('says why it may be out of date', () => {
    expect(timeline(running(), look(), 'Temporal does not answer').at(-1)).toBe('! Temporal does not answer');
  });

  test('with a very long sentence keeps its columns and all words', () => {
    const lines = timeline(
      running({ steps: [step('Restart it', 0, 900, { state: 'failed', sentence: LONG })] }),
      look(),
    );
    const words = lines
      .slice(5)
      .join(' ')
      .split(/\s+/)
      .filter((word) => word && LONG.includes(word));
    expect(words).toHaveLength(LONG.split(' ').length);
  });

  test('of a run past its objective says by how much', () => {
    expect(timeline(running(), look({ ms: 6500 })).join('\n')).toContain('over by 1.5 s');
  });
});

describe('a summary', () => {
  test('sets what was reached against what was promised', () => {
    expect(summary(recovered(), look({ width: 72 }), 'http://ui/run')).toEqual([
      '╭─ recovered ──────────────────────────────────────────────────────────╮',
      '│ us-east-1/a/n1 was restarted and serves again                        │',
      '│ RTO       3.9 s, objective 5.0 s: met                                │',
      '│ isolated  after 620 ms                                               │',
      '│ sessions  0 lost                                                     │',
      '│ alerts    monitor: us-east-1/a/n1: connection refused                │',
      '╰──────────────────────────────────────────────────────────────────────╯',
      'Temporal http://ui/run',
    ]);
  });

  test('says what was decided, by whom, and what was undone', () => {
    const lines = summary(aborted(), look()).join('\n');
    expect(lines).toContain('decisions 03:12:06Z abort by ada: wrong node');
    expect(lines).toContain('undone    1 of 1 step');
    expect(lines).toContain('RTO       not measured, objective 5.0 s');
  });

  test('of a run whose fault nobody observed says how long it took', () => {
    const lines = summary(recovered({ clock: {}, actual: {} }), look()).join('\n');
    expect(lines).toContain('took      3.6 s');
    expect(lines).not.toContain('RTO');
  });

  test('names a few of many alerts and counts the rest', () => {
    const alerts = Array.from({ length: 7 }, (_, i) => ({
      source: 'alertmanager',
      fingerprint: `${i}`,
      summary: `alert ${i}`,
      faultAt: at(i),
    }));
    const lines = summary(recovered({ alerts }), look()).filter((text) => text.includes('alert'));
    expect(lines).toHaveLength(3);
    expect(summary(recovered({ alerts }), look()).join('\n')).toContain('and 4 more');
  });
});

describe('a log', () => {
  test('says every fact once, with its time', () => {
    const first = changes(undefined, running(), Date.parse(at(3900)));
    expect(first).toHaveLength(8);
    expect(first[0]).toBe(
      `03:12:05.300Z node-failover on node/us-east-1/a/n1, execute, asked for by monitor us-east-1: ${RUN}`,
    );
    expect(first.at(-1)).toBe('03:12:08.900Z running: Restart it');
    const then = changes(running(), recovered(), Date.parse(at(3960)));
    expect(then.map((text) => text.slice(0, 30))).toEqual([
      '03:12:06.240Z   ✓ Restart it  ',
      '03:12:06.900Z   ✓ Wait until i',
      '03:12:07.210Z   ✓ Ramp to 25 %',
      '03:12:07.520Z   ✓ Ramp to 50 %',
      '03:12:07.900Z   ✓ Bring its ca',
      '03:12:07.900Z   ✓ Ramp to 100 ',
      '03:12:08.940Z   ✓ Prove it thr',
      '03:12:08.960Z recovered: us-ea',
    ]);
  });

  test('has no more to say about a report that did not change', () => {
    const report = recovered();
    expect(changes(report, report, 0)).toEqual([]);
  });

  test('tells a step that is tried again, and what people decide', () => {
    const before = needsAttention();
    const failed = before.steps[5]!;
    const { endedAt: _, ...again } = { ...failed, state: 'running' as const, attempts: 2 };
    const after = {
      ...before,
      state: 'running' as const,
      steps: before.steps.with(5, again),
      decisions: [{ kind: 'retry' as const, by: 'ada', reason: 'disk freed', at: at(5000) }],
    };
    expect(changes(before, after, Date.parse(at(5100)))).toEqual([
      '03:12:05.700Z   … Restart it (try 2)',
      '03:12:10.000Z   retry by ada: disk freed',
      expect.stringContaining('03:12:10.100Z running: '),
    ]);
  });

  test.each(kinds)('of a run that is %s has no escape codes', (_, make) => {
    const text = changes(undefined, make(), 0).join('');
    expect(stripVTControlCharacters(text)).toBe(text);
  });
});

describe('text', () => {
  test.each([
    ['', 5, ['']],
    ['one', 5, ['one']],
    ['one two three', 7, ['one two', 'three']],
    ['abcdefghij k', 4, ['abcd', 'efgh', 'ij k']],
    ['日本語 テスト', 6, ['日本語', 'テスト']],
    ['try\u00a02 now', 5, ['try\u00a02', 'now']],
    ['line\nbreak', 20, ['line break']],
  ])('%j in %i columns', (text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines);
  });

  test.each([
    ['short', 10, 'short'],
    ['exactly ten', 11, 'exactly ten'],
    ['much too long', 8, 'much to…'],
    ['日本語', 5, '日本…'],
    ['two\nlines', 20, 'two lines'],
  ])('%j clipped to %i columns', (text, width, clipped) => {
    expect(clip(text, width)).toBe(clipped);
  });
});

test('the status of a fleet names the ways that are not well', () => {
  const way = {
    from: 'us',
    to: 'eu',
    state: 'lossy',
    probes: 20,
    lost: 20,
    p50Ms: null,
    p95Ms: null,
  } as const;
  const status = { environment: 'test', regions: [], claims: [], incidents: [] };
  const page = (...ways: (typeof way)[]) => statusPage({ ...status, ways }, look()).join('\n');
  expect(page(way)).toContain('! us → eu is lossy: 20 of 20 probes lost');
  expect(page()).not.toContain('→');
});
