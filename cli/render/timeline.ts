import stringWidth from 'string-width';
import { doubtsOf } from '../../core/expectation';
import { isOver, type RunReport, type Trigger } from '../../core/run';
import { asks } from './asks';
import { clockLine } from './clock';
import type { Look } from './look';
import { stateLabel } from './state';
import { stepLines } from './steps';
import { clip, wrap } from './text';

const SENTENCE_ROWS = 4;

/**
 * A run as a timeline for a terminal: what it is, its clock, its steps, and what it waits for. No line is wider than
 * `look.width`, except a run's name on a terminal narrower than it; with `look.height` it fits, older steps giving way.
 * @param trouble why the report may be out of date, e.g. that Temporal does not answer.
 */
export function timeline(report: RunReport, look: Look, trouble?: string): string[] {
  const doubts = doubtsOf(report).flatMap((doubt) => warning(doubt, look));
  const above = [...head(report, look), ...doubts, ...doing(report, look)];
  const below = [asks(report, look), warning(trouble, look)];
  const parts = (steps: string[]) => [above, steps, ...below].filter(({ length }) => length > 0);
  const around = parts(['']).flat().length + parts(['']).length - 2;
  const rows = look.height === undefined ? Infinity : Math.max(1, look.height - around);
  return parts(stepLines(report.steps, look, rows)).flatMap((part, i) => (i === 0 ? part : ['', ...part]));
}

/** Triggers that say nothing beyond who asked. */
const NAMELESS: ReadonlySet<Trigger> = new Set(['manual', 'unknown']);

function head(report: RunReport, { colors, width }: Look): string[] {
  const { runbook, scope, state, run, mode, by, trigger, reason, incident } = report;
  const label = stateLabel(state, colors);
  const what = `${colors.bold(runbook)} ${scope}`;
  const room = width - stringWidth(what) - stringWidth(label);
  const first = room >= 2 ? [`${what}${' '.repeat(room)}${label}`] : [what, label];
  const who = NAMELESS.has(trigger) || by.startsWith(trigger) ? by : `${by} (${trigger})`;
  const about = [run, mode, who, incident, reason && `“${reason}”`].filter(Boolean).join(' · ');
  return [...first, ...wrap(about, width).map((line) => colors.dim(line))];
}

/** The clock, and the run's sentence unless it only repeats a step's title. */
function doing(report: RunReport, look: Look): string[] {
  const { state, sentence, steps } = report;
  if (isOver(state)) return [];
  const said = steps.some(({ title }) => title === sentence);
  const clock = clockLine(report, look);
  return [...(clock ? [clock] : []), ...(said ? [] : shortened(sentence, look))];
}

/** On a terminal of limited height a long sentence ends in `…`. */
function shortened(sentence: string, { width, height }: Look): string[] {
  const lines = wrap(sentence, width);
  if (height === undefined || lines.length <= SENTENCE_ROWS) return lines;
  const first = lines.slice(0, SENTENCE_ROWS - 1);
  return [...first, clip(lines.slice(first.length).join(' '), width)];
}

function warning(trouble: string | undefined, { colors, width }: Look): string[] {
  return trouble ? wrap(`! ${trouble}`, width).map((line) => colors.yellow(line)) : [];
}
