import { postgresRecords, type PostgresBooks } from '../../../activities/adapters/postgres-records';
import type { RunReport } from '../../../core/run';
import { JournalReader } from '../../../operations/journal';
import { linked } from '../../../operations/journal/chain';
import { startPostgres, type TestPostgres } from '../../harness/postgres';
import { reportOf } from '../../server/fake-operations';

/** The books of runs in a real PostgreSQL. Each test has an environment of its own. */
let journal: TestPostgres;
let environment: string;
let books: PostgresBooks;
let reader: JournalReader;
let tests = 0;

beforeAll(async () => {
  journal = await startPostgres('127.130.30.1');
});
afterAll(() => journal.stop());
beforeEach(() => {
  tests += 1;
  environment = `test-${tests}`;
  books = postgresRecords(journal.url, environment);
  reader = new JournalReader(journal.url, environment);
});
afterEach(() => Promise.all([books.close(), reader.close()]));

const EVER = '2000-01-01T00:00:00.000Z';
/** A node that was healed: `nth` names it, and the minute of its fault. */
const healed = (nth: number, rtoMs = 4_000, more: Partial<RunReport> = {}): RunReport => {
  const second = (s: number) => new Date(Date.UTC(2030, 0, 2, 3, nth, s)).toISOString();
  return reportOf({
    run: `run-${nth}`,
    trigger: 'monitor',
    by: 'monitor',
    startedAt: second(0),
    endedAt: second(9),
    clock: { faultAt: second(0), isolatedAt: second(1), provenAt: second(4) },
    actual: { rtoMs, sessionsLost: 0 },
    steps: [
      {
        id: 1,
        title: 'Take it out',
        kind: 'act',
        state: 'done',
        startedAt: second(0),
        endedAt: second(1),
        attempts: 1,
      },
      {
        id: 2,
        title: 'Restart it',
        kind: 'act',
        state: 'done',
        startedAt: second(1),
        endedAt: second(3),
        attempts: 1,
      },
    ],
    ...more,
  });
};
const keep = (...reports: RunReport[]) => books.keep(reports.map((report) => ({ report })));
const lines = async () =>
  (await reader.audit(100))
    .toReversed()
    .map(({ by, what, reason }) => `${by} ${what}${reason ? `, because ${reason}` : ''}`);

describe('a run', () => {
  it('is written with its steps and its audit, however often it is handed over', async () => {
    const decided = { kind: 'approve' as const, by: 'anna', reason: 'seen', at: '2030-01-02T03:01:05.000Z' };
    const open = healed(1, 4_000, {
      state: 'waiting for approval',
      trigger: 'manual',
      by: 'otto',
      reason: 'a hunch',
    });
    delete open.endedAt;
    await books.keep([{ report: open, door: 'the command line' }]);
    expect(await books.missing(['run-1', 'run-2'])).toEqual(['run-1', 'run-2']);
    const over = {
      ...healed(1),
      trigger: 'manual' as const,
      by: 'otto',
      reason: 'a hunch',
      decisions: [decided],
    };
    await books.keep([{ report: over, door: 'the command line' }]);
    await books.keep([{ report: over, door: 'the command line' }]);
    expect(await books.missing(['run-1', 'run-2'])).toEqual(['run-2']);
    expect(await lines()).toEqual([
      'otto started node-failover on node/us-east-1/a/n1 (execute) through the command line, because a hunch',
      'anna approve, because seen',
      'node-failover recovered: us-east-1/a/n1 was restarted and serves again',
    ]);
    const steps = await journal.query(
      `select step, title, state from steps where environment = '${environment}' order by step`,
    );
    expect(steps).toEqual([
      { step: 1, title: 'Take it out', state: 'done' },
      { step: 2, title: 'Restart it', state: 'done' },
    ]);
  });

  it('proves its runbook, and tells how long the next one will take', async () => {
    await keep(...[1, 2, 3, 4].map((nth) => healed(nth, nth * 1_000)));
    await keep(
      healed(5, 90_000, { mode: 'plan' }),
      healed(6, 90_000, { state: 'aborted' }),
      healed(7, 90_000, { steps: [] }),
    );
    expect(await reader.history(EVER)).toEqual({
      'node-failover': { runs: 4, provenAt: '2030-01-02T03:04:09.000Z', p95Ms: 3_850 },
    });
  });

  it('counts in the report of recoveries, by level and region', async () => {
    await keep(
      healed(1, 4_000),
      healed(3, 6_000),
      healed(9, 2_000, { state: 'escalated', actual: { sessionsLost: 3 } }),
    );
    expect(await reader.recovery(['node-failover'], EVER)).toEqual([
      {
        runbook: 'node-failover',
        level: 'node',
        region: 'us-east-1',
        count: 3,
        recovered: 2,
        mttrP50Ms: 5_000,
        mttrP95Ms: 5_900,
        mtbfMs: 240_000,
        objectiveMs: 5_000,
        rtoAchieved: 1,
        rpoAchieved: 2,
        rpoCounted: 3,
      },
    ]);
  });

  it('counts there where it was told of a fault, or is there for one', async () => {
    const planned = { clock: {}, actual: {}, trigger: 'manual' as const };
    await keep(
      healed(1, 4_000, { runbook: 'partition-response' }),
      healed(2, 4_000, { runbook: 'rebalance', ...planned }),
      healed(3, 4_000, { runbook: 'zone-failover', ...planned }),
    );
    const rows = await reader.recovery(['zone-failover'], EVER);
    expect(rows.map(({ runbook, count }) => [runbook, count])).toEqual([
      ['partition-response', 1],
      ['zone-failover', 1],
    ]);
  });
});

