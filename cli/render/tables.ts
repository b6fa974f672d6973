import Table from 'cli-table3';
import { elapsed } from '../../core/report';
import type { RunState } from '../../core/run';
import type { Runbook } from '../../core/runbook';
import { between } from './clock';
import type { Look } from './look';
import { stateLabel } from './state';

/** A line of a list of runs, as operations give it. */
export interface ListedRun {
  run: string;
  scope: string;
  mode: string;
  state: RunState;
  startedAt: string;
  endedAt?: string;
}

/** From this width on a list of runs has room for scope and mode. */
const ROOMY = 120;

/** Runs, one a line. */
export function runsTable(runs: readonly ListedRun[], look: Look): string[] {
  if (runs.length === 0) return ['There are no runs. Start one: ./switchover runbooks lists what there is.'];
  const { colors, now, width } = look;
  const roomy = width >= ROOMY;
  const rows = runs.map(({ run, scope, mode, state, startedAt, endedAt }) => [
    stateLabel(state, colors),
    run,
    ...(roomy ? [scope, mode] : []),
    `${startedAt.slice(5, 10)} ${startedAt.slice(11, 19)}Z`,
    elapsed(Math.max(0, between(startedAt, endedAt ?? new Date(now).toISOString()))),
  ]);
  return columns(
    rows,
    heading(['state', 'run', ...(roomy ? ['scope', 'mode'] : []), 'started', 'took'], look),
  );
}

/** Runbooks, one a line. */
export function runbooksTable(runbooks: readonly Runbook[], look: Look): string[] {
  const rows = runbooks.map(({ id, title, risk, alerts }) => [
    look.colors.bold(id),
    title,
    risk,
    alerts.map(({ match }) => match['alertname'] ?? Object.values(match).join(' ')).join(', '),
  ]);
  return columns(rows, heading(['runbook', 'what', 'risk', 'alerts'], look));
}

function heading(titles: string[], { colors }: Look): string[] {
  return titles.map((title) => colors.dim(title));
}

/** Rows as aligned columns without lines around them, so that they can be copied and cut. */
export function columns(rows: readonly string[][], head: string[] = []): string[] {
  const table = new Table({
    head,
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  table.push(...rows);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

const NO_LINES = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat('middle', 'mid-mid')
    .map((place) => [place, '']),
);
