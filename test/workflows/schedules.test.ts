import { schedulesOf, type Planned } from '../../core/schedules';
import { dueOf } from '../../core/tick';
import { Operations } from '../../operations';
import { describe as describeSchedule, keepSchedules, scheduleId } from '../../operations/schedules';
import { until } from '../harness/until';
import { NODE, fails, hangs, useLab } from './lab';
import catalogue from './lab/catalogue';
import { development } from './lab/servers';

const lab = useLab(development);
const NAME = 'lab-planned';
let operations: Operations;

beforeAll(() => {
  operations = new Operations(lab().env.client, 'lab', catalogue);
});

/** Has the schedule's runs carry out these lines. */
const plan = (change: object = {}): Planned[] => {
  lab().config.schedules = { [NAME]: { input: { node: NODE, lines: ['act backup'] }, ...change } };
  return schedulesOf(catalogue, lab().config).planned;
};
const keep = (planned: Planned[]) => keepSchedules(lab().env.client, 'lab', planned);
const view = async () => (await operations.schedules())[0];

/** What the schedule has started, by the time it was due, oldest first. */
async function ticks() {
  const { client } = lab().env;
  const found = [];
  for await (const one of client.workflow.list({
    query: `TemporalScheduledById = "${scheduleId('lab', NAME)}"`,
  }))
    found.push({
      due: dueOf(one.workflowId),
      from: one.startTime,
      until: one.closeTime,
      status: one.status.name,
    });
  return found.sort((a, b) => a.due.localeCompare(b.due));
}

afterEach(async () => {
  await keep([]);
  // Its books outlive schedules, and each test has its own.
  const timekeeper = lab().env.client.workflow.getHandle('timekeeper-lab');
  await timekeeper.terminate().catch(() => undefined);
});

describe('a month of ticks, a second each', () => {
  it('none is lost, none is doubled and none overlap, though the worker is another one halfway', async () => {
    const TICKS = 31;
    await keep(plan());
    await until('half of them have been', async () => (await ticks()).length >= TICKS / 2, 120_000);
    await lab().restart();
    await until('all of them have been', async () => (await ticks()).length >= TICKS, 120_000);
    await operations.moveSchedule({ name: NAME, paused: true, by: 'ada', reason: 'the month is over' });
    const month = await until('those begun are over', async () => {
      const found = await ticks();
      return found.every(({ status }) => status === 'COMPLETED') && found;
    });
    const seconds = month.map(({ due }) => Date.parse(due) / 1000);
    const first = seconds[0]!;
    expect(seconds).toEqual(seconds.map((_, nth) => first + nth));
    month.slice(1).forEach(({ from }, before) => {
      expect(from.getTime()).toBeGreaterThanOrEqual(month[before]!.until!.getTime());
    });
    const runs = (await operations.list({ limit: 1000, runbook: 'lab-planned' })).filter(({ run }) =>
      run.startsWith(`${NAME}-due-`),
    );
    expect(runs).toHaveLength(month.length);
  }, 300_000);
});

describe('a schedule', () => {
  it('whose run ends badly is paused, and says why', async () => {
    lab().otherwise = { 'act backup': fails('the disk is full') };
    await keep(plan());
    const paused = await until('it is paused', async () => (await view())?.paused);
    expect(paused).toMatch(/fail/i);
    expect((await ticks()).filter(({ status }) => status === 'FAILED').length).toBeGreaterThan(0);
    const [failed] = (await view())!.missed.latest;
    expect(failed).toMatchObject({ kind: 'failed', why: expect.stringContaining('the disk is full') });
  });

  it('that a person has paused stays so when it is planned anew, and nothing of others is touched', async () => {
    const { client } = lab().env;
    await keep(plan());
    await operations.moveSchedule({ name: NAME, paused: true, by: 'ada', reason: 'the disk is full' });
    await client.schedule.create({
      scheduleId: 'schedule-lab-of-somebody-else',
      spec: { calendars: [{ hour: 1 }] },
      action: { type: 'startWorkflow', workflowType: 'other', taskQueue: 'other' },
    });
    expect(await keep(plan())).toEqual([]);
    expect(await keep(plan({ cron: '0 1 * * *' }))).toEqual([`${NAME} was changed: 0 1 * * * UTC`]);
    expect(await view()).toMatchObject({ times: '0 1 * * * UTC', paused: 'ada: the disk is full' });
    expect(await keep(plan({ off: true }))).toEqual([`${NAME} was ended`]);
    expect(await describeSchedule(client, 'lab', NAME)).toBeUndefined();
    await client.schedule.getHandle('schedule-lab-of-somebody-else').delete();
  });

  it('that there is not is named', async () => {
    const move = { name: 'backups', paused: true, by: 'ada', reason: 'x' };
    await expect(operations.moveSchedule(move)).rejects.toMatchObject({ code: 'UNKNOWN_SCHEDULE' });
  });

  it('is carried out now in the name of whoever asks', async () => {
    lab().otherwise = {};
    await keep(plan({ cron: '0 1 * * *' }));
    const { run } = await operations.triggerSchedule({ name: NAME, by: 'ada', reason: 'before the move' });
    expect(await operations.wait(run, 30_000)).toMatchObject({
      by: 'ada',
      reason: 'before the move',
      trigger: 'manual',
      state: 'succeeded',
    });
  });
});

describe('the timekeeper', () => {
  it('plans what there is to be, and tells once of what was missed, whatever kept it', async () => {
    lab().otherwise = { 'act backup': hangs() };
    plan();
    const book = async () => (await view())?.missed;
    const { notices } = lab().run('timekeeper-lab').world;
    const before = notices.length;
    const told = () => notices.length - before;
    await operations.keepTime(500);
    const { run } = await until('a run is at work', async () => (await view())?.last);
    expect(await until('it was begun', () => operations.show(run))).toMatchObject({
      by: `schedule ${NAME}`,
      trigger: 'schedule',
    });
    await operations.moveSchedule({ name: NAME, paused: true, by: 'ada', reason: 'the disk is full' });
    const missed = await until('three were missed', async () => {
      const now = await book();
      return now && now.count >= 3 && now;
    });
    expect(missed.latest.at(-1)).toMatchObject({
      kind: 'paused',
      why: 'the schedule is paused: ada: the disk is full',
    });
    expect(told()).toBe(1);
    lab().run(run).world.release('act backup');
    plan({ off: true });
    await operations.keepTime(500);
    await until('it is ended', async () => (await view()) === undefined);
  });

  it('tells of a run that was refused, which pauses nothing', async () => {
    lab().otherwise = {};
    lab().run('coordinator-lab').world.scripts('launchRun', fails('the lever is engaged', 'LEVER_ENGAGED'));
    await keep(plan());
    const refused = await until('one was refused', async () =>
      (await view())?.missed.latest.find(({ kind }) => kind === 'refused'),
    );
    expect(refused.why).toContain('the lever is engaged');
    expect((await view())?.paused).toBeUndefined();
  });
});
