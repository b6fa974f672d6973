import type { Config } from './config';
import { messageOf } from './errors';
import type { Mode } from './run';
import { scopeOf, type Runbook } from './runbook';
import { problems, type Problem } from './schema';
import type { Schedule, ScheduleChange } from './schedule-schema';
import { checkTarget } from './target';
import { millis } from './time';

/** A schedule as this environment is to have it: the catalogue's with the environment file's changes. Plain JSON. */
export interface Planned {
  name: string;
  runbook: string;
  input: Record<string, unknown>;
  mode: Mode;
  cron?: string;
  calendar?: NonNullable<Schedule['calendar']>;
  jitterMs: number;
  overlap: Schedule['overlap'];
  catchUpMs: number;
  pauseOnFailure: boolean;
}

/** A schedule of the catalogue that this environment does not have, and why. */
export interface Off {
  name: string;
  runbook: string;
  why: string;
}

type Changes = Readonly<Record<string, ScheduleChange>>;

/** Every schedule of the catalogue, sorted into those the environment is to have and those it cannot or shall not have. */
export function schedulesOf(
  catalogue: readonly Runbook[],
  config: Config,
): { planned: Planned[]; off: Off[] } {
  const planned: Planned[] = [];
  const off: Off[] = [];
  for (const { runbook, schedule, name } of declared(catalogue)) {
    const one = changed(runbook, schedule, name, config.schedules?.[name]);
    const why = whyOff(config, runbook, one);
    if (why === null) planned.push(one);
    else off.push({ name, runbook: runbook.id, why });
  }
  return { planned, off };
}

/** What is wrong with `schedules` of the environment file, which has passed its schema. */
export function scheduleProblems(catalogue: readonly Runbook[], changes: Changes = {}): Problem[] {
  const known = declared(catalogue);
  return Object.entries(changes).flatMap(([name, change]) => {
    const path = `schedules.${name}`;
    const found = known.find((one) => one.name === name);
    if (!found) {
      const names = known.map((one) => one.name).join(', ');
      return [{ path, message: `is no schedule of the catalogue; there are ${names}` }];
    }
    if (change.cron !== undefined && change.calendar !== undefined)
      return [
        { path, message: 'has both cron and calendar; give one of them', example: { cron: '0 2 * * *' } },
      ];
    if (change.input === undefined) return [];
    const { input } = changed(found.runbook, found.schedule, name, change);
    return problems(found.runbook.input, input, `${path}.input`);
  });
}

/** How what there is differs from what is to be; names. What others have made is in neither list. */
export interface Difference {
  create: string[];
  update: string[];
  remove: string[];
}

/**
 * What has to be done so that there is what was planned, and nothing else of ours: done twice, the second time it is nothing.
 * `version`: the same for the same plan; undefined where it is not known.
 */
export function difference(
  planned: readonly { name: string; version: string }[],
  present: readonly { name: string; version?: string | undefined }[],
): Difference {
  const versions = new Map(present.map(({ name, version }) => [name, version]));
  const names = new Set(planned.map(({ name }) => name));
  return {
    create: planned.filter(({ name }) => !versions.has(name)).map(({ name }) => name),
    update: planned
      .filter(({ name, version }) => versions.has(name) && versions.get(name) !== version)
      .map(({ name }) => name),
    remove: present.filter(({ name }) => !names.has(name)).map(({ name }) => name),
  };
}

/** When it is due, in words: `0 2 * * * UTC`, `sun 02:00, 14:00 UTC`. */
export function timesOf({ cron, calendar }: Pick<Planned, 'cron' | 'calendar'>): string {
  if (cron !== undefined) return `${cron} UTC`;
  const days = calendar?.days?.join(', ') ?? 'daily';
  return `${days} ${calendar?.at.join(', ')} UTC`;
}

function declared(catalogue: readonly Runbook[]) {
  return catalogue.flatMap((runbook) =>
    (runbook.schedules ?? []).map((schedule) => ({ runbook, schedule, name: schedule.name ?? runbook.id })),
  );
}

function changed({ id }: Runbook, schedule: Schedule, name: string, change: ScheduleChange = {}): Planned {
  const { cron, calendar } = change.cron === undefined && change.calendar === undefined ? schedule : change;
  const { jitter = '0s', overlap, catchUp, pauseOnFailure, mode = 'execute' } = { ...schedule, ...change };
  return {
    name,
    runbook: id,
    input: { ...schedule.input, ...change.input },
    mode,
    ...(cron === undefined ? {} : { cron }),
    ...(calendar === undefined ? {} : { calendar }),
    jitterMs: millis(jitter),
    overlap,
    catchUpMs: millis(catchUp),
    pauseOnFailure,
  };
}

/** Why this environment does without: it says so, it lacks what the runbook is about, or nobody has named the target. */
function whyOff(config: Config, runbook: Runbook, { name, input }: Planned): string | null {
  if (config.schedules?.[name]?.off) return 'switched off in the environment file';
  const [missing] = problems(runbook.input, input, `schedules.${name}.input`);
  if (missing) return `${missing.path} ${missing.message}: the environment file has to say`;
  try {
    checkTarget(config, scopeOf(runbook, input));
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
