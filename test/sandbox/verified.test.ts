import { verified } from '../../sandbox/backups/verified';

/** As pgBackRest 2.45 says it, of a repository with one backup. */
const said = (...more: string[]): string[] => [
  '2030-01-01 07:43:46.434 P00 DETAIL: archiveId: 15-1, wal start: 000000010000000000000001, wal stop: 000000010000000000000009',
  '2030-01-01 07:43:46.434 P00   INFO: stanza: main',
  '                                      archiveId: 15-1, total WAL checked: 15, total valid WAL: 15',
  ...more,
  'stanza: main',
  '  archiveId: 15-1, total WAL checked: 15, total valid WAL: 15',
  '  backup: 20300101-073628F, status: valid, total files checked: 973, total valid files: 973',
];

it('counts every file once, log and backups', () =>
  expect(verified([...said(), 'status: ok'])).toEqual({ files: 988, damaged: [] }));

it('names a file that is not what it was', () => {
  const bad =
    "2030-01-01 07:40:41.525 P02   INFO: invalid checksum '20300101-073628F/pg_data/base/1/2838.zst'";
  expect(verified([...said(bad), 'status: error']).damaged).toEqual([
    "invalid checksum '20300101-073628F/pg_data/base/1/2838.zst'",
  ]);
});

it.each([
  [
    '00000001',
    ["segments of the log are missing between '000000010000000000000009' and '00000001000000000000000B'"],
  ],
  ['00000002', []],
])('holds a gap in the log against it, on one timeline (%s)', (timeline, damaged) => {
  const next = `P00 DETAIL: archiveId: 15-1, wal start: ${timeline}000000000000000B, wal stop: ${timeline}000000000000000F`;
  expect(verified([...said(next), 'status: ok']).damaged).toEqual(damaged);
});

it('is no verdict where something is wrong, and it does not say what', () =>
  expect(() => verified([...said(), 'status: error'])).toThrow('in disorder'));
