import { array, assert, constantFrom, integer, property, tuple } from 'fast-check';
import {
  archiveTrouble,
  differences,
  isAfter,
  newestOf,
  sourceFor,
  takenBy,
  targetTime,
  whyNoWayTo,
  type Backup,
  type BackupsView,
  type Repository,
  type ScratchState,
} from '../../core/backup';

const minute = (count: number): string => new Date(Date.UTC(2030, 0, 1, 0, count)).toISOString();

/** Taken within the minute before it ended. */
const backup = (ended: number, repository: Repository = 'near'): Backup => ({
  label: `${repository}-${ended}`,
  repository,
  type: 'full',
  startedAt: minute(ended - 1),
  stoppedAt: minute(ended),
  from: '0/1',
  to: '0/2',
  bytes: 1_000_000,
  storedBytes: 100_000,
  damaged: false,
  canary: { token: `run-${ended}`, at: minute(ended - 1) },
});
const view = (...backups: Backup[]): BackupsView => ({
  backups,
  trouble: {},
  archiving: { waiting: 0, lastAt: minute(1), failedAt: null },
});

it('the newest of a repository is the one that ended last, in whatever order they are listed', () => {
  const all = view(backup(20), backup(30), backup(10), backup(40, 'offsite'));
  expect(newestOf(all, 'near')?.label).toBe('near-30');
  expect(newestOf(view(), 'near')).toBeUndefined();
});

it('a backup is known by the step that took it', () => {
  const all = [backup(10), backup(20)];
  expect(takenBy(all, 'run-20')?.label).toBe('near-20');
  expect(takenBy(all, 'run-11')).toBeUndefined();
});

describe('the way to an instant', () => {
  it.each([
    [30, 'near-20'],
    [20, 'near-20'],
    [19, 'near-10'],
    [10, 'near-10'],
    [9, undefined],
  ])('to minute %d begins at %s: at the last backup that had ended', (at, label) =>
    expect(sourceFor(view(backup(10), backup(20)), minute(at))?.label).toBe(label),
  );

  it('begins at the near repository where both are equally good, and at the off-site one where that has a newer one', () => {
    const both = { ...backup(20, 'offsite'), stoppedAt: minute(20.5) };
    expect(sourceFor(view(backup(20), both), minute(30))?.repository).toBe('near');
    expect(sourceFor(view(backup(10), both), minute(30))?.repository).toBe('offsite');
  });

  it('never begins after it, and there is none only where no backup had ended before', () => {
    const ends = array(tuple(integer({ min: 1, max: 99 }), constantFrom<Repository[]>('near', 'offsite')), {
      maxLength: 8,
    });
    assert(
      property(ends, integer({ min: 0, max: 100 }), (list, at) => {
        const all = view(...list.map(([ended, repository]) => backup(ended, repository)));
        const source = sourceFor(all, minute(at));
        expect(source === undefined).toBe(list.every(([ended]) => ended > at));
        if (source) expect(isAfter(source.stoppedAt, minute(at))).toBe(false);
      }),
    );
  });

  it.each([
    [view(), minute(5), 'there is no backup at all'],
    [
      view(backup(10)),
      minute(5),
      `the oldest backup ended at ${minute(10)}, after ${minute(5)}: it leads only forwards`,
    ],
    [view(backup(10)), minute(99), `${minute(99)} is in the future; it is ${minute(50)}`],
    [view(backup(10)), minute(20), null],
  ])('is missing for a reason (%#)', (all, at, why) => expect(whyNoWayTo(all, at, minute(50))).toBe(why));
});

it.each([
  [undefined, 'the database does not say how far its log is archived'],
  [{ waiting: 1, lastAt: minute(1), failedAt: null }, null],
  [
    { waiting: 2, lastAt: minute(1), failedAt: null },
    `2 segments of the log wait to be archived, and the last segment was archived at ${minute(1)}`,
  ],
  [
    { waiting: 0, lastAt: null, failedAt: minute(2) },
    `archiving failed at ${minute(2)}, and nothing was archived before`,
  ],
])('archiving as %j is told as: %s', (archiving, told) => {
  const { archiving: _, ...rest } = view();
  expect(archiveTrouble({ ...rest, ...(archiving ? { archiving } : {}) })).toBe(told);
});

describe('a copy', () => {
  const state = (over: Partial<ScratchState> = {}): ScratchState => ({
    timeline: 1,
    lsn: '0/3',
    lastCommitAt: minute(20),
    canaries: [{ token: 'run-10', at: minute(9) }],
    relations: 5,
    wrong: [],
    ...over,
  });
  const canaries = [{ token: 'run-10', at: minute(9) }];

  it.each<[string, ScratchState, string | null, string[]]>([
    ['that has all', state(), null, []],
    ['of before its instant', state(), minute(20), []],
    [
      'without the row',
      state({ canaries: [] }),
      null,
      [`the row that run-10 left at ${minute(9)} is not in it`],
    ],
    [
      'with another row of that name',
      state({ canaries: [{ token: 'run-10', at: minute(8) }] }),
      null,
      [`the row that run-10 left at ${minute(9)} is not in it`],
    ],
    ['with a later commit', state(), minute(19), [`it has something of ${minute(20)}, after ${minute(19)}`]],
    ['with a damaged table', state({ wrong: ['known: bad'] }), null, ['known: bad']],
  ])('%s', (_, seen, to, wrong) => expect(differences(seen, { canaries, to })).toEqual(wrong));
});

it.each([
  ['2030-01-02T03:04:05Z', '2030-01-02 03:04:05.000000+00'],
  ['2030-01-02T03:04:05.1234567Z', '2030-01-02 03:04:05.123456+00'],
  ['2030-01-02T05:04:05.5+02:00', '2030-01-02 03:04:05.500000+00'],
])('%s is %s for PostgreSQL', (iso, told) => expect(targetTime(iso)).toBe(told));
