import type { DecisionKind, RunReport } from '../../core/run';
import type { Look } from './look';
import { wrap } from './text';

/** What a run waits for a person to say, with the exact commands to type; empty where it waits for nobody. */
export function asks(report: RunReport, look: Look): string[] {
  const asked = question(report);
  if (!asked) return [];
  const { colors, width } = look;
  return [
    ...wrap(asked.say, width).map((text) => colors.yellow(text)),
    ...asked.kinds.flatMap((kind) => command(kind, report.run, width)).map((text) => colors.bold(text)),
  ];
}

function question({
  state,
  approvalsMissing = 1,
  by,
}: RunReport): { say: string; kinds: DecisionKind[] } | null {
  switch (state) {
    case 'waiting for approval': {
      const people = approvalsMissing === 1 ? 'one more person' : `${approvalsMissing} more people`;
      return {
        say: `Needs the approval of ${people}, not of ${by} who asked for the run:`,
        kinds: ['approve', 'reject'],
      };
    }
    case 'needs attention':
      return {
        say: 'Somebody has to decide: try the step again, go on without it, or stop and undo; acknowledge ends the calls:',
        kinds: ['retry', 'skip', 'abort', 'acknowledge'],
      };
    case 'paused':
      return { say: 'Goes on when somebody says so:', kinds: ['resume', 'abort'] };
    default:
      return null;
  }
}

/** The command on one line, or on two that a shell reads as one where the terminal is narrow. */
function command(kind: DecisionKind, run: string, width: number): string[] {
  const said = `  ./switchover ${kind} ${run}`;
  const reason = '--reason "why"';
  return said.length + 1 + reason.length <= width ? [`${said} ${reason}`] : [`${said} \\`, `    ${reason}`];
}
