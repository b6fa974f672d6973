import { roughly } from '../../core/elapsed';
import type { Readiness, ReadinessView, Verdict } from '../../core/readiness';
import { SIGN, commonOf, expectedTime, summary } from '../../core/readiness/page';
import type { Formatter, Colors } from 'picocolors/types';
import type { Look } from './look';
import { columns } from './tables';
import { clip, wrap } from './text';

const ORDER: readonly Verdict[] = ['not ready', 'unknown', 'warning', 'ready'];

/** How the runbooks stand: a table, the worst first, and below it what to do, each thing once. */
export function readinessPage(view: ReadinessView, look: Look): string[] {
  const { colors, now } = look;
  const here = view.runbooks.filter(({ verdict }) => verdict !== 'not here');
  const rows = ORDER.flatMap((verdict) => here.filter((one) => one.verdict === verdict));
  const absent = view.runbooks.filter(({ verdict }) => verdict === 'not here').map(({ runbook }) => runbook);
  const age = Math.max(0, now - Date.parse(view.at));
  return [
    colors.bold(summary(view)),
    colors.dim(`Evaluated ${roughly(age)} ago, every ${roughly(view.everyMs)}; --again looks now.`),
    '',
    ...columns(
      rows.map((one) => row(one, look)),
      ['  runbook', 'stands', 'expected RTO', 'objective', 'last proven'].map((title) => colors.dim(title)),
    ),
    ...(absent.length > 0
      ? wrap(`not for this environment: ${absent.join(', ')}`, look.width - 2).map((line) =>
          colors.dim(`  ${line}`),
        )
      : []),
    ...shortfalls(view, look),
  ];
}

/** That nobody knows how the runbooks stand, and why. */
export function notKnown(why: string, { colors, width }: Look): string[] {
  const [first = '', ...more] = wrap(
    `whether the runbooks could be carried out is not known: ${why}`,
    width - 2,
  );
  return [`${colors.magenta('?')} ${first}`, ...more.map((line) => `  ${line}`)];
}

function row({ runbook, verdict, forecast, objectiveMs, provenAt }: Readiness, look: Look): string[] {
  const { colors, now } = look;
  const paint = painter(verdict, colors);
  const late = forecast.rtoMs !== undefined && forecast.rtoMs > objectiveMs;
  const expected = expectedTime(forecast);
  return [
    `${paint(SIGN[verdict])} ${runbook}`,
    paint(verdict),
    late ? colors.yellow(expected) : forecast.runs === 0 ? colors.dim(expected) : expected,
    roughly(objectiveMs),
    provenAt === undefined ? colors.dim('never') : `${roughly(Math.max(0, now - Date.parse(provenAt)))} ago`,
  ];
}

function shortfalls(view: ReadinessView, look: Look): string[] {
  const { colors, width } = look;
  return commonOf(view).flatMap(({ verdict, runbooks, says, todo }) => {
    const paint = painter(verdict, colors);
    const count = runbooks.length > 3 ? ` (${runbooks.length} runbooks)` : '';
    const whose = `${verdict}${count}: ${runbooks.join(', ')}`;
    return [
      '',
      `${paint(SIGN[verdict])} ${paint(clip(whose, width - 2))}`,
      ...says.flatMap((one) => wrap(one, width - 4)).map((line) => `    ${line}`),
      ...wrap(`→ ${todo.replaceAll('`', '')}`, width - 4).map((line) => `    ${colors.bold(line)}`),
    ];
  });
}

function painter(verdict: Verdict, colors: Colors): Formatter {
  switch (verdict) {
    case 'not ready':
      return colors.red;
    case 'unknown':
      return colors.magenta;
    case 'warning':
      return colors.yellow;
    default:
      return colors.green;
  }
}
