import type { Mode } from './run';

/** What a schedule hands to Temporal for each of its runs. */
export interface Tick {
  schedule: string;
  runbook: string;
  input: Record<string, unknown>;
  mode: Mode;
  /** So long after it was due a run that finds its scope held is still begun, ms. */
  patienceMs: number;
}

/** When a run was due, ISO, by the workflow id that Temporal gives to what a schedule starts: the schedule's with the time behind it. */
export function dueOf(tickId: string): string {
  const [stamp = ''] = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.exec(tickId) ?? [];
  return new Date(stamp).toISOString();
}

/** The run of a schedule that was due then: the same one, however often it is begun. */
export function runDue(schedule: string, due: string): string {
  return `${schedule}-due-${due.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`;
}
