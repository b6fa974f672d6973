import { stripVTControlCharacters } from 'node:util';
import { createColors } from 'picocolors';
import stringWidth from 'string-width';
import { demoBox, demoLines, tourLines, type DemoResult } from '../../cli/render/demo';
import { look, recovered } from './fixtures';

const shown = (given: Partial<DemoResult> = {}): DemoResult => ({
  outcome: 'recovered',
  node: 'us-east-1/a/n1',
  milliseconds: { outOfBalancer: 65, healed: 3720, fullWeight: 2300 },
  sessionsLost: { clients: 0, report: 0 },
  load: {
    clients: 24,
    calls: 1974,
    ok: 1971,
    failed: 3,
    failures: { reset: 2, 'http-502': 1 },
    sessionsLost: 0,
    p50: 8.4,
    p95: 41.2,
    p99: 80,
    maxGapMs: 496,
    firstFailureAt: 1,
    lastFailureAt: 2,
  },
  run: recovered(),
  ...given,
});

test('what a demo showed, for a log', () => {
  expect(demoLines(shown(), look({ width: 100 }))).toEqual([
    '',
    'recovered',
    recovered().sentence,
    'out of balancer   65 ms after the kill, promised in less than 1.0 s: met',
    'healed            3.7 s after the kill, promised in less than 5.0 s: met',
    'full weight       2.3 s after the kill',
    'sessions lost     0 of 24 as the clients saw it, 0 in the report',
    'calls             1,974 calls by 24 MCP clients: 1,971 ok, 3 failed (2 reset, 1 http-502)',
    'latency           p50 8 ms, p95 41 ms; longest wait for an answer 496 ms',
  ]);
});

test('what was late or never seen is not met', () => {
  const milliseconds = { outOfBalancer: null, healed: 5000, fullWeight: null };
  const lines = demoLines(shown({ milliseconds, sessionsLost: { clients: 2, report: null } }), look());
  expect(lines).toContain('out of balancer   not seen, promised in less than 1.0 s: missed');
  expect(lines).toContain('healed            5.0 s after the kill, promised in less than 5.0 s: missed');
  expect(lines).toContain('full weight       not seen');
  expect(lines).toContain('sessions lost     2 of 24 as the clients saw it, not counted in the report');
});

test.each([40, 80, 120])('the box is %i columns wide, with and without colours', (width) => {
  const lines = demoBox(shown(), look({ width }));
  expect(new Set(lines.map((line) => stringWidth(line)))).toEqual(new Set([width]));
  const painted = demoBox(shown(), look({ width, colors: createColors(true) }));
  expect(painted.map(stripVTControlCharacters)).toEqual(lines);
});

test('what a tour showed, run by run: as it was to end, or not', () => {
  const run = { ...recovered(), runbook: 'component-drill', sentence: 'the fleet noticed within 1.2 s' };
  const stops = [
    { run: { ...run, state: 'succeeded' as const }, expected: 'succeeded' as const },
    {
      run: { ...run, runbook: 'rolling-deploy', state: 'failed' as const },
      expected: 'rolled back' as const,
    },
  ];
  expect(tourLines(stops, look({ width: 60 }))).toEqual([
    '',
    'What the tour showed',
    '✓ component-drill: succeeded: the fleet noticed within 1.2 s',
    '✗ rolling-deploy: failed, and was to be rolled back: the',
    '  fleet noticed within 1.2 s',
  ]);
  expect(tourLines([], look())).toEqual([]);
});
