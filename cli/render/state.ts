import type { Colors, Formatter } from 'picocolors/types';
import { isOver, type RunState, type StepRecord, type StepState } from '../../core/run';

const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const FRAME_MS = 80;

/** The colour in which a state is shown: green for good, yellow for "a person is needed", red for bad. */
export function stateColor(state: RunState, colors: Colors): Formatter {
  switch (state) {
    case 'succeeded':
    case 'recovered':
    case 'planned':
      return colors.green;
    case 'running':
    case 'watching':
      return colors.cyan;
    case 'failed':
    case 'escalated':
    case 'refused':
      return colors.red;
    default:
      return colors.yellow;
  }
}

/** The state as a word with its mark, painted: `✓ recovered`, `● running`. */
export function stateLabel(state: RunState, colors: Colors): string {
  return stateColor(state, colors)(`${stateMark(state)} ${state}`);
}

/** Where a step stands once it does not run any more: character and colour. */
const MARKS = {
  done: ['✓', 'green'],
  unchanged: ['=', 'dim'],
  'would change': ['~', 'yellow'],
  skipped: ['↷', 'yellow'],
  refused: ['⊘', 'red'],
  failed: ['✗', 'red'],
} as const satisfies Record<Exclude<StepState, 'running'>, readonly [string, keyof Colors]>;

/** One painted character for where a step stands; `now` turns the spinner of a running one. */
export function stepMark({ state, kind }: StepRecord, colors: Colors, now: number): string {
  if (state === 'running') return colors.cyan(SPINNER.charAt(Math.floor(now / FRAME_MS) % SPINNER.length));
  if (state === 'done' && kind === 'undo') return colors.magenta('↺');
  const [mark, color] = MARKS[state];
  return colors[color](mark);
}

function stateMark(state: RunState): string {
  switch (state) {
    case 'succeeded':
    case 'recovered':
    case 'planned':
      return '✓';
    case 'refused':
      return '⊘';
    case 'rolled back':
    case 'rolling back':
      return '↺';
    default:
      return isOver(state) ? '✗' : '●';
  }
}
