import type { RunReport } from '../../core/run';
import { SwitchoverError } from '../../core/errors';
import { Feeds } from '../../server/feeds';
import { until } from '../harness/until';
import { FakeOperations, reportOf } from './fake-operations';

const running = reportOf({ state: 'running', sentence: 'Restart it' });
const watching = reportOf({ state: 'watching', sentence: 'Prove it' });
const over = reportOf();
const never = new AbortController().signal;

function setUp(report: RunReport | null = running) {
  const operations = new FakeOperations();
  if (report) operations.put(report);
  return { operations, feeds: new Feeds(operations) };
}

async function all(reports: AsyncIterable<RunReport>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { state } of reports) seen.push(state);
  return seen;
}

test('a watcher sees the run as it is, each change, and the end', async () => {
  const { operations, feeds } = setUp();
  const reports = feeds.watch('run-1', never);
  expect((await reports.next()).value).toEqual(running);
  const next = reports.next();
  operations.put(watching);
  expect((await next).value).toEqual(watching);
  const last = reports.next();
  operations.put(over);
  expect((await last).value).toEqual(over);
  expect(await reports.next()).toEqual({ done: true, value: undefined });
  expect([feeds.size, operations.following]).toEqual([0, 0]);
});

test('all watchers of a run share one look at it, and a late one begins with the present', async () => {
  const { operations, feeds } = setUp();
  const early = [feeds.watch('run-1', never), feeds.watch('run-1', never)];
  await Promise.all(early.map((reports) => reports.next()));
  const waiting = early.map((reports) => reports.next());
  operations.put(watching);
  await Promise.all(waiting);
  const late = feeds.watch('run-1', never);
  expect((await late.next()).value).toEqual(watching);
  expect([feeds.size, operations.following]).toEqual([1, 1]);
  const rest = Promise.all([...early, late].map(all));
  operations.put(over);
  expect(await rest).toEqual([['recovered'], ['recovered'], ['recovered']]);
});

test('a slow watcher skips to the newest report and still sees the end', async () => {
  const { operations, feeds } = setUp();
  const slow = feeds.watch('run-1', never);
  const fast = feeds.watch('run-1', never);
  await slow.next();
  await fast.next();
  for (const report of [watching, running, over]) {
    const next = fast.next();
    operations.put(report);
    await next;
  }
  expect(await all(slow)).toEqual(['recovered']);
});

test('looking ends with the last watcher, not before', async () => {
  const { operations, feeds } = setUp();
  const leaving = [new AbortController(), new AbortController()];
  const reports = leaving.map(({ signal }) => feeds.watch('run-1', signal));
  await Promise.all(reports.map((each) => each.next()));
  const watchers = reports.map(all);
  leaving[0]!.abort();
  expect(await watchers[0]).toEqual([]);
  expect(operations.following).toBe(1);
  leaving[1]!.abort();
  await watchers[1];
  await until('nobody looks at it', () => operations.following === 0);
  expect(feeds.size).toBe(0);
});

test('a run is looked at anew by those who come after all had left', async () => {
  const { operations, feeds } = setUp();
  const first = feeds.watch('run-1', never);
  await first.next();
  await first.return();
  operations.put(watching);
  const second = feeds.watch('run-1', never);
  expect((await second.next()).value).toEqual(watching);
  await second.return();
});

test('an error reaches every watcher', async () => {
  const { feeds } = setUp(null);
  const watchers = [feeds.watch('run-1', never), feeds.watch('run-1', never)].map((reports) =>
    reports.next(),
  );
  for (const watcher of watchers) await expect(watcher).rejects.toThrow(SwitchoverError);
  expect(feeds.size).toBe(0);
});

test('an error after a report reaches those who saw the report', async () => {
  const { operations, feeds } = setUp();
  const reports = feeds.watch('run-1', never);
  await reports.next();
  const next = reports.next();
  operations.failure = new SwitchoverError('TEMPORAL_UNREACHABLE', 'gone');
  operations.put(watching);
  await expect(next).rejects.toThrow('gone');
});

test('closing ends every watch without an error', async () => {
  const { operations, feeds } = setUp();
  operations.put(reportOf({ run: 'run-2', state: 'paused' }));
  const reports = ['run-1', 'run-2'].map((run) => feeds.watch(run, never));
  await Promise.all(reports.map((each) => each.next()));
  const watchers = Promise.all(reports.map(all));
  feeds.close();
  expect(await watchers).toEqual([[], []]);
  await until('nobody looks any more', () => operations.following === 0);
});
