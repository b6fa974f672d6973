import { type RunReport, type StepRecord, type StepState } from './run';

const MARK: Record<StepState, string> = {
  running: '▶',
  done: '✓',
  unchanged: '＝',
  'would change': '✎',
  failed: '✗',
  skipped: '↷',
  refused: '⛔',
};

/** A run as Markdown: head, numbers, timeline, decisions. Shown live as Temporal's current details and kept as the report. */
export function timeline(report: RunReport): string {
  return [head(report), numbers(report), steps(report.steps), plan(report), decisions(report), alerts(report)]
    .filter(Boolean)
    .join('\n\n');
}

/** Milliseconds as a person reads them: `840 ms`, `3.2 s`, `4 min 10 s`. */
export function elapsed(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

function head({ state, runbook, scope, mode, sentence, by, reason, incident }: RunReport): string {
  const why = reason ? ` — “${reason}”` : '';
  return `### ${state.toUpperCase()}: ${runbook} on ${scope}\n\n${sentence}\n\n_${mode}, asked for by ${by}${why}${incident ? `, incident ${incident}` : ''}_`;
}

function numbers({ objective, actual, clock }: RunReport): string {
  const rto =
    actual.rtoMs === undefined
      ? null
      : `**RTO** ${elapsed(actual.rtoMs)} of ${elapsed(objective.rtoMs)} (${actual.rtoMs <= objective.rtoMs ? 'met' : 'missed'})`;
  const isolated =
    clock.faultAt && clock.isolatedAt
      ? `**out of the balancer** after ${elapsed(between(clock.faultAt, clock.isolatedAt))}`
      : null;
  const lost = actual.sessionsLost === undefined ? null : `**sessions lost** ${actual.sessionsLost}`;
  return [rto, isolated, lost].filter(Boolean).join(' · ');
}

function steps(records: readonly StepRecord[]): string {
  if (records.length === 0) return '';
  const rows = records.map((step) => {
    const took = step.endedAt ? elapsed(between(step.startedAt, step.endedAt)) : '…';
    const tries = step.attempts > 1 ? ` (try ${step.attempts})` : '';
    return `| ${MARK[step.state]} | ${step.startedAt.slice(11, 23)} | ${cell(step.title)}${tries} | ${cell(step.sentence ?? '')} | ${took} |`;
  });
  return ['| | time (UTC) | step | what was decided | took |', '|---|---|---|---|---|', ...rows].join('\n');
}

function plan({ plan: predicted }: RunReport): string {
  if (!predicted) return '';
  const { mutating, readOnly, changes } = predicted;
  return [
    `**Plan**: ${mutating} step(s) would change something, ${readOnly} only look.`,
    ...changes.map((change) => `- ${change}`),
  ].join('\n');
}

function decisions({ decisions: made, approvalsMissing }: RunReport): string {
  const waiting = approvalsMissing
    ? [
        `**Waiting for ${approvalsMissing} approval(s)**: send the update \`approve\` with \`{"by": "…", "reason": "…"}\`.`,
      ]
    : [];
  return [
    ...waiting,
    ...made.map(({ kind, by, reason, at }) => `- ${at.slice(11, 19)} **${kind}** by ${by}: ${reason}`),
  ].join('\n');
}

function alerts({ alerts: attached }: RunReport): string {
  return attached
    .map(({ source, summary, faultAt }) => `- alert from ${source} (${faultAt.slice(11, 23)}): ${summary}`)
    .join('\n');
}

function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
