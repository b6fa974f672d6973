import { duration, count, countOrNone, share } from '../../cli/arguments';
import { exampleCommand, readInput } from '../../cli/input';
import { parseTarget } from '../../cli/target';
import type { Runbook } from '../../core/runbook';

const runbook = {
  id: 'resize',
  input: {
    type: 'object',
    properties: {
      zone: { type: 'string' },
      nodes: { type: 'integer' },
      share: { type: 'number' },
      force: { type: 'boolean' },
      labels: { type: 'object' },
    },
  },
  example: { zone: 'us-east-1/a', nodes: 4 },
} as unknown as Runbook;

test.each<[string, unknown]>([
  ['zone=us-east-1/a', 'us-east-1/a'],
  ['zone=7', '7'],
  ['zone=a=b', 'a=b'],
  ['zone=', ''],
  ['nodes=4', 4],
  ['share=0.5', 0.5],
  ['force=true', true],
  ['labels={"a":1}', { a: 1 }],
])('--set %s is typed by the schema', (pair, value) => {
  expect(Object.values(readInput(runbook, { set: [pair] }))).toEqual([value]);
});

test.each([
  ['nodes=four', 'must be of type integer, not "four"'],
  ['nodes=4.5', 'must be of type integer, not "4.5"'],
  ['force=yes', 'must be of type boolean, not "yes"'],
  ['share=', 'must be of type number, not ""'],
  ['labels={', 'must be of type object, not "{"'],
  ['=4', 'must be key=value'],
  ['color=red', 'resize has no input "color"; its inputs are zone, nodes, share, force, labels'],
])('--set %s is refused', (pair, sentence) => {
  expect(() => readInput(runbook, { set: [pair] })).toThrow(`--set ${pair}: ${sentence}`);
});

test('--set wins over --input, and the last --set over those before it', () => {
  const input = '{"zone": "a", "nodes": 1, "force": false}';
  expect(readInput(runbook, { input, set: ['nodes=2', 'nodes=3'] })).toEqual({
    zone: 'a',
    nodes: 3,
    force: false,
  });
});

test('--input - reads YAML, and so JSON, from standard input', () => {
  expect(readInput(runbook, { input: '-' }, () => 'zone: a\nnodes: 2\n')).toEqual({ zone: 'a', nodes: 2 });
  expect(readInput(runbook, { input: '-' }, () => '{"zone": "a"}')).toEqual({ zone: 'a' });
  expect(() => readInput(runbook, { input: '-' }, () => '')).toThrow(
    '--input: standard input must be one object, not null',
  );
});

test('the example command quotes what --set cannot say', () => {
  expect(exampleCommand(runbook)).toBe(
    './switchover run resize --set zone=us-east-1/a --set nodes=4 --follow',
  );
  expect(exampleCommand({ ...runbook, example: { labels: { a: 1 } } })).toBe(
    `./switchover run resize --input '{"labels":{"a":1}}' --follow`,
  );
});

test.each([
  ['90s', 90_000],
  ['500ms', 500],
  ['10m', 600_000],
  ['24h', 86_400_000],
])('%s is a duration', (text, millis) => expect(duration(text)).toBe(millis));

test.each(['10', '0s', '-1s', '1.5m', '1000h', 'soon', ''])('%j is no duration', (text) => {
  expect(() => duration(text)).toThrow('It must be a duration such as 90s or 10m');
});

test('counts are whole and not negative', () => {
  expect([count('1'), count('9999'), countOrNone('0')]).toEqual([1, 9999, 0]);
  for (const text of ['0', '-1', '1.5', '10000', 'x']) expect(() => count(text)).toThrow('whole number');
});

test('shares are above 0 and at most 1', () => {
  expect([share('0.75'), share('1')]).toEqual([0.75, 1]);
  for (const text of ['0', '-1', '1.5', 'x', '']) expect(() => share(text)).toThrow('such as 0.75');
});

test.each([
  ['us-east-1/a/n1', { kind: 'node', node: 'us-east-1/a/n1' }],
  ['node/us-east-1/a/n1', { kind: 'node', node: 'us-east-1/a/n1' }],
  ['zone/us-east-1/a', { kind: 'zone', zone: 'us-east-1/a' }],
  ['lb/us-east-1', { kind: 'lb', region: 'us-east-1' }],
  ['registry/primary', { kind: 'registry' }],
  ['database/replica', { kind: 'database', part: 'replica' }],
  ['database', { kind: 'database', part: 'primary' }],
  ['redis/replica', { kind: 'redis', part: 'replica' }],
  ['worker/us-east-1', { kind: 'worker', region: 'us-east-1' }],
  ['temporal', { kind: 'temporal' }],
])('%s is a target', (text, target) => expect(parseTarget(text)).toEqual(target));

test.each([
  '',
  'n1',
  'worker/',
  'redis',
  'redis/m1',
  'registry',
  'database/d1',
  'us-east-1/a',
  'zone/us-east-1',
  'zone/us-east-1/a/n1',
])('%j is no target', (text) => {
  expect(() => parseTarget(text)).toThrow('is no target');
});
