import { createColors } from 'picocolors';
import { doubtsOf } from '../../core/expectation';
import { elapsed } from '../../core/report';
import type { RunReport, StepRecord } from '../../core/run';
import { between } from './clock';
import { stepMark } from './state';

/** A line and the ISO time at which it became so. */
type Entry = [at: string, text: string];

const PLAIN = createColors(false);

/**
 * What changed between two looks at a run, as lines for a log: each fact once, in the order and with the time (UTC) at
 * which it became so.
 * @param before the look before; undefined for the first.
 * @param now epoch milliseconds, the time of changes that the report does not date.
 */
export function changes(before: RunReport | undefined, report: RunReport, now: number): string[] {
  const known = new Map(before?.steps.map((step) => [step.id, step]));
  const dated: Entry[] = [
    ...report.steps.flatMap((step) => stepChange(known.get(step.id), step)),
    ...report.decisions
      .slice(before?.decisions.length ?? 0)
      .map(({ at, kind, by, reason }): Entry => [at, `  ${kind} by ${by}: ${reason}`]),
  ];
  dated.sort(([a], [b]) => a.localeCompare(b));
  const entries: Entry[] = [
    ...(before
      ? []
      : [opening(report), ...doubtsOf(report).map((doubt): Entry => [report.startedAt, `  ! ${doubt}`])]),
    ...dated,
    ...(before?.state === report.state ? [] : [newState(report, now)]),
  ];
  return entries.map(([at, text]) => line(at, text));
}

/** A line of a log. `at`: ISO time. */
export function line(at: string, text: string): string {
  return `${at.slice(11, 23)}Z ${text}`;
}

function opening({ runbook, scope, mode, by, run, startedAt }: RunReport): Entry {
  return [startedAt, `${runbook} on ${scope}, ${mode}, asked for by ${by}: ${run}`];
}

function newState({ state, sentence }: RunReport, now: number): Entry {
  return [new Date(now).toISOString(), `${state}: ${sentence}`];
}

function stepChange(before: StepRecord | undefined, step: StepRecord): Entry[] {
  const { state, title, sentence, startedAt, endedAt, attempts } = step;
  if (before && before.state === state && before.attempts === attempts) return [];
  const what = attempts > 1 ? `${title} (try ${attempts})` : title;
  if (!endedAt) return [[startedAt, `  … ${what}`]];
  const said = sentence ? `  ${sentence}` : '';
  return [
    [endedAt, `  ${stepMark(step, PLAIN, 0)} ${what}${said}  (${elapsed(between(startedAt, endedAt))})`],
  ];
}
