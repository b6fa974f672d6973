import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

const TESTS = join(__dirname, '..');
/** A slot of `smallSandbox`, and a block that is named. */
const SLOT = /smallSandbox\((\d+)\)/g;
const BLOCK = /(?:testFleet\(\{ block: |const BLOCK = ')(\d+)/g;

it('no two test files have one block of addresses: the second to come would take the first one’s sandbox down', () => {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  const users = new Map<number, string[]>();
  for (const file of files) {
    const text = readFileSync(join(TESTS, file), 'utf8');
    const blocks = [
      ...[...text.matchAll(SLOT)].map(([, slot]) => 100 + 4 * Number(slot)),
      ...[...text.matchAll(BLOCK)].map(([, block]) => Number(block)),
    ];
    for (const block of new Set(blocks)) users.set(block, [...(users.get(block) ?? []), relative('.', file)]);
  }
  expect(users.size).toBeGreaterThan(20);
  expect([...users].filter(([, those]) => those.length > 1)).toEqual([]);
});
