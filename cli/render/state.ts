import type { Colors, Formatter } from 'picocolors/types';
import { isOver, type RunState, type StepRecord } from '../../core/run';

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

/** One painted character for where a step stands; `now` turns the spinner of a running one. */
export function stepMark({ state, kind }: StepRecord, colors: Colors, now: number): string {
  switch (state) {
    case 'running':
      return colors.cyan(SPINNER[Math.floor(now / FRAME_MS) % SPINNER.length]!);
    case 'done':
      return kind === 'undo' ? colors.magenta('↺') : colors.green('✓');
    case 'unchanged':
      return colors.dim('=');
    case 'would change':
      return colors.yellow('~');
    case 'skipped':
      return colors.yellow('↷');
    case 'refused':
      return colors.red('⊘');
    case 'failed':
      return colors.red('✗');
  }
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
