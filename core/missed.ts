import type { Planned } from './schedules';

/** Why a run that was due has not been, or not done what it was to do. */
export const MISSED = ['paused', 'overlap', 'late', 'refused', 'failed'] as const;

/** A run that was due at `at` (ISO time) and has not been; `why` is a sentence. */
export interface Missed {
  schedule: string;
  at: string;
  kind: (typeof MISSED)[number];
  why: string;
}

/** What there is of a schedule at one moment; times ISO. */
export interface Seen {
  name: string;
  /** When a run was due, from {@link since} until now, oldest first. */
  due: readonly string[];
  /** Runs that were begun, by the time at which they were due. */
  begun: readonly { due: string; from: string; until?: string }[];
  /** The note of whoever has paused it. */
  paused?: string;
}

/** A look at a schedule: what is missed, and from when on to look the next time. */
export interface Verdict {
  missed: Missed[];
  since: string;
}

/** So long after it was due a run may still come to be seen, ms: visibility is behind what happens. */
const SETTLE_MS = 10_000;

/** Of each schedule so many missed runs are told with their reasons; all of them are counted. */
const KEPT = 20;

/**
 * Which of the runs that were due since the last look have been missed. Nothing is said of one that may still be begun, and nothing is
 * said twice: the next look begins behind the last one that was judged, or at the first that was not, without those `known`.
 * @param now ms
 */
export function judge(
  seen: Seen,
  { jitterMs, overlap, catchUpMs }: Pick<Planned, 'jitterMs' | 'overlap' | 'catchUpMs'>,
  { since, known, now }: { since: string; known: readonly string[]; now: number },
): Verdict {
  const missed: Missed[] = [];
  let open: string | undefined;
  let last = since;
  for (const at of seen.due) {
    if (at <= since) continue;
    const fault = begunAt(seen, at, jitterMs)
      ? undefined
      : whyMissed(seen, at, { overlap, catchUpMs, jitterMs, now });
    if (fault === 'may still be') open ??= last;
    else if (fault && !known.includes(at)) missed.push({ schedule: seen.name, at, ...fault });
    last = at;
  }
  return { missed, since: open ?? last };
}

function begunAt({ begun }: Seen, at: string, jitterMs: number): boolean {
  return begun.some(({ due }) => Math.abs(Date.parse(due) - Date.parse(at)) <= jitterMs);
}

function whyMissed(
  { paused, begun }: Seen,
  at: string,
  {
    overlap,
    catchUpMs,
    jitterMs,
    now,
  }: Pick<Planned, 'overlap' | 'catchUpMs' | 'jitterMs'> & { now: number },
): Pick<Missed, 'kind' | 'why'> | 'may still be' {
  const age = now - Date.parse(at) - jitterMs - SETTLE_MS;
  if (age < 0) return 'may still be';
  if (paused !== undefined)
    return { kind: 'paused', why: `the schedule is paused: ${paused || 'nobody said why'}` };
  const before = begun.find(
    ({ due, from, until }) => due < at && from <= at && (until === undefined || until > at),
  );
  if (overlap === 'skip' && before)
    return { kind: 'overlap', why: `the run that was due at ${before.due} was still at work` };
  if (age < catchUpMs) return 'may still be';
  return { kind: 'late', why: `it could not be begun within its catch-up window of ${catchUpMs / 1000} s` };
}

/** What is remembered of a schedule: plain JSON, it travels through continue-as-new. */
export interface Book {
  /** From when on to look, ISO. */
  since: string;
  /** All that were missed. */
  count: number;
  /** The last ones, oldest first. */
  latest: Missed[];
  /** What people were last told of it; forgotten once a run has ended well. */
  told?: Missed['kind'];
}

export type Books = Record<string, Book>;

/**
 * Writes missed runs down, and says of which people are to be told: of the first of a kind, and again only once a run has ended well since,
 * so that a schedule that is paused for a month is told of once.
 */
export function note(books: Books, missed: readonly Missed[]): Missed[] {
  return missed.filter((one) => {
    const book = bookOf(books, one.schedule, one.at);
    if (book.latest.some(({ at }) => at === one.at)) return false;
    book.count += 1;
    book.latest = [...book.latest, one].slice(-KEPT);
    const news = book.told !== one.kind;
    book.told = one.kind;
    return news;
  });
}

/** A run of the schedule has ended well: what is missed from now on is news. */
export function noteRun(books: Books, schedule: string): void {
  delete books[schedule]?.told;
}

/** The schedule's book, begun where there is none. `since`: ISO time. */
export function bookOf(books: Books, schedule: string, since: string): Book {
  return (books[schedule] ??= { since, count: 0, latest: [] });
}
