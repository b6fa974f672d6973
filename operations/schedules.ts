import { createHash } from 'node:crypto';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client';
import { SwitchoverError } from '../core/errors';
import type { Books, Missed } from '../core/missed';
import { difference, timesOf, type Planned } from '../core/schedules';
import { dueOf, runDue, type Tick } from '../core/tick';
import { TASK_QUEUE, missedRuns, timekeeperId } from '../workflows/messages';

/**
 * Temporal Schedules of an environment (REQUIREMENTS U3). Ours are told by their memo, so nobody else's is touched; what is planned for
 * one travels in its action's memo, so one that is as planned is left alone.
 */

/** A schedule as it stands; times ISO. */
export interface ScheduleView {
  name: string;
  runbook: string;
  /** When it is due, in words. */
  times: string;
  input: Record<string, unknown>;
  mode: string;
  /** The note of whoever has paused it. */
  paused?: string;
  next?: string;
  /** The run that was due last of those that were seen to. */
  last?: { due: string; run: string };
  missed: { count: number; latest: Missed[] };
}

/** What a person does to a schedule. */
export interface ScheduleMove {
  name: string;
  paused: boolean;
  by: string;
  reason: string;
}

/** Whose a schedule is. */
type Owner = { owner: 'switchover'; environment: string; name: string };

type Overlap = Planned['overlap'];

const OVERLAP: Record<Overlap, ScheduleOverlapPolicy> = {
  skip: ScheduleOverlapPolicy.SKIP,
  'buffer one': ScheduleOverlapPolicy.BUFFER_ONE,
  'buffer all': ScheduleOverlapPolicy.BUFFER_ALL,
};

const WEEKDAYS = {
  sun: 'SUNDAY',
  mon: 'MONDAY',
  tue: 'TUESDAY',
  wed: 'WEDNESDAY',
  thu: 'THURSDAY',
  fri: 'FRIDAY',
  sat: 'SATURDAY',
} as const;

/** Temporal's id of a schedule. */
export function scheduleId(environment: string, name: string): string {
  return `schedule-${environment}-${name}`;
}

/**
 * Sees to it that the environment has the schedules that are planned and no others of ours: makes what is missing, changes what is
 * otherwise, ends what is not planned any more. Whether one is paused is a person's business and stays. Any number of workers may do so at once.
 * @returns what was done, a sentence each
 */
export async function keepSchedules(
  client: Client,
  environment: string,
  planned: readonly Planned[],
): Promise<string[]> {
  const present = await presentOf(client, environment, planned);
  const wanted = planned.map((plan) => ({ name: plan.name, version: versionOf(plan) }));
  const { create, update, remove } = difference(wanted, present);
  const plan = (name: string) => planned.find((one) => one.name === name)!;
  await Promise.all([
    ...create.map((name) => make(client, environment, plan(name))),
    ...update.map((name) => change(client, environment, plan(name))),
    ...remove.map((name) => end(client, environment, name)),
  ]);
  return [
    ...create.map((name) => `${name} was made: ${timesOf(plan(name))}`),
    ...update.map((name) => `${name} was changed: ${timesOf(plan(name))}`),
    ...remove.map((name) => `${name} was ended`),
  ];
}

/** All schedules of ours, with what was missed as far as the timekeeper knows. */
export async function listSchedules(client: Client, environment: string): Promise<ScheduleView[]> {
  const [names, books] = await Promise.all([ours(client, environment), readBooks(client, environment)]);
  const views = await Promise.all(
    names.map(async (name) => {
      const found = await describe(client, environment, name);
      return found && viewOf(name, found, books);
    }),
  );
  return views.filter((view) => view !== undefined).sort((a, b) => a.name.localeCompare(b.name));
}

/** Pauses a schedule or lets it go on; does nothing where it is so. The answer is a sentence. @throws UNKNOWN_SCHEDULE */
export async function pauseSchedule(
  client: Client,
  environment: string,
  { name, paused, by, reason }: ScheduleMove,
): Promise<string> {
  const { state, info } = await known(client, environment, name);
  if (state.paused === paused)
    return paused ? `${name} is paused already (${state.note})` : `${name} is not paused`;
  const handle = client.schedule.getHandle(scheduleId(environment, name));
  if (paused) {
    await handle.pause(`${by}: ${reason}`);
    return `${name} is paused; what is under way goes on`;
  }
  await handle.unpause(`${by}: ${reason}`);
  return `${name} goes on; it is due next at ${info.nextActionTimes[0]?.toISOString() ?? 'no time at all'}`;
}

/** What a schedule's runs are asked for. @throws UNKNOWN_SCHEDULE */
export async function tickOf(client: Client, environment: string, name: string): Promise<Tick> {
  return tickIn(await known(client, environment, name));
}