describe('the audit', () => {
  const hand = (statement: string) =>
    journal.query(
      `begin; alter table audit disable trigger all; ${statement}; alter table audit enable trigger all; commit`,
    );
  const misfit = async () => {
    const { misfit: found } = await reader.verify();
    return found && [found.row.seq, found.why];
  };

  it('takes no changes', async () => {
    await keep(healed(1));
    for (const change of ['update audit set what = $$nothing$$', 'delete from audit'])
      await expect(journal.query(`${change} where environment = '${environment}'`)).rejects.toThrow(
        /the audit takes no changes: \w+ of row \d/,
      );
    expect(await reader.verify()).toMatchObject({ rows: 2, misfit: null, end: { seq: 2 } });
  });

  it.each([
    [
      'that is changed',
      `update audit set by_whom = 'nobody' where seq = 3`,
      3,
      'it does not say what it said',
    ],
    ['that is taken out', `delete from audit where seq = 3`, 4, 'rows between them are gone'],
    ['that was the first', `delete from audit where seq = 1`, 2, 'rows between them are gone'],
  ])('names the first row %s by hand', async (_, statement, seq, why) => {
    await keep(healed(1), healed(2), healed(3));
    expect(await misfit()).toBeNull();
    await hand(statement.replace(/where/g, `where environment = '${environment}' and`));
    expect(await misfit()).toEqual([seq, expect.stringContaining(why)]);
  });

  it('names the row behind one whose hash was made to fit too', async () => {
    await keep(healed(1), healed(2));
    const [, third, second] = await reader.audit(3);
    const [forged] = linked(second!, [{ ...third!, by: 'nobody' }]);
    await hand(
      `update audit set by_whom = 'nobody', hash = '${forged!.hash}' where environment = '${environment}' and seq = 3`,
    );
    expect(await misfit()).toEqual([4, expect.stringContaining('row 3 before it is not the one')]);
  });

  it('has the moves of the lever once', async () => {
    const move = {
      key: 'lever/1',
      at: '2030-01-02T03:04:05.000Z',
      kind: 'lever' as const,
      by: 'ada',
      what: 'engaged the safety lever',
      reason: 'a storm',
    };
    await books.note([move]);
    await books.note([move]);
    expect(await lines()).toEqual(['ada engaged the safety lever, because a storm']);
  });

  it('forgets what is past its time, from the oldest row on, and still fits', async () => {
    await keep(healed(1), healed(2), healed(3));
    expect(await books.prune('2030-01-02T03:02:05.000Z')).toBe(3);
    expect(await books.prune('2030-01-02T03:02:05.000Z')).toBe(0);
    expect(await reader.verify()).toMatchObject({ rows: 3, misfit: null, end: { seq: 6 } });
    await keep(healed(4));
    expect(await reader.verify()).toMatchObject({ rows: 5, misfit: null, end: { seq: 8 } });
    expect(await books.prune('2031-01-01T00:00:00.000Z')).toBe(5);
    await keep(healed(5));
    expect(await reader.verify()).toMatchObject({ rows: 2, misfit: null, end: { seq: 10 } });
  });

  it('is one chain, although two write at once', async () => {
    const other = postgresRecords(journal.url, environment);
    const all = Array.from({ length: 20 }, (_, i) => healed(i + 1));
    await Promise.all(all.map((report, i) => (i % 2 ? other : books).keep([{ report }])));
    await other.close();
    expect(await reader.verify()).toMatchObject({ rows: 40, misfit: null });
  });
});

it('without anything written everything is empty', async () => {
  expect([
    await reader.history(EVER),
    await reader.recovery(['node-failover'], EVER),
    await reader.audit(9),
  ]).toEqual([{}, [], []]);
  expect(await reader.verify()).toEqual({ rows: 0, misfit: null, end: { seq: 0, hash: '' } });
});

it('while it is away nothing is written, and everything is afterwards', async () => {
  await keep(healed(1));
  await journal.crash();
  await expect(keep(healed(2))).rejects.toMatchObject({ code: 'JOURNAL_UNREACHABLE' });
  await expect(reader.history(EVER)).rejects.toMatchObject({ code: 'JOURNAL_UNREACHABLE' });
  await journal.start();
  await keep(healed(2));
  expect(await reader.verify()).toMatchObject({ rows: 4, misfit: null });
});
