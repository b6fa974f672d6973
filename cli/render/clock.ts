import { elapsed } from '../../core/report';
import type { RunReport } from '../../core/run';
import type { Look } from './look';

const BAR = 24;

/** Milliseconds between two ISO times. */
export function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

/**
 * The RTO clock of a run as one line: time since the fault's first observation against the objective, with a bar.
 * Where no fault was observed there is no such clock, and it is the time since the start. Empty for a plan, which has no clock.
 */
export function clockLine(report: RunReport, { colors, now, width }: Look): string {
  const { clock, objective, mode, startedAt, endedAt } = report;
  if (mode === 'plan') return '';
  const from = clock.faultAt ?? startedAt;
  const until = clock.provenAt ?? endedAt ?? new Date(now).toISOString();
  const spent = Math.max(0, between(from, until));
  const { rtoMs } = objective;
  if (!clock.faultAt || rtoMs === 0) return `${colors.dim('elapsed')} ${elapsed(spent)}`;
  const share = spent / rtoMs;
  const paint = share > 1 ? colors.red : share > 0.8 ? colors.yellow : colors.green;
  const filled = Math.min(BAR, Math.round(share * BAR));
  const bar = width < 60 ? '' : `  ${paint('━'.repeat(filled))}${colors.dim('─'.repeat(BAR - filled))}`;
  const over = share > 1 ? `  ${colors.red(`over by ${elapsed(spent - rtoMs)}`)}` : '';
  return `${colors.dim('RTO')} ${paint(elapsed(spent))} ${colors.dim(`of ${elapsed(rtoMs)}`)}${bar}${over}`;
}
