import type { Config } from '../../core/config';
import { describe as inWords } from '../../core/schema';
import { difference, scheduleProblems, schedulesOf, timesOf } from '../../core/schedules';
import { dueOf, runDue } from '../../core/tick';
import { catalogue } from '../../operations';
import { environmentFile } from '../../sandbox/environment';
import { DEFAULTS } from '../../sandbox/settings';

type Changes = NonNullable<Config['schedules']>;

const config = (schedules: Changes = {}, more: Partial<Config> = {}): Config => ({
  ...environmentFile(DEFAULTS),
  ...more,
  schedules,
});
const names = (of: { name: string }[]) => of.map(({ name }) => name);

describe('what is planned', () => {
  it('are the times of the requirements, unless the environment says otherwise', () => {
    const { planned } = schedulesOf(catalogue, config());
    const times = Object.fromEntries(planned.map((plan) => [plan.name, timesOf(plan)]));
    expect(times).toMatchObject({
      'backup-full': '0 2 * * * UTC',
      'backup-incremental': '*/15 * * * * UTC',
      'backup-verify': 'daily 04:00 UTC',
    });
  });

  it.each<[string, Changes, object]>([
    ['another time', { 'backup-full': { cron: '0 3 * * *' } }, { cron: '0 3 * * *', overlap: 'skip' }],
    [
      'a calendar in the place of a cron',
      { 'backup-full': { calendar: { days: ['sun'], at: ['01:30'] } } },
      { calendar: { days: ['sun'], at: ['01:30'] }, cron: undefined },
    ],
    [
      'another policy',
      { 'backup-full': { overlap: 'buffer one', catchUp: '1d' } },
      { overlap: 'buffer one', catchUpMs: 86_400_000 },
    ],
  ])('%s', (_, changes, plan) => {
    const found = schedulesOf(catalogue, config(changes)).planned.find(({ name }) => name === 'backup-full');
    expect({ cron: undefined, ...found }).toMatchObject(plan);
  });

  it('is not what is switched off, what the environment has not, or what nobody has named the target of', () => {
    const { backups, ...without } = config({ 'component-drill': { off: true } });
    const { planned, off } = schedulesOf(catalogue, without);
    expect(backups).toBeDefined();
    expect(names(planned)).toEqual([]);
    const why = Object.fromEntries(off.map((one) => [one.name, one.why]));
    expect(why['component-drill']).toBe('switched off in the environment file');
    expect(why['backup-full']).toMatch(/has no backups/);
    const unnamed = schedulesOf(catalogue, config()).off.find(({ name }) => name === 'component-drill');
    expect(unnamed?.why).toBe(
      'schedules.component-drill.input.node is missing: the environment file has to say',
    );
  });
});

describe('the environment file', () => {
  test.each<[string, Changes, string]>([
    [
      'a schedule there is not',
      { 'backup-ful': { off: true } },
      'schedules.backup-ful: is no schedule of the catalogue',
    ],
    [
      'two ways to say when',
      { 'backup-full': { cron: '0 3 * * *', calendar: { at: ['03:00'] } } },
      'schedules.backup-full: has both cron and calendar',
    ],
    [
      'an input the runbook does not take',
      { 'backup-full': { input: { node: 'x' } } },
      'schedules.backup-full.input.node: is not a known field',
    ],
    [
      'an input that does not fit',
      { 'component-drill': { input: { node: 'n1' } } },
      'schedules.component-drill.input.node: must match pattern',
    ],
  ])('%s is named', (_, changes, problem) => {
    expect(inWords(scheduleProblems(catalogue, changes))).toContain(problem);
  });

  it('that is right has no problems', () => {
    expect(
      scheduleProblems(catalogue, {
        'backup-full': { cron: '0 3 * * *' },
        'component-drill': { input: { node: 'us-east-1/a/n1' } },
      }),
    ).toEqual([]);
  });
});

describe('what has to be done', () => {
  const one = (name: string, version = '1') => ({ name, version });
  test.each<[string, object[], object[], object]>([
    ['nothing', [], [], {}],
    ['make what is missing', [one('a')], [], { create: ['a'] }],
    ['leave what is as planned', [one('a')], [one('a')], {}],
    ['change what is otherwise', [one('a', '2')], [one('a')], { update: ['a'] }],
    ['change what nobody knows the version of', [one('a')], [{ name: 'a' }], { update: ['a'] }],
    ['end what is not planned any more', [one('a')], [one('a'), one('b')], { remove: ['b'] }],
    [
      'all of it',
      [one('a', '2'), one('c')],
      [one('a'), one('b')],
      { create: ['c'], update: ['a'], remove: ['b'] },
    ],
  ])('%s', (_, planned, present, wanted) => {
    expect(difference(planned as never, present as never)).toEqual({
      create: [],
      update: [],
      remove: [],
      ...wanted,
    });
  });

  it('is nothing once it was done', () => {
    const planned = [one('a', '2'), one('c')];
    expect(difference(planned, planned)).toEqual({ create: [], update: [], remove: [] });
  });
});

it('the time at which a run was due names it', () => {
  const due = dueOf('schedule-production-backup-full-2030-01-02T02:00:00Z');
  expect(due).toBe('2030-01-02T02:00:00.000Z');
  expect(runDue('backup-full', due)).toBe('backup-full-due-20300102-020000');
});
