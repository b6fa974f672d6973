import type { AlertRef } from '../../core/run';
import { postgresInbox } from '../../server/postgres-inbox';
import type { Inbox } from '../../server/inbox';
import { startPostgres, type TestPostgres } from '../harness/postgres';
import { until } from '../harness/until';

let postgres: TestPostgres;
let inbox: Inbox<AlertRef>;
let warned: string[];

beforeAll(async () => (postgres = await startPostgres('127.151.0.21')));
afterAll(() => postgres.stop());
beforeEach(() => {
  warned = [];
  inbox = open();
});
afterEach(async () => {
  await inbox.close();
  await postgres.query('drop table if exists alert_inbox');
});

const open = (leaseMs = 15_000, environment = 'test') =>
  postgresInbox<AlertRef>(postgres.url, environment, (sentence) => warned.push(sentence), leaseMs);
const alert = (fingerprint: string): AlertRef => ({
  source: 'alertmanager',
  fingerprint,
  summary: 'it\'s "down"',
  faultAt: '2030-01-02T03:04:05.678Z',
});
const left = async () => (await postgres.query('select fingerprint from alert_inbox')).length;

test('what was kept is there until it is dealt with, also for whoever comes after a crash', async () => {
  const gone = open(0);
  const alerts = Array.from({ length: 1_200 }, (_, i) => alert(`f${i}`));
  expect(await Promise.all(alerts.map((each) => gone.keep(each)))).toEqual(alerts.map(() => true));
  await gone.done(alerts[0]!);
  await gone.close();
  await postgres.crash();
  await postgres.start();
  const found = await until('it answers again', async () => {
    const due = await inbox.due(2_000);
    return due.length > 0 && due;
  });
  const names = (items: AlertRef[]) => items.map(({ fingerprint }) => fingerprint).sort();
  expect(names(found)).toEqual(names(alerts.slice(1)));
  expect(found).toContainEqual(alerts[1]);
});

test('an alert that is sent twice is kept once', async () => {
  await Promise.all([inbox.keep(alert('f')), inbox.keep(alert('f'))]);
  await inbox.keep(alert('f'));
  expect(await left()).toBe(1);
});

test('nobody gets what is in hand; two that look at once do not get the same', async () => {
  await inbox.keep(alert('in hand'));
  expect(await inbox.due(10)).toEqual([]);
  const gone = open(0);
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => gone.keep(alert(name))));
  await gone.close();
  const other = open();
  const got = (await Promise.all([inbox.due(2), other.due(4), inbox.due(4)])).flat();
  await other.close();
  expect(got.map(({ fingerprint }) => fingerprint).sort()).toEqual(['a', 'b', 'c', 'd']);
});

test('what is put off is due again, and what belongs to another environment is not', async () => {
  const elsewhere = open(0, 'other');
  await elsewhere.keep(alert('elsewhere'));
  await elsewhere.close();
  await inbox.keep(alert('put off'));
  await inbox.later(alert('put off'));
  const due = await until('it is due', async () => {
    const found = await inbox.due(10);
    return found.length > 0 && found;
  });
  expect(due).toEqual([alert('put off')]);
});

test('away, it says so once and keeps nothing; back, it keeps again', async () => {
  await inbox.keep(alert('before'));
  await postgres.crash();
  expect(await inbox.keep(alert('meanwhile'))).toBe(false);
  expect(await inbox.keep(alert('meanwhile'))).toBe(false);
  expect(await inbox.due(10)).toEqual([]);
  await postgres.start();
  await until('it keeps again', () => inbox.keep(alert('after')));
  expect(warned).toEqual([
    expect.stringMatching(/^alerts cannot be kept in the journal; who sends them waits meanwhile: /),
    'alerts are kept in the journal again',
  ]);
  expect(await left()).toBe(2);
});
