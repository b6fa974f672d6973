import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { postgresRecords, type PostgresBooks } from '../../../activities/adapters/postgres-records';
import type { Deps } from '../../../activities/deps';
import { journalKeeping } from '../../../activities/journal/keep';
import { Operations } from '../../../operations';
import { JournalReader } from '../../../operations/journal';
import { startPostgres, type TestPostgres } from '../../harness/postgres';
import { until } from '../../harness/until';
import { hangs, useLab } from '../../workflows/lab';
import catalogue from '../../workflows/lab/catalogue';
import { development } from '../../workflows/lab/servers';

/** The books are kept from what Temporal has: real runs of the engine, a real PostgreSQL that goes away and comes back. */
const lab = useLab(development);
let journal: TestPostgres;
let books: PostgresBooks;
let reader: JournalReader;
let operations: Operations;
let nodes = 0;
let keeping: { activity: MockActivityEnvironment; done: Promise<unknown> } | undefined;

beforeAll(async () => {
  journal = await startPostgres('127.130.30.2');
  books = postgresRecords(journal.url, 'lab');
  reader = new JournalReader(journal.url, 'lab');
  operations = new Operations(lab().env.client, 'lab', catalogue);
});
afterEach(() => letGo());
afterAll(async () => {
  await Promise.all([books.close(), reader.close()]);
  await journal.stop();
});

/** A keeper as a worker would run it, until it is let go. */
function keep(): void {
  const activity = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const deps = { operations, books, client: lab().env.client, config: {} } as unknown as Deps;
  keeping = { activity, done: activity.run(journalKeeping(deps).keepBooks, { forMs: 60_000 }) };
}

async function letGo(): Promise<void> {
  keeping?.activity.cancel('CANCELLED');
  await keeping?.done.catch(() => undefined);
  keeping = undefined;
}

async function start(lines: string[]): Promise<string> {
  nodes += 1;
  const input = { node: `us-east-1/a/n${nodes}`, lines };
  const { run } = await operations.start({
    runbook: 'lab-undo',
    input,
    by: 'grace',
    door: 'the command line',
    reason: 'a test',
  });
  return run;
}

const ended = async (run: string) => operations.wait(run, 20_000);
const told = async (run: string) =>
  (await reader.audit(1_000))
    .toReversed()
    .filter((one) => one.run === run)
    .map(({ by, what }) => `${by} ${what}`);
const isKept = (run: string) =>
  until(`${run} is in the books`, async () => (await books.missing([run])).length === 0);

it('a run that is over is in the books within seconds, and what happened before the keeper was there too', async () => {
  const before = await start(['act drain']);
  await ended(before);
  keep();
  await isKept(before);
  const after = await start(['look pool', 'act drain']);
  await ended(after);
  await isKept(after);
  expect(await told(after)).toEqual([
    `grace started lab-undo on node/us-east-1/a/n${nodes} (execute) through the command line`,
    'lab-undo succeeded: every line was played',
  ]);
  const steps = await journal.query(`select title, state from steps where run = '${after}' order by step`);
  expect(steps).toEqual([
    { title: 'look pool', state: 'done' },
    { title: 'act drain', state: 'done' },
  ]);
});

it('no run waits for a journal that is away, and all of it is caught up', async () => {
  keep();
  await journal.crash();
  lab().otherwise = { 'act hold': hangs() };
  const runs = await Promise.all([start(['act drain']), start(['act ramp']), start(['act hold'])]);
  const held = lab().run(runs[2]);
  await held.world.begins('act hold');
  await held.decide('pause', { by: 'ada', reason: 'wait' });
  await held.decide('resume', { by: 'ada', reason: 'go on' });
  held.world.release('act hold');
  await operations.moveLever({ engaged: true, by: 'ada', reason: 'the monitor is wrong' });
  await operations.moveLever({ engaged: false, by: 'ada', reason: 'it is mended' });
  for (const run of runs) expect(await ended(run)).toMatchObject({ state: 'succeeded' });
  await journal.start();
  for (const run of runs) await isKept(run);
  expect((await told(runs[2])).slice(1, 3)).toEqual(['ada pause', 'ada resume']);
  const moves = await until('the lever is in the audit', async () => {
    const found = (await reader.audit(1_000)).filter(({ kind }) => kind === 'lever');
    return found.length === 2 && found.toReversed();
  });
  expect(moves.map(({ what, reason }) => [what, reason])).toEqual([
    ['engaged the safety lever', 'the monitor is wrong'],
    ['released the safety lever', 'it is mended'],
  ]);
  expect(await reader.verify()).toMatchObject({ misfit: null });
});

it('a run that goes on has its decisions in the audit, and one that is terminated its end', async () => {
  keep();
  lab().otherwise = { 'act hold': hangs() };
  const run = await start(['act hold', 'act ramp']);
  const held = lab().run(run);
  await held.world.begins('act hold');
  await held.decide('pause', { by: 'ada', reason: 'wait' });
  await until('the decision is in the audit', async () => (await told(run)).includes('ada pause'));
  expect(await books.missing([run])).toEqual([run]);
  await held.terminate();
  held.world.release('act hold');
  await isKept(run);
  expect((await told(run)).at(-1)).toMatch(/^lab-undo aborted: the workflow was terminated in Temporal/);
});