/** Temporal's own account of a schedule; undefined where there is none. */
export async function describe(
  client: Client,
  environment: string,
  name: string,
): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(scheduleId(environment, name)).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

async function known(client: Client, environment: string, name: string): Promise<ScheduleDescription> {
  const found = await describe(client, environment, name);
  if (found) return found;
  throw new SwitchoverError(
    'UNKNOWN_SCHEDULE',
    `there is no schedule "${name}" in environment ${environment}`,
  );
}

/** Those that are planned are asked for one by one, because lists are behind; others are as the list has them. */
async function presentOf(client: Client, environment: string, planned: readonly Planned[]) {
  const listed = (await ours(client, environment)).filter(
    (name) => !planned.some((plan) => plan.name === name),
  );
  const found = planned.map(async ({ name }) => {
    const description = await describe(client, environment, name);
    return description ? [{ name, version: description.action.memo?.['version'] as string | undefined }] : [];
  });
  return [...(await Promise.all(found)).flat(), ...listed.map((name) => ({ name }))];
}

/** The names of the schedules that are ours. */
async function ours(client: Client, environment: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { memo } of client.schedule.list()) {
    const { owner, environment: whose, name } = (memo ?? {}) as Partial<Owner>;
    if (owner === 'switchover' && whose === environment && name !== undefined) names.push(name);
  }
  return names;
}

async function make(client: Client, environment: string, plan: Planned): Promise<void> {
  const memo: Owner = { owner: 'switchover', environment, name: plan.name };
  const id = scheduleId(environment, plan.name);
  try {
    await client.schedule.create({ scheduleId: id, memo, ...content(environment, plan) });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error; // another worker was quicker
  }
}

async function change(client: Client, environment: string, plan: Planned): Promise<void> {
  const handle = client.schedule.getHandle(scheduleId(environment, plan.name));
  await handle.update(({ state }) => ({ ...content(environment, plan), state }));
}

async function end(client: Client, environment: string, name: string): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId(environment, name)).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

function content(environment: string, plan: Planned): Omit<ScheduleOptions, 'scheduleId' | 'memo'> {
  const { name, runbook, input, mode, cron, calendar, jitterMs, overlap, catchUpMs, pauseOnFailure } = plan;
  const tick: Tick = { schedule: name, runbook, input, mode, patienceMs: catchUpMs };
  return {
    spec: {
      ...(cron === undefined ? {} : { cronExpressions: [cron] }),
      ...(calendar ? { calendars: calendar.at.map((at) => calendarOf(at, calendar.days)) } : {}),
      jitter: jitterMs,
      timezone: 'UTC',
    },
    action: {
      type: 'startWorkflow',
      workflowType: 'scheduledRun',
      workflowId: scheduleId(environment, name),
      taskQueue: TASK_QUEUE,
      args: [tick],
      memo: { version: versionOf(plan), times: timesOf(plan) },
      staticSummary: `${runbook}, as schedule ${name} has it`.slice(0, 200),
    },
    policies: { overlap: OVERLAP[overlap], catchupWindow: catchUpMs, pauseOnFailure },
  };
}

function calendarOf(at: string, days: readonly (keyof typeof WEEKDAYS)[] | undefined) {
  const [hour, minute] = at.split(':').map(Number);
  return {
    hour: hour!,
    minute: minute!,
    ...(days ? { dayOfWeek: days.map((day) => WEEKDAYS[day]) } : {}),
  };
}

function versionOf(plan: Planned): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}

function tickIn({ action }: ScheduleDescription): Tick {
  return action.args![0] as Tick;
}

function viewOf(name: string, found: ScheduleDescription, books: Books): ScheduleView {
  const { runbook, input, mode } = tickIn(found);
  const { paused, note } = found.state;
  const last = found.info.recentActions.at(-1);
  const due = last && dueOf(last.action.workflow.workflowId);
  const next = found.info.nextActionTimes[0];
  const { count = 0, latest = [] } = books[name] ?? {};
  return {
    name,
    runbook,
    input,
    mode,
    times: (found.action.memo?.['times'] as string | undefined) ?? '',
    ...(paused ? { paused: note ?? '' } : {}),
    ...(next && !paused ? { next: next.toISOString() } : {}),
    ...(due ? { last: { due, run: runDue(name, due) } } : {}),
    missed: { count, latest },
  };
}

/** What the timekeeper has written down; nothing where there is none yet. */
async function readBooks(client: Client, environment: string): Promise<Books> {
  try {
    return await client.workflow.getHandle(timekeeperId(environment)).query(missedRuns);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return {};
    throw error;
  }
}
