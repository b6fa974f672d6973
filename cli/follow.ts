import { setTimeout as delay } from 'node:timers/promises';
import { ERRORS } from '../core/errors';
import { isOver, type RunReport } from '../core/run';
import type { Operations } from '../operations';
import { toKnown } from './errors';
import { asks } from './render/asks';
import { changes, line } from './render/log';
import { plainSummary, summary } from './render/summary';
import { timeline } from './render/timeline';
import { canRedraw, lookOf, Painting, print, type Out } from './terminal';

/** What a person sees of a run while it goes on. */
export interface Viewer {
  show(report: RunReport): void;
  /** The report may be out of date, for this reason; the next {@link show} ends it. */
  trouble(sentence: string): void;
  /** Leaves the final picture. Without a report: takes the live one away. */
  end(report?: RunReport): void;
}

/**
 * The viewer for a stream: a picture redrawn in place on a terminal, lines appended elsewhere.
 * @param below what else stands below the picture while it is live.
 */
export function viewer(
  out: Out,
  link: (run: string) => string | undefined,
  below: () => string[] = () => [],
): Viewer {
  return canRedraw(out) ? picture(out, link, below) : log(out, link);
}

/** Sees nothing. */
export const BLIND: Viewer = { show: () => undefined, trouble: () => undefined, end: () => undefined };

const REDRAW_MS = 100;

/** The timeline of a run that is over, with its result. */
export function finalPicture(report: RunReport, out: Out, link: string | undefined): string[] {
  const look = lookOf(out);
  return [
    '',
    ...timeline(report, look),
    ...(isOver(report.state) ? ['', ...summary(report, look, link)] : []),
  ];
}

function picture(out: Out, link: (run: string) => string | undefined, below: () => string[]): Viewer {
  const painting = new Painting(out);
  let latest: RunReport | undefined;
  let problem: string | undefined;
  const draw = () => {
    if (!latest) return;
    const foot = below();
    const look = { ...lookOf(out), height: out.rows - 1 - foot.length };
    painting.draw([...timeline(latest, look, problem), ...foot]);
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    show(report) {
      latest = report;
      problem = undefined;
      draw();
    },
    trouble(sentence) {
      problem = sentence;
      if (latest) draw();
    },
    end(report) {
      clearInterval(timer);
      painting.remove();
      if (report) print(out, finalPicture(report, out, link(report.run)));
    },
  };
}

function log(out: Out, link: (run: string) => string | undefined): Viewer {
  let before: RunReport | undefined;
  let problem: string | undefined;
  return {
    show(report) {
      print(out, changes(before, report, Date.now()));
      if (before?.state !== report.state) print(out, asks(report, lookOf(out)));
      before = report;
      problem = undefined;
    },
    trouble(sentence) {
      if (!problem) print(out, [line(new Date().toISOString(), `! ${sentence}`)]);
      problem = sentence;
    },
    end(report) {
      if (report) print(out, ['', ...plainSummary(report, lookOf(out), link(report.run))]);
    },
  };
}

interface FollowOptions {
  view: Viewer;
  enough: (report: RunReport) => boolean;
  signal: AbortSignal;
  /** Time between two tries while Temporal does not answer. */
  retryMs?: number;
}

/**
 * Looks at a run until `enough` says so or it is over, showing it to `viewer` all the while. A Temporal server or worker
 * that does not answer for a time is waited for: the run does not need the one who watches.
 * @returns the last report; it is not over where `signal` was aborted.
 * @throws what looking again does not help against, e.g. UNKNOWN_RUN.
 */
export async function follow(
  operations: Operations,
  run: string,
  { view, enough, signal, retryMs = 1000 }: FollowOptions,
): Promise<RunReport | undefined> {
  let last: RunReport | undefined;
  while (!signal.aborted) {
    try {
      for await (last of operations.follow(run, { signal })) {
        view.show(last);
        if (enough(last)) return last;
      }
      return last;
    } catch (error) {
      const known = toKnown(error);
      if (!ERRORS[known.code].retryable) throw known;
      view.trouble(`${known.message}; what is shown may be old, trying again`);
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return last;
}
