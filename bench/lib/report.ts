import { availableParallelism, cpus, loadavg } from 'node:os';
import { columns } from '../../cli/render/tables';
import type { Summary } from './summary';

/** A measured series (shown as p50 / p95), a number, a word; null where it does not apply. */
export type Cell = Summary | number | string | null;

/** A line of the table: one contender. */
export interface Row {
  name: string;
  /** By the column's title, which names the unit. Rows may have different ones. */
  cells: Readonly<Record<string, Cell>>;
}

/** A promise and what became of it. */
export interface Objective {
  what: string;
  met: boolean;
}

/** What a benchmark found. */
export interface BenchReport {
  title: string;
  /** What the measured system had to bear meanwhile, e.g. `{clients: 24, 'calls/s': 240}`. */
  load: Readonly<Record<string, string | number>>;
  rows: readonly Row[];
  objectives?: readonly Objective[];
  /** What a reader must know to judge the figures. */
  notes?: readonly string[];
}

/** Taken when the benchmark is loaded: later its own work is in it. */
const LOAD_AVERAGE = loadavg().map((value) => Math.round(value * 100) / 100);

/**
 * Prints a report on standard output as a table, with the machine it was measured on; with `json` also as one JSON
 * object, which is the last line.
 */
export function printReport(report: BenchReport, json = false): void {
  const machine = {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    node: process.versions.node,
    loadAverageBefore: LOAD_AVERAGE,
  };
  const { title, load, rows, objectives = [], notes = [] } = report;
  const lines = [
    '',
    title,
    `load     ${facts(load)}`,
    `machine  ${machine.cores} cores (${machine.cpu}), Node ${machine.node}, load average before ${LOAD_AVERAGE.join(' ')}`,
    '',
    ...table(rows),
    '',
    ...objectives.map(({ what, met }) => `${met ? '✓ met    ' : '✗ NOT MET'}  ${what}`),
    ...notes.map((note) => `· ${note}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ ...report, machine })}\n`);
}

function facts(values: BenchReport['load']): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function table(rows: readonly Row[]): string[] {
  const titles = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))];
  return columns(
    rows.map(({ name, cells }) => [name, ...titles.map((title) => text(cells[title]))]),
    ['', ...titles],
  );
}

function text(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return '–';
  if (typeof cell === 'object') return `${text(cell.p50)} / ${text(cell.p95)}`;
  return typeof cell === 'number'
    ? cell.toLocaleString('en', { maximumFractionDigits: cell < 100 ? 1 : 0 })
    : cell;
}
