import stringWidth from 'string-width';
import { elapsed } from '../../core/report';
import type { StepRecord } from '../../core/run';
import { between } from './clock';
import type { Look } from './look';
import { stepMark } from './state';
import { clip, pad, padLeft, wrap } from './text';

/** Widths of the columns of a timeline: mark, title, sentence, duration. */
interface Grid {
  title: number;
  sentence: number;
  took: number;
}

const INDENT = 3;
const GAP = 2;
/** Room for `999 ms`, so that the columns keep still while a step runs. */
const TOOK = 6;
/** A sentence in a narrower column than this is unreadable: it goes below its title instead. */
const NARROWEST = 28;

/**
 * The steps of a run, aligned. Where they do not fit into `rows`, first the finished steps shrink to a line each, then
 * the oldest go; what is running always shows whole.
 */
export function stepLines(steps: readonly StepRecord[], look: Look, rows = Infinity): string[] {
  const grid = gridOf(steps, look);
  const whole = steps.flatMap((step) => stepBlock(step, grid, look));
  if (whole.length <= rows) return whole;
  const brief = steps.flatMap((step) =>
    step.state === 'running' ? stepBlock(step, grid, look) : [stepLine(step, grid, look)],
  );
  if (brief.length <= rows) return brief;
  return [look.colors.dim(`${' '.repeat(INDENT)}… earlier steps`), ...brief.slice(brief.length - rows + 1)];
}

function gridOf(steps: readonly StepRecord[], { width, now }: Look): Grid {
  const widest = (texts: string[]) => Math.max(0, ...texts.map((text) => stringWidth(text)));
  const took = Math.max(TOOK, widest(steps.map((step) => duration(step, now))));
  const title = Math.min(widest(steps.map(titleOf)), Math.floor(width * 0.36));
  const sentence = width - INDENT - title - GAP - GAP - took;
  if (sentence >= NARROWEST) return { title, sentence, took };
  return { title: width - INDENT - GAP - took, sentence: 0, took };
}

/** A step with its whole sentence. */
function stepBlock(step: StepRecord, grid: Grid, look: Look): string[] {
  const { colors, width, now } = look;
  const titles = wrap(titleOf(step), grid.title);
  const sentences = step.sentence ? wrap(step.sentence, grid.sentence || width - INDENT) : [];
  const beside = grid.sentence > 0 ? sentences : [];
  const below = grid.sentence > 0 ? [] : sentences;
  const lines = Array.from({ length: Math.max(titles.length, beside.length) }, (_, i) => {
    const lead = i === 0 ? ` ${stepMark(step, colors, now)} ` : ' '.repeat(INDENT);
    const title = emphasis(step, look)(pad(titles[i] ?? '', grid.title));
    const text = grid.sentence > 0 ? `${' '.repeat(GAP)}${pad(beside[i] ?? '', grid.sentence)}` : '';
    const took = i === 0 ? `${' '.repeat(GAP)}${colors.dim(padLeft(duration(step, now), grid.took))}` : '';
    return `${lead}${title}${text}${took}`.trimEnd();
  });
  return [...lines, ...below.map((line) => `${' '.repeat(INDENT)}${colors.dim(line)}`)];
}

/** A step on one line. */
function stepLine(step: StepRecord, grid: Grid, look: Look): string {
  const short = {
    ...step,
    title: clip(titleOf(step), grid.title),
    attempts: 1,
    sentence: grid.sentence > 0 ? clip(step.sentence ?? '', grid.sentence) : '',
  };
  return stepBlock(short, grid, look)[0]!;
}

function titleOf({ title, attempts }: StepRecord): string {
  return attempts > 1 ? `${title} (try\u00a0${attempts})` : title;
}

function emphasis({ state }: StepRecord, { colors }: Look): (text: string) => string {
  if (state === 'running') return colors.bold;
  return state === 'failed' || state === 'refused' ? colors.red : String;
}

function duration({ startedAt, endedAt }: StepRecord, now: number): string {
  return elapsed(Math.max(0, between(startedAt, endedAt ?? new Date(now).toISOString())));
}
