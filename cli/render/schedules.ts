import type { Off } from '../../core/schedules';
import type { ScheduleView } from '../../operations/schedules';
import type { Look } from './look';
import { columns } from './tables';

/** What is carried out by itself, one a line; under it why something is paused, what was missed last, and what there is not. */
export function schedulesPage(
  { schedules, off }: { schedules: readonly ScheduleView[]; off: readonly Off[] },
  look: Look,
): string[] {
  const { colors } = look;
  const head = ['schedule', 'due', 'next', 'last', 'missed'].map((title) => colors.dim(title));
  const rows = schedules.map((one) => [
    colors.bold(one.name),
    one.times,
    one.paused === undefined ? moment(one.next) : colors.yellow('paused'),
    moment(one.last?.due),
    one.missed.count === 0 ? '0' : colors.red(String(one.missed.count)),
  ]);
  return [
    ...(rows.length > 0 ? columns(rows, head) : ['Nothing is carried out by itself.']),
    ...schedules.flatMap((one) => remarks(one, look)),
    ...off.map(({ name, why }) => colors.dim(`· ${name}: ${why}`)),
  ];
}

function remarks({ name, paused, missed: { latest } }: ScheduleView, { colors }: Look): string[] {
  const last = latest.at(-1);
  return [
    ...(paused === undefined ? [] : [`${colors.yellow('!')} ${name} is paused: ${paused}`]),
    ...(last ? [`${colors.red('!')} ${name} missed ${moment(last.at)}: ${last.why}`] : []),
  ];
}

/** `01-02 03:04:05Z` */
function moment(iso: string | undefined): string {
  return iso === undefined ? '–' : `${iso.slice(5, 10)} ${iso.slice(11, 19)}Z`;
}
