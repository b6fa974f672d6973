import { JUDGED, type Judged, type Verdict } from '../../core/drill';
import { SwitchoverError } from '../../core/errors';
import { elapsed } from '../../core/report';
import type { RunReport } from '../../core/run';
import { drillPlot } from './drill-plot';

/** What a drill saw and how it was judged. @throws BAD_INPUT where the run is no drill, or none that came so far */
export function judgedIn({ run, runbook, state, steps }: RunReport): Judged {
  const kept = steps.findLast(({ title, state: step }) => title === JUDGED && step === 'done')?.after;
  if (runbook === 'component-drill' && kept) return kept as Judged;
  throw new SwitchoverError(
    'BAD_INPUT',
    `${run} (${runbook}) is ${state} and has judged nothing: a report is there of a component-drill that was carried out to its verdict`,
  );
}

/** A drill as a page that needs nothing beside it: the verdict, what was measured, a plot of it, the timeline. */
export function drillPage(report: RunReport): string {
  const judged = judgedIn(report);
  const { verdict, experiment } = judged;
  const rows = measured(judged).map(
    ([name, value]) => `<tr><th>${text(name)}</th><td>${text(value)}</td></tr>`,
  );
  const steps = report.steps.map(
    ({ startedAt, title, sentence = '' }) =>
      `<li><time>${text(startedAt.slice(11, 23))}</time> <b>${text(title)}</b> ${text(sentence)}</li>`,
  );
  const rescue = experiment.rescue;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${text(`Drill ${report.run}`)}</title><style>${STYLE}</style></head><body>
<h1>Drill of ${text(String(report.input['node']))}: ${text(WORDS[verdict.outcome])}</h1>
<p class="${verdict.outcome}">${text(verdict.sentence)}</p>
<p>${text(report.run)}, by ${text(report.by)}, ${text(report.startedAt)}${rescue ? `; healed by ${text(rescue.run)}, which says: ${text(rescue.sentence)}` : ''}</p>
${drillPlot(judged)}
<table>${rows.join('')}</table>
<h2>Timeline</h2><ol>${steps.join('')}</ol>
</body></html>
`;
}

const WORDS: Record<Verdict['outcome'], string> = {
  succeeded: 'passed',
  failed: 'failed',
  inconclusive: 'inconclusive',
};

function measured({ verdict, experiment }: Judged): [string, string][] {
  const { before, after, rtoMs, detectedMs, clientErrors, sessionsLost } = verdict;
  const steady = (name: string, seen: typeof before): [string, string][] =>
    seen
      ? [
          [
            name,
            `${(seen.successRate * 100).toFixed(2)} % of ${seen.calls} calls, the slowest ${elapsed(seen.slowestMs)}, ${seen.serving} nodes of the zone`,
          ],
        ]
      : [];
  const failures = Object.entries(experiment.ledger.failures).map(([kind, count]) => `${count} × ${kind}`);
  return [
    ['RTO, as clients and probes saw it', rtoMs === undefined ? 'never recovered' : elapsed(rtoMs)],
    ['Objective', elapsed(experiment.rtoMs)],
    ...(detectedMs === undefined
      ? []
      : ([['Fault to detection, as the run tells it', elapsed(detectedMs)]] as [string, string][])),
    [
      'Errors of clients since the fault',
      `${clientErrors}${failures.length > 0 ? ` (${failures.join(', ')})` : ''}`,
    ],
    ['Sessions lost', String(sessionsLost)],
    ...steady('Steady state before', before),
    ...steady('Steady state after', after),
  ];
}

function text(plain: string): string {
  return plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:980px;margin:2em auto;padding:0 1em}' +
  'table{border-collapse:collapse}th,td{text-align:left;padding:.25em 1em .25em 0;border-bottom:1px solid #ddd}' +
  '.succeeded{color:#17693a}.failed{color:#b3261e}.inconclusive{color:#8a5a00}time{color:#666}';
