import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** docs/requirements.md says nothing that is not there. */
const ROOT = join(__dirname, '../..');
const ROWS = readFileSync(join(ROOT, 'docs/requirements.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [A-Z]/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

/** What a cell names, as `path` or `path › test`. */
const named = (cell = '') =>
  cell.split(/, (?=[a-z]+\/)/).map((each) => {
    const [path = '', name] = each.split(' › ');
    return { path, name };
  });

describe.each(ROWS)('%s%s', (_, row, runbook, code, test) => {
  it.each(named(code))('$path exists', ({ path }) => expect(existsSync(join(ROOT, path))).toBe(true));

  it.each(named(test))('$path holds it: $name', ({ path, name }) => {
    const source = readFileSync(join(ROOT, path), 'utf8');
    expect(name ? source.includes(name) : /\b(it|test)[.(]/.test(source)).toBe(true);
  });

  if (runbook !== '–')
    it(`runbook ${runbook} exists`, () =>
      expect(existsSync(join(ROOT, 'runbooks', `${runbook}.yaml`))).toBe(true));

  it('the row is one of the requirements', () => expect(row).toMatch(/^[A-Z]\d+(, [A-Z]\d+)*$/));
});

it('the table was read', () => expect(ROWS.length).toBeGreaterThan(5));
