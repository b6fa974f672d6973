import { doubtsOf, expectationOf } from '../../core/expectation';
import { elapsed } from '../../core/report';
import type { RunReport } from '../../core/run';
import { box, factLines, innerWidth, type Fact } from './box';
import { between } from './clock';
import type { Look } from './look';
import { stateColor } from './state';
import { counted, wrap } from './text';

const LABEL = 10;
const ALERTS = 3;

/**
 * The result of a run that is over in a box: outcome, RTO against objective, sessions, what was decided and undone.
 * The link stands below the box, on a line of its own, so that it can be copied.
 */
export function summary(report: RunReport, look: Look, link?: string): string[] {
  const { colors } = look;
  const lines = summaryFacts(report, look, innerWidth(look));
  return [
    ...box(report.state, lines, stateColor(report.state, colors), look),
    ...(link ? [`${colors.dim('Temporal')} ${link}`] : []),
  ];
}

/** The same without the box, for logs. */
export function plainSummary(report: RunReport, look: Look, link?: string): string[] {
  return [report.state, ...summaryFacts(report, look, look.width), ...(link ? [`Temporal  ${link}`] : [])];
}

function summaryFacts(report: RunReport, look: Look, width: number): string[] {
  const facts = [
    ...numbers(report),
    ...plan(report),
    ...compared(report),
    ...exceptions(report),
    ...undone(report),
    ...decisions(report),
    ...alerts(report),
  ];
  const doubts = report.mode === 'plan' ? doubtsOf(report) : [];
  return [
    ...doubts.flatMap((doubt) => wrap(`! ${doubt}`, width)).map((line) => look.colors.yellow(line)),
    ...wrap(report.sentence, width).map((line) => look.colors.bold(line)),
    ...factLines(facts, LABEL, width, look),
  ];
}

function numbers(report: RunReport): Fact[] {
  const { mode, actual, clock, objective } = report;
  if (mode === 'plan') return [];
  const isolated = clock.faultAt && clock.isolatedAt && elapsed(between(clock.faultAt, clock.isolatedAt));
  const facts: (Fact | false)[] = [
    time(report),
    isolated !== undefined && ['isolated', `after ${isolated}`],
    ...(actual.rpoMs === undefined ? [] : [['RPO', against(actual.rpoMs, objective.rpoMs)] as Fact]),
    actual.sessionsLost !== undefined && ['sessions', `${actual.sessionsLost} lost`],
    actual.rowsLost !== undefined && ['rows', `${actual.rowsLost} lost`],
  ];
  return facts.filter((fact) => fact !== false);
}

/** The RTO where a fault was observed; else how long the run took. */
function time({ actual, objective, clock, startedAt, endedAt = startedAt }: RunReport): Fact {
  if (!clock.faultAt) return ['took', elapsed(between(startedAt, endedAt))];
  const promised = objective.rtoMs === 0 ? '' : `, objective ${elapsed(objective.rtoMs)}`;
  if (actual.rtoMs === undefined) return ['RTO', `not measured${promised}`];
  return ['RTO', against(actual.rtoMs, objective.rtoMs)];
}

/** `4.2 s, objective 5.0 s: met` */
function against(actualMs: number, objectiveMs: number | undefined): string {
  if (objectiveMs === undefined) return elapsed(actualMs);
  return `${elapsed(actualMs)}, objective ${elapsed(objectiveMs)}: ${actualMs <= objectiveMs ? 'met' : 'missed'}`;
}

function plan(report: RunReport): Fact[] {
  const { plan: predicted } = report;
  if (!predicted) return [];
  const { mutating, readOnly, changes } = predicted;
  const { rto, loss } = expectationOf(report) ?? {};
  return [
    ...(rto === undefined ? [] : [['RTO', `expected: ${rto}`] as const]),
    ...(loss === undefined ? [] : [['loss', `expected: ${loss}`] as const]),
    ['plan', `${counted(mutating, 'step')} would change something, ${readOnly} would not`],
    ...changes.map((change): Fact => ['', `~ ${change}`]),
  ];
}

function compared({ compared: found }: RunReport): Fact[] {
  if (!found) return [];
  const { agreed, unplanned, notDone } = found;
  return [
    ['as planned', `${agreed} of ${counted(agreed + notDone.length, 'change')}, ${unplanned.length} others`],
    ...unplanned.map(({ step, sentence }): Fact => ['', `+ ${step}: ${sentence}`]),
    ...notDone.map(({ step, sentence }): Fact => ['', `- ${step}: ${sentence}`]),
  ];
}

function exceptions({ forced, noReturn = [] }: RunReport): Fact[] {
  const facts = noReturn.map((reason): Fact => ['no return', reason]);
  return forced ? [['forced', `by ${forced.by}, which allows: ${forced.allows}`], ...facts] : facts;
}

function undone({ steps }: RunReport): Fact[] {
  const undos = steps.filter(({ kind }) => kind === 'undo');
  const failed = undos.filter(({ state }) => state === 'failed').length;
  if (undos.length === 0) return [];
  return [
    [
      'undone',
      `${undos.length - failed} of ${counted(undos.length, 'step')}${failed > 0 ? `, ${failed} could not be undone` : ''}`,
    ],
  ];
}

function decisions({ decisions: made }: RunReport): Fact[] {
  return made.map(({ kind, by, reason, at }, i) => [
    i === 0 ? 'decisions' : '',
    `${at.slice(11, 19)}Z ${kind} by ${by}: ${reason}`,
  ]);
}

function alerts({ alerts: attached }: RunReport): Fact[] {
  const more = attached.length - ALERTS;
  const shown = attached.slice(0, ALERTS).map(({ source, summary: text }) => `${source}: ${text}`);
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((text, i) => [
    i === 0 ? 'alerts' : '',
    text,
  ]);
}
