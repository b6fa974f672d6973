import { readFileSync } from 'node:fs';
import { ERRORS } from '../../core/errors';

/** Rows of the table in docs/errors.md: code, retryable, HTTP status, exit status, hint. */
function documented(): Record<string, unknown> {
  const rows = readFileSync('docs/errors.md', 'utf8').matchAll(
    /^\| `(\w+)` +\| (yes|no) +\| (\d+) +\| (\d+) +\| (.+?) +\|$/gm,
  );
  return Object.fromEntries(
    [...rows].map(([, code, retryable, http, exit, hint]) => [
      code,
      { retryable: retryable === 'yes', http: Number(http), exit: Number(exit), hint },
    ]),
  );
}

it('docs/errors.md is the error table', () => expect(documented()).toEqual(ERRORS));
