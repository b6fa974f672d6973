import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What `scripts/test` makes of what jest wrote. */
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'results-'))));
afterEach(() => rmSync(folder, { recursive: true }));

type Tests = Record<string, string>;

/** What jest writes of a run of these files. */
function ran(run: string, files: Record<string, { status: 'passed' | 'failed'; tests: Tests }>): void {
  const testResults = Object.entries(files).map(([file, { status, tests }]) => ({
    name: resolve(file),
    status,
    assertionResults: Object.entries(tests).map(([fullName, end]) => ({ fullName, status: end })),
  }));
  writeFileSync(join(folder, run), JSON.stringify({ testResults }));
}

function told(what: 'again' | 'sum') {
  const { stdout, status } = spawnSync('node', ['scripts/test-results.mjs', what, folder], {
    encoding: 'utf8',
  });
  return { lines: stdout.trim().split('\n').filter(Boolean), status };
}

const passed = { status: 'passed', tests: { one: 'passed', two: 'pending' } } as const;
const failed = { status: 'failed', tests: { one: 'passed', two: 'failed' } } as const;

test('tests are counted over all runs', () => {
  ran('rules', { 'test/core/a.test.ts': passed });
  ran('alone', { 'test/e2e/b.test.ts': passed });
  expect(told('again').lines).toEqual([]);
  expect(told('sum')).toEqual({ lines: ['2 passed, 0 failed, 2 skipped'], status: 0 });
});

test('a file of real fleets that failed is run again, and what passed only then is named', () => {
  ran('alone', { 'test/e2e/a.test.ts': passed, 'test/e2e/b.test.ts': failed });
  expect(told('again').lines).toEqual(['test/e2e/b.test.ts']);
  expect(told('sum')).toEqual({ lines: ['2 passed, 1 failed, 1 skipped'], status: 1 });
  ran('again', { 'test/e2e/b.test.ts': { status: 'passed', tests: { one: 'passed', two: 'passed' } } });
  expect(told('sum')).toEqual({
    lines: [
      'passed only when its file was run again: test/e2e/b.test.ts › two',
      '3 passed, 0 failed, 1 skipped',
    ],
    status: 0,
  });
});

test('one that fails again has failed, whatever failed in it', () => {
  ran('alone', { 'test/e2e/b.test.ts': failed });
  ran('again', { 'test/e2e/b.test.ts': { status: 'failed', tests: { one: 'failed', two: 'passed' } } });
  expect(told('sum')).toEqual({
    lines: [
      'passed only when its file was run again: test/e2e/b.test.ts › two',
      '1 passed, 1 failed, 0 skipped',
    ],
    status: 1,
  });
});

test('a file that could not be run, or broke around its tests, counts as one failed', () => {
  ran('alone', {
    'test/e2e/a.test.ts': { status: 'failed', tests: {} },
    'test/e2e/b.test.ts': { status: 'failed', tests: { one: 'passed' } },
  });
  expect(told('sum')).toEqual({ lines: ['1 passed, 2 failed, 0 skipped'], status: 1 });
});

test.each([
  ['a rule failed', ['test/core/a.test.ts', 'test/e2e/b.test.ts']],
  ['many failed', [1, 2, 3, 4, 5, 6].map((n) => `test/e2e/${n}.test.ts`)],
])('nothing is run again where %s: it is no neighbour of this machine', (_, files) => {
  ran('rules', Object.fromEntries(files.map((file) => [file, failed])));
  expect(told('again').lines).toEqual([]);
});
