import { schedulesPage } from '../../cli/render/schedules';
import type { ScheduleView } from '../../operations/schedules';
import { look } from './fixtures';

const view: ScheduleView = {
  name: 'backup-full',
  runbook: 'backup-full',
  times: '0 2 * * * UTC',
  input: {},
  mode: 'execute',
  next: '2030-01-03T02:00:00.000Z',
  last: { due: '2030-01-02T02:00:00.000Z', run: 'backup-full-due-20300102-020000' },
  missed: { count: 0, latest: [] },
};
const page = (schedules: ScheduleView[], off: Parameters<typeof schedulesPage>[0]['off'] = []) =>
  schedulesPage({ schedules, off }, look());

it('a schedule is a line: when it is due, next and last, and what it missed', () => {
  const [head, line, ...rest] = page([view]);
  expect(head).toMatch(/schedule +due +next +last +missed/);
  expect(line).toMatch(/backup-full +0 2 \* \* \* UTC +01-03 02:00:00Z +01-02 02:00:00Z +0/);
  expect(rest).toEqual([]);
});

it('one that is paused says by whom and why, and what it missed last', () => {
  const { next, ...without } = view;
  const missed = {
    schedule: 'backup-full',
    at: '2030-01-03T02:00:00.000Z',
    kind: 'paused' as const,
    why: 'the schedule is paused: ada: the disk is full',
  };
  const lines = page([
    { ...without, paused: 'ada: the disk is full', missed: { count: 7, latest: [missed] } },
  ]);
  expect(next).toBeDefined();
  expect(lines[1]).toMatch(/paused +01-02 02:00:00Z +7/);
  expect(lines.slice(2)).toEqual([
    '! backup-full is paused: ada: the disk is full',
    '! backup-full missed 01-03 02:00:00Z: the schedule is paused: ada: the disk is full',
  ]);
});

it('where there is none it says so, and why the environment does without', () => {
  const why = 'environment small has no backups';
  expect(page([], [{ name: 'backup-full', runbook: 'backup-full', why }])).toEqual([
    'Nothing is carried out by itself.',
    `· backup-full: ${why}`,
  ]);
});
