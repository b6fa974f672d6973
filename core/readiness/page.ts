import { elapsed, roughly } from '../elapsed';
import type { Forecast } from '../run';
import type { Readiness, ReadinessView, Shortfall, Verdict } from './types';

/** Signs that the fonts of a plain Linux browser have. */
export const SIGN: Record<Verdict, string> = {
  'not ready': '✗',
  unknown: '?',
  warning: '!',
  ready: '✓',
  'not here': '·',
};

/** What stands against several runbooks alike and has one remedy. */
export interface Common extends Omit<Shortfall, 'says'> {
  runbooks: string[];
  says: string[];
}

/** How the runbooks stand, as Markdown for the Temporal UI: a table, and what to do. */
export function readinessPage(view: ReadinessView): string {
  return [
    `**${summary(view)}** Evaluated at ${view.at.slice(11, 19)} UTC, and every ${roughly(view.everyMs)}.`,
    [
      '| runbook | stands | expected | objective | last proven |',
      '| --- | --- | --- | --- | --- |',
      ...view.runbooks.map(row),
    ].join('\n'),
    ...commonOf(view).map(
      ({ verdict, runbooks, says, todo }) =>
        `- ${SIGN[verdict]} **${verdict}** ${runbooks.join(', ')}: ${plain(says.join('; '))}. _${todo}_`,
    ),
  ].join('\n\n');
}

/** `3 runbooks are not ready, 2 have warnings, 21 are ready.` */
export function summary({ runbooks }: ReadinessView): string {
  const count = (verdict: Verdict) => runbooks.filter((one) => one.verdict === verdict).length;
  const parts = (
    [
      ['not ready', 'not ready'],
      ['unknown', 'unknown'],
      ['warning', 'with a warning'],
      ['ready', 'ready'],
    ] as const
  ).flatMap(([verdict, words]) => (count(verdict) > 0 ? [`${count(verdict)} ${words}`] : []));
  return `Runbooks: ${parts.join(', ') || 'none'}.`;
}

/** Everything that stands against runbooks, the worst first, each thing once, and what has one remedy together. */
export function commonOf({ runbooks }: ReadinessView): Common[] {
  const single = new Map<string, Common>();
  for (const { runbook, shortfalls } of runbooks)
    for (const { verdict, says, todo } of shortfalls) {
      const key = JSON.stringify([verdict, says, todo]);
      const one = single.get(key) ?? { verdict, todo, says: [says], runbooks: [] };
      if (!one.runbooks.includes(runbook)) one.runbooks.push(runbook);
      single.set(key, one);
    }
  const merged = new Map<string, Common>();
  for (const one of single.values()) {
    const key = JSON.stringify([one.verdict, one.todo, one.runbooks]);
    const known = merged.get(key);
    if (known) known.says.push(...one.says);
    else merged.set(key, one);
  }
  const order: readonly Verdict[] = ['not ready', 'unknown', 'warning'];
  return [...merged.values()].toSorted(
    (a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict) || b.runbooks.length - a.runbooks.length,
  );
}

/** What people are told whom one calls. */
export function unreadyNotice(
  view: ReadinessView,
  news: readonly string[],
): { subject: string; body: string } {
  const own = commonOf(view).filter(
    ({ verdict, runbooks }) => verdict === 'not ready' && runbooks.some((one) => news.includes(one)),
  );
  const which = news.length === 1 ? `${news[0]} is` : `${news.length} runbooks are`;
  return {
    subject: `${which} not ready: ${own[0]?.says[0] ?? 'see ./switchover check'}`,
    body: own
      .map(({ runbooks, says, todo }) => `- ${runbooks.join(', ')}: ${plain(says.join('; '))}. ${todo}`)
      .concat('', 'How it stands now: `./switchover check --again`')
      .join('\n'),
  };
}

/** `3.2 s (of 12 runs)`, or that there is nothing to tell it from. */
export function expectedTime({ rtoMs, runs }: Forecast): string {
  return rtoMs === undefined
    ? 'no history yet'
    : `${elapsed(rtoMs)} (of ${runs} run${runs === 1 ? '' : 's'})`;
}

function row({ runbook, verdict, forecast, objectiveMs, provenAt }: Readiness): string {
  if (verdict === 'not here') return `| ${runbook} | · not for this environment | | | |`;
  return `| ${runbook} | ${SIGN[verdict]} ${verdict} | ${expectedTime(forecast)} | ${roughly(objectiveMs)} | ${provenAt?.slice(0, 10) ?? 'never'} |`;
}

/** Text as one line that shows as it was written. */
function plain(text: string): string {
  return text.replaceAll(/[\\*_<[|]/g, '\\$&').replaceAll(/\s+/g, ' ');
}
