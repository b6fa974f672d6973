import { SwitchoverError } from '../core/errors';
import { isOver, OUTCOMES, type RunReport } from '../core/run';
import { BLIND, follow, viewer } from './follow';
import { plainSummary } from './render/summary';
import type { Session } from './session';
import { lookOf, print } from './terminal';

/** How a person or a program stays with a run. */
export interface AttendOptions {
  /** Show it while it goes on; else only its result. */
  follow?: boolean;
  /** The report alone on standard output; what a person sees goes to standard error. */
  json?: boolean;
  /** Milliseconds after which nobody waits any longer; without it for as long as it takes. */
  timeout?: number;
}

/** The exit status where a run waits for a person and nobody is there to watch it. */
const NEEDS_ATTENTION = 4;

/**
 * Stays with a run until it is over, or, where nobody follows it, until it needs attention.
 * Ctrl-C ends the watching, not the run (status 130).
 * @returns the exit status of DESIGN section 10.
 * @throws TIMED_OUT, with the report as details.
 */
export async function attend(session: Session, run: string, options: AttendOptions): Promise<number> {
  const { operations, link } = session;
  const out = options.json ? process.stderr : process.stdout;
  const view = options.follow ? viewer(out, link) : BLIND;
  const leave = () => {
    view.end();
    print(process.stderr, [`No longer watching; the run goes on. Come back with: ./switchover watch ${run}`]);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  let report: RunReport | undefined;
  try {
    const signal =
      options.timeout === undefined ? new AbortController().signal : AbortSignal.timeout(options.timeout);
    const enough = ({ state }: RunReport) => !options.follow && state === 'needs attention';
    report = await follow(operations, run, { view, enough, signal });
  } finally {
    process.removeListener('SIGINT', leave);
    view.end(report);
  }
  return result(run, report, options, link(run));
}

function result(
  run: string,
  report: RunReport | undefined,
  options: AttendOptions,
  link: string | undefined,
): number {
  const status = report && exitStatus(report, options);
  if (report === undefined || status === undefined) {
    const now = report ? `it is ${report.state}` : 'how it stands is not known';
    throw new SwitchoverError('TIMED_OUT', `${run} is not over in the time given: ${now}`, report);
  }
  if (options.json) print(process.stdout, [JSON.stringify(report, null, 2)]);
  else if (!options.follow) print(process.stdout, plainSummary(report, lookOf(process.stdout), link));
  return status;
}

/** The exit status of a run nobody has to wait for any longer; else undefined. */
function exitStatus({ state }: RunReport, options: AttendOptions): number | undefined {
  if (isOver(state)) return OUTCOMES[state];
  return state === 'needs attention' && !options.follow ? NEEDS_ATTENTION : undefined;
}
