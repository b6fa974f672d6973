import type { AuditEntry, RecoveryRow } from '../../core/journal';
import { elapsed, roughly } from '../../core/elapsed';
import type { ChainCheck } from '../../operations/journal';
import type { Look } from './look';
import { columns } from './tables';
import { counted, wrap } from './text';

/** How faults were recovered from, a runbook, level and region a line. */
export function recoveryTable(rows: readonly RecoveryRow[], since: string, { colors }: Look): string[] {
  const head = `${colors.bold('Faults that runbooks answered')} ${colors.dim(`since ${since.slice(0, 10)}`)}`;
  if (rows.length === 0) return [head, 'None: no executed failover is in the journal.'];
  const titles = ['runbook', 'where', 'faults', 'recovered', 'MTTR p50', 'p95', 'MTBF', 'RTO met', 'RPO met'];
  return [
    head,
    '',
    ...columns(
      rows.map((row) => lineOf(row)),
      titles.map((title) => colors.dim(title)),
    ),
  ];
}

function lineOf(row: RecoveryRow): string[] {
  const { runbook, level, region, count, recovered, objectiveMs, rtoAchieved, rpoAchieved, rpoCounted } = row;
  const time = (ms: number | undefined) => (ms === undefined ? '–' : elapsed(ms));
  return [
    runbook,
    region ?? level,
    String(count),
    String(recovered),
    time(row.mttrP50Ms),
    time(row.mttrP95Ms),
    row.mtbfMs === undefined ? '–' : roughly(row.mtbfMs),
    `${rtoAchieved}/${count} in ${roughly(objectiveMs)}`,
    rpoCounted === 0 ? '–' : `${rpoAchieved}/${rpoCounted}`,
  ];
}

/** The audit's newest lines, and whether it is whole. */
export function auditPage(
  { check, entries }: { check: ChainCheck; entries: readonly AuditEntry[] },
  { colors, width }: Look,
): string[] {
  const { misfit, rows, end } = check;
  const verdict = misfit
    ? [
        `${colors.red('✗')} ${colors.bold(`row ${misfit.row.seq} of the audit does not fit`)}: ${misfit.why}`,
        `    it says: ${misfit.row.at} ${misfit.row.by} ${misfit.row.what}`,
        `    ${colors.bold('→ find out who may write to the journal, and compare with a backup of it')}`,
      ]
    : [
        `${colors.green('✓')} every row of the audit fits: ${counted(rows, 'row')}${rows > 0 ? `, the last one ${end.seq} is ${end.hash.slice(0, 12)}…` : ''}`,
      ];
  return [...verdict, '', ...entries.flatMap((entry) => entryLines(entry, width))];
}

function entryLines({ at, by, what, reason, run }: AuditEntry, width: number): string[] {
  const why = reason === undefined ? '' : ` (“${reason}”)`;
  const about = run === undefined ? '' : `${run}: `;
  const [first = '', ...more] = wrap(`${about}${by} ${what}${why}`, width - 22);
  return [`${at.slice(0, 10)} ${at.slice(11, 19)}Z  ${first}`, ...more.map((line) => ' '.repeat(22) + line)];
}
