import { question } from '../../core/report';
import type { DecisionKind, RunReport } from '../../core/run';
import type { Look } from './look';
import { wrap } from './text';

/** What a run waits for a person to say, with the exact commands to type; empty where it waits for nobody. */
export function asks(report: RunReport, look: Look): string[] {
  const asked = question(report);
  if (!asked) return [];
  const { colors, width } = look;
  return [
    ...wrap(`${asked.say}:`, width).map((text) => colors.yellow(text)),
    ...asked.kinds.flatMap((kind) => command(kind, report.run, width)).map((text) => colors.bold(text)),
  ];
}

/** The command on one line, or on two that a shell reads as one where the terminal is narrow. */
function command(kind: DecisionKind, run: string, width: number): string[] {
  const said = `  ./switchover ${kind} ${run}`;
  const reason = '--reason "why"';
  return said.length + 1 + reason.length <= width ? [`${said} ${reason}`] : [`${said} \\`, `    ${reason}`];
}
