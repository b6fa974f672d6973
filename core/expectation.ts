import { elapsed, roughly } from './elapsed';
import type { RunReport, Trigger } from './run';

/** Runs that nobody has asked for in person: a rescue is neither held up nor argued with. */
const BY_ITSELF: readonly Trigger[] = ['alert', 'monitor', 'schedule'];

/** What a person who has asked for the run has to know first; empty where there is nothing, or nobody has asked. */
export function doubtsOf({ forecast, objective, trigger }: RunReport): string[] {
  if (!forecast || BY_ITSELF.includes(trigger)) return [];
  const { rtoMs, runs, doubt } = forecast;
  const late = rtoMs !== undefined && objective.rtoMs > 0 && rtoMs > objective.rtoMs;
  return [
    ...(late
      ? [
          `It is expected to take ${elapsed(rtoMs)}, longer than its objective of ${roughly(objective.rtoMs)} (95 % of ${counted(runs)} took no longer)`,
        ]
      : []),
    ...(doubt === undefined ? [] : [`It was not ready when that was last looked at: ${doubt}`]),
  ];
}

/** What the run was expected to come to as it began, in words; undefined where nobody could tell it. */
export function expectationOf({
  forecast,
  objective,
}: RunReport): { rto: string; loss?: string } | undefined {
  if (!forecast) return undefined;
  const { rtoMs, runs, loss } = forecast;
  const wanted = objective.rtoMs > 0 ? `, objective ${roughly(objective.rtoMs)}` : '';
  const rto = rtoMs === undefined ? 'no history yet' : `${elapsed(rtoMs)} (95 % of ${counted(runs)})`;
  return { rto: `${rto}${wanted}`, ...(loss === undefined ? {} : { loss }) };
}

function counted(runs: number): string {
  return runs === 1 ? '1 run' : `${runs} runs`;
}
