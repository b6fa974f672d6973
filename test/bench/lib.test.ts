import { printReport } from '../../bench/lib/report';
import { ratio, summarize } from '../../bench/lib/summary';

test.each([
  [[5], { n: 1, p50: 5, p95: 5, min: 5, max: 5 }],
  [[30, 10, 20], { n: 3, p50: 20, p95: 29, min: 10, max: 30 }],
  [[1.04, 2.06], { n: 2, p50: 1.6, p95: 2, min: 1, max: 2.1 }],
])('the summary of %j', (samples, summary) => expect(summarize(samples)).toEqual(summary));

test('nothing measured is no zero', () => expect(() => summarize([])).toThrow('nothing was measured'));

test.each([
  [20, 1000, '0.02×'],
  [15, 10, '1.5×'],
  [990, 10, '99×'],
])('%d against %d is %s', (value, base, text) => expect(ratio(value, base)).toBe(text));

test('a report is a table with the machine, then one line of JSON', () => {
  const written: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const report = {
    title: 'Killed nodes',
    load: { clients: 20 },
    rows: [
      { name: 'one', cells: { 'out, ms': summarize([10, 1200]), failed: 0 } },
      { name: 'two', cells: { failed: 'none', back: null } },
    ],
    objectives: [{ what: 'out in 1 s', met: false }],
    notes: ['quiet machine'],
  };
  printReport(report, true);
  write.mockRestore();
  const lines = written.join('').trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ ...report, machine: { cores: expect.any(Number) } });
  expect(lines).toContainEqual(expect.stringMatching(/^one {2}605 \/ 1,141 {2}0 {7}–$/));
  expect(lines).toContain('✗ NOT MET  out in 1 s');
});
