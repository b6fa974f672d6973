// Reads what jest wrote of the runs of `scripts/test`.
// Usage: test-results.mjs again FOLDER   the files of real fleets that failed, one a line; none where so many did that it is the project
//        test-results.mjs sum FOLDER     what passed only when its file was run again, and `N passed, N failed, N skipped`
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Where tests run real parts on a machine that others use too: a neighbour may hold a process up for seconds. */
const REAL = /^test\/(e2e|sandbox|workflows)\//;
/** More failed files than this are no neighbour's doing. */
const MOST_AGAIN = 5;
/** The run of those that had failed. */
const AGAIN = 'again';

/** The tests of a run as `file › name`, with how they ended; what breaks around the tests of a file counts as one failed. */
function outcomes(results) {
  return results.testResults.flatMap(({ name, status, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const tests = assertionResults.map(({ fullName, status: end }) => ({
      file,
      test: `${file} › ${fullName}`,
      end,
    }));
    const broken = status === 'failed' && tests.every(({ end }) => end !== 'failed');
    return broken ? [...tests, { file, test: file, end: 'failed' }] : tests;
  });
}

const [, , what, folder] = process.argv;
const read = (run) => outcomes(JSON.parse(readFileSync(join(folder, run), 'utf8')));
const first = readdirSync(folder)
  .filter((run) => run !== AGAIN)
  .flatMap(read);
const failed = first.filter(({ end }) => end === 'failed');

if (what === 'again') {
  const files = [...new Set(failed.map(({ file }) => file))];
  if (files.length <= MOST_AGAIN && files.every((file) => REAL.test(file)))
    files.forEach((file) => console.log(file));
} else if (first.length > 0) {
  const again = existsSync(join(folder, AGAIN)) ? read(AGAIN) : [];
  const rerun = new Set(again.map(({ file }) => file));
  const still = new Set(again.filter(({ end }) => end === 'failed').map(({ test }) => test));
  for (const { file, test } of failed)
    if (rerun.has(file) && !still.has(test)) console.log(`passed only when its file was run again: ${test}`);
  const last = [...first.filter(({ file }) => !rerun.has(file)), ...again];
  const count = (...ends) => last.filter(({ end }) => ends.includes(end)).length;
  console.log(
    `${count('passed')} passed, ${count('failed')} failed, ${count('pending', 'todo', 'skipped', 'disabled')} skipped`,
  );
  process.exitCode = count('failed') > 0 ? 1 : 0;
}
