import { elapsed } from '../../core/report';
import type { RunReport, RunState } from '../../core/run';
import type { SandboxUrls } from '../../sandbox';
import type { LoadReport } from '../../sandbox/load';
import { PROMISED } from '../../sandbox/scenario';
import { box, factLines, innerWidth, type Fact } from './box';
import type { Look } from './look';
import { stateColor } from './state';
import { pad, wrap } from './text';

/** A run that a tour showed. */
export interface Shown {
  run: RunReport;
  /** How it was to end. */
  expected: RunState;
}

/** What a demo showed: what `./switchover demo --json` prints. */
export interface DemoResult {
  outcome: RunState;
  node: string;
  /** From the moment the node was killed; null where it did not come to it. The first and the last were seen in HAProxy's statistics. */
  milliseconds: { outOfBalancer: number | null; healed: number | null; fullWeight: number | null };
  sessionsLost: { clients: number; report: number | null };
  /** What the MCP clients saw from their first call to their last. */
  load: LoadReport;
  run: RunReport;
  /** What a tour showed after that. */
  tour?: Shown[];
}

const LABEL = 18;

/** The demo's result in a box. */
export function demoBox(result: DemoResult, look: Look): string[] {
  const paint = stateColor(result.outcome, look.colors);
  return box(result.outcome, resultLines(result, innerWidth(look), look), paint, look);
}

/** The same without the box, for logs. */
export function demoLines(result: DemoResult, look: Look): string[] {
  return ['', result.outcome, ...resultLines(result, look.width, look)];
}

function resultLines(result: DemoResult, width: number, look: Look): string[] {
  const { milliseconds, load, sessionsLost, run } = result;
  const { outOfBalancer, healed, fullWeight } = milliseconds;
  const facts: Fact[] = [
    ['out of balancer', against(outOfBalancer, PROMISED.outMs, look)],
    ['healed', against(healed, PROMISED.healedMs, look)],
    ['full weight', fullWeight === null ? 'not seen' : `${elapsed(fullWeight)} after the kill`],
    [
      'sessions lost',
      `${sessionsLost.clients} of ${load.clients} as the clients saw it, ${sessionsLost.report ?? 'not counted'} in the report`,
    ],
    ['calls', calls(load)],
    [
      'latency',
      `p50 ${elapsed(load.p50)}, p95 ${elapsed(load.p95)}; longest wait for an answer ${elapsed(load.maxGapMs)}`,
    ],
  ];
  return [
    ...wrap(run.sentence, width).map((line) => look.colors.bold(line)),
    ...factLines(facts, LABEL, width, look),
  ];
}

/** How a load goes, in a line. */
export function calls({ calls: all, clients, ok, failed, failures }: LoadReport): string {
  const classes = Object.entries(failures).map(([failure, count]) => `${count} ${failure}`);
  const why = classes.length > 0 ? ` (${classes.join(', ')})` : '';
  return `${number(all)} calls by ${clients} MCP clients: ${number(ok)} ok, ${number(failed)} failed${why}`;
}

const number = (value: number): string => value.toLocaleString('en');

function against(ms: number | null, promisedMs: number, { colors }: Look): string {
  const seen = ms === null ? 'not seen' : `${elapsed(ms)} after the kill`;
  const met = ms !== null && ms < promisedMs;
  return `${seen}, promised in less than ${elapsed(promisedMs)}: ${met ? colors.green('met') : colors.red('missed')}`;
}

/** The runs of a tour, each with how it ended. */
export function tourLines(shown: readonly Shown[], { colors, width }: Look): string[] {
  if (shown.length === 0) return [];
  const lines = shown.flatMap(({ run, expected }) => {
    const well = run.state === expected;
    const mark = well ? colors.green('✓') : colors.red('✗');
    const end = well ? run.state : `${run.state}, and was to be ${expected}`;
    return wrap(`${run.runbook}: ${end}: ${run.sentence}`, width - 2).map(
      (line, i) => `${i === 0 ? mark : ' '} ${line}`,
    );
  });
  return ['', colors.bold('What the tour showed'), ...lines];
}

/** Where to look and what to try next, while the sandbox runs. `flags` name the sandbox to its commands. */
export function nextPage(
  { run, link, urls, flags }: { run: string; link: string | undefined; urls: SandboxUrls; flags: string },
  { colors }: Look,
): string[] {
  const rows: Fact[] = [
    ['API, Prometheus', `${urls.apiDocs}  ${urls.prometheus}`],
    ['the timeline', `./switchover show ${run}`],
    ['break more', `./switchover sandbox break us-east-1/b/n1 hang${flags}`],
    ['watch it heal', './switchover runs, then ./switchover watch RUN'],
    ['end it', `./switchover sandbox down${flags}`],
  ];
  return [
    ...(link ? [`${colors.dim('Temporal')} ${link}`] : []),
    '',
    'Everything still runs. What to look at next:',
    ...rows.map(([label, text]) => `  ${colors.dim(pad(label, LABEL))}${text}`),
  ];
}
