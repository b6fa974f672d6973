import { elapsed } from './elapsed';
import { doubtsOf, expectationOf } from './expectation';
import type { Change, DecisionKind, RunReport, StepRecord, StepState } from './run';

export { elapsed };

/** Signs that the fonts of a plain Linux browser have; emoji they have not. */
const MARK: Record<StepState, string> = {
  running: '▶',
  done: '✓',
  unchanged: '=',
  'would change': '✎',
  failed: '✗',
  skipped: '↷',
  refused: '⊘',
};

/**
 * A run as Markdown: where it stands, what it asks of a person, numbers, timeline, decisions, alerts. Shown live as
 * Temporal's current details and kept as the report. Made for a narrow column, which is what the Temporal UI gives it:
 * lists, no tables.
 */
export function timeline(report: RunReport): string {
  return [
    head(report),
    doubtsOf(report)
      .map((doubt) => `⚠ **${plain(doubt)}**`)
      .join('\n\n'),
    needs(report),
    numbers(report),
    expected(report),
    origin(report),
    forced(report),
    noReturn(report),
    steps(report.steps),
    plan(report),
    compared(report),
    decisions(report),
    alerts(report),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** What a run waits for a person to say, and which decisions answer it; null where it waits for nobody. */
export function question({
  state,
  approvalsMissing = 1,
  by,
}: RunReport): { say: string; kinds: DecisionKind[] } | null {
  switch (state) {
    case 'waiting for approval': {
      const people = approvalsMissing === 1 ? 'one more person' : `${approvalsMissing} more people`;
      return {
        say: `Needs the approval of ${people}, not of ${by} who asked for the run`,
        kinds: ['approve', 'reject'],
      };
    }
    case 'needs attention':
      return {
        say: 'Somebody has to decide: try the step again, go on without it, or stop and undo; acknowledge ends the calls',
        kinds: ['retry', 'skip', 'abort', 'acknowledge'],
      };
    case 'paused':
      return { say: 'Goes on when somebody says so', kinds: ['resume', 'abort'] };
    default:
      return null;
  }
}

function head({ state, runbook, scope, sentence }: RunReport): string {
  return `### ${state.toUpperCase()}: ${runbook} on ${plain(scope)}\n\n**${plain(sentence)}**`;
}

function needs(report: RunReport): string {
  const asked = question(report);
  if (!asked) return '';
  const updates = asked.kinds.map((kind) => `\`${kind}\``).join(' or ');
  return [
    `➜ ${plain(asked.say)}.`,
    '',
    `- In the Temporal UI: _More Actions_, _Send an Update_, ${updates} with \`{"by": "your name", "reason": "why"}\``,
    `- On a command line: \`./switchover ${asked.kinds[0]} ${report.run} --reason "why"\``,
  ].join('\n');
}

function numbers({ objective, actual, clock }: RunReport): string {
  const rto =
    actual.rtoMs === undefined
      ? null
      : `**RTO** ${elapsed(actual.rtoMs)} of ${elapsed(objective.rtoMs)} (${actual.rtoMs <= objective.rtoMs ? 'met' : 'missed'})`;
  const rpo =
    actual.rpoMs === undefined
      ? null
      : `**RPO** ${elapsed(actual.rpoMs)}${objective.rpoMs === undefined ? '' : ` of ${elapsed(objective.rpoMs)} (${actual.rpoMs <= objective.rpoMs ? 'met' : 'missed'})`}`;
  const isolated =
    clock.faultAt && clock.isolatedAt
      ? `**isolated** after ${elapsed(between(clock.faultAt, clock.isolatedAt))}`
      : null;
  const lost = actual.sessionsLost === undefined ? null : `**sessions lost** ${actual.sessionsLost}`;
  const rows = actual.rowsLost === undefined ? null : `**rows lost** ${actual.rowsLost}`;
  return [rto, rpo, isolated, lost, rows].filter(Boolean).join(' · ');
}

function expected(report: RunReport): string {
  const { rto, loss } = expectationOf(report) ?? {};
  return [
    ...(rto === undefined ? [] : [`**expected RTO** ${rto}`]),
    ...(loss === undefined ? [] : [`**expected loss** ${plain(loss)}`]),
  ].join(' · ');
}

function origin({ mode, by, reason, incident, startedAt }: RunReport): string {
  const why = reason ? ` (“${plain(reason)}”)` : '';
  const about = incident ? `, incident ${incident}` : '';
  return `${mode}, asked for by ${plain(by)}${why} at ${clockTime(startedAt)} UTC${about}`;
}

function forced({ forced: by }: RunReport): string {
  if (!by) return '';
  return `**Forced** by ${plain(by.by)}: ${plain(by.reason)}. Allowed is: ${plain(by.allows.trim())}.`;
}

function noReturn({ noReturn: reasons }: RunReport): string {
  return reasons ? `**No going back**: ${plain(reasons.join('; '))}` : '';
}

function steps(records: readonly StepRecord[], indent = ''): string {
  return records
    .flatMap((step) => [
      `${indent}${stepLine(step)}`,
      ...(step.nested ? [steps(step.nested.steps, `${indent}   `)] : []),
    ])
    .join('\n');
}

/** `3. ✓ 15:57:28 **Restart it** (try 2, 74 ms): started as pid 4711`; two steps of one second differ in their order. */
function stepLine({ id, state, title, sentence, startedAt, endedAt, attempts, run }: StepRecord): string {
  const facts = [
    ...(attempts > 1 ? [`try ${attempts}`] : []),
    ...(endedAt ? [elapsed(between(startedAt, endedAt))] : ['under way']),
  ].join(', ');
  const what = sentence ?? run;
  const said = what ? `: ${plain(what)}` : '';
  return `${id}. ${MARK[state]} ${clockTime(startedAt)} **${plain(title)}** (${facts})${said}`;
}

function plan({ plan: predicted }: RunReport): string {
  if (!predicted) return '';
  const { mutating, readOnly, changes } = predicted;
  return [
    `**Plan**: ${mutating} step(s) would change something, ${readOnly} only look.`,
    '',
    ...changes.map((change) => `- ${plain(change)}`),
  ].join('\n');
}

function compared({ compared: found }: RunReport): string {
  if (!found) return '';
  const { plan: by, agreed, unplanned, notDone } = found;
  const listed = (changes: readonly Change[], what: string) =>
    changes.map(({ step, sentence }) => `- ${what}: ${plain(step)}: ${plain(sentence)}`);
  const lines = [...listed(unplanned, 'not predicted'), ...listed(notDone, 'predicted and not done')];
  return [
    `**Predicted against actual** (${plain(by)}): ${agreed} of ${agreed + notDone.length} predicted changes were made, ${unplanned.length} others.`,
    ...(lines.length > 0 ? ['', ...lines] : []),
  ].join('\n');
}

function decisions({ decisions: made }: RunReport): string {
  return made
    .map(({ kind, by, reason, at }) => `- ${clockTime(at)} **${kind}** by ${plain(by)}: ${plain(reason)}`)
    .join('\n');
}

function alerts({ alerts: attached }: RunReport): string {
  return attached
    .map(
      ({ source, summary, faultAt }) =>
        `- ${clockTime(faultAt)} **alert** from ${plain(source)}: ${plain(summary)}`,
    )
    .join('\n');
}

/** Hours, minutes and seconds of an ISO time, UTC. */
function clockTime(iso: string): string {
  return iso.slice(11, 19);
}

function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

/** Text from outside as one line that shows as it was written: `<none>` would vanish as HTML, `_a_` turn italic. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_<[]/g, '\\$&').replaceAll(/\s+/g, ' ');
}
