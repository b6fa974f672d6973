import { Context } from '@temporalio/activity';
import { isGrpcServiceError } from '@temporalio/client';
import { messageOf } from '../../core/errors';
import { auditOfLever } from '../../core/journal';
import { isOver } from '../../core/run';
import { millis } from '../../core/time';
import { endedRuns, runsAtWork, type ListedRun } from '../../operations/listing';
import type { Deps } from '../deps';
import type { Books, Kept } from '../ports';

/** Time between two looks for runs that are over, ms. */
const EVERY_MS = 2_000;
/** Runs that go on are looked at so seldom, ms, once they are so old: those that are over before have told everything. */
const OPEN_EVERY_MS = 10_000;
/** And so many of them at once, the newest first. */
const OPEN_MOST = 20;
/** Runs written down in one go, and the time until the next go, ms: after a storm there are many, and what is at work goes first. */
const BATCH = 20;
const PAUSE_MS = 200;
/** A run may be listed so much later than it ended, ms. */
const LISTED_WITHIN_MS = 60_000;
/** The audit is pruned so often, ms. */
const PRUNE_MS = 3_600_000;
/** Kept where the environment file does not say, the least that is asked for (S1). */
const KEEP_AUDIT = '90d';
/** gRPC statuses that say "not now": cancelled, late, overloaded, nobody to answer, away. */
const NOT_NOW: readonly number[] = [1, 4, 8, 9, 14];

/** Keeps the journal's books: what a run was is read from Temporal, so that no run waits and none is missed. */
export function journalKeeping(deps: Deps) {
  return {
    /**
     * Writes down runs that are over, decisions and moves of the lever, until `forMs` have passed. It begins by comparing all that
     * Temporal still has with what is in the books; so what happened while the journal or every worker was away is caught up.
     */
    async keepBooks({ forMs }: { forMs: number }): Promise<void> {
      const context = Context.current();
      const keeper = deps.books && new Keeper(deps, deps.books, context);
      let away = false;
      for (const end = Date.now() + forMs; Date.now() < end; await context.sleep(EVERY_MS)) {
        context.heartbeat();
        try {
          await keeper?.round();
          if (away) context.log.warn('the journal is written again');
          away = false;
        } catch (error) {
          if (!away)
            context.log.warn(`the journal is not written, it is caught up later: ${messageOf(error)}`);
          away = true;
        }
      }
    },
  };
}

/** One who keeps the books, and how far they are. */
class Keeper {
  /** The last end of a run that was listed, ISO time; undefined before everything was compared. */
  private until: string | undefined;
  /** Runs that are in the books for certain and may be listed again, with their ends. */
  private written = new Map<string, string>();
  private openAt = 0;
  private prunedAt = 0;

  constructor(
    private readonly deps: Deps,
    private readonly books: Books,
    private readonly context: Context,
  ) {}

  /** Writes down whatever is new. @throws JOURNAL_UNREACHABLE; the next round does it then */
  async round(): Promise<void> {
    await this.closed();
    if (Date.now() - this.openAt < OPEN_EVERY_MS) return;
    await this.open();
    await this.lever();
    await this.prune();
    this.openAt = Date.now();
  }

  private async closed(): Promise<void> {
    const from = this.until && new Date(Date.parse(this.until) - LISTED_WITHIN_MS).toISOString();
    const found: ListedRun[] = [];
    for await (const one of endedRuns(this.deps.client, from)) found.push(one);
    const fresh = found
      .filter(({ run }) => !this.written.has(run))
      .toSorted((a, b) => a.endedAt!.localeCompare(b.endedAt!));
    for (let done = 0; done < fresh.length; done += BATCH) {
      if (done > 0) await this.context.sleep(PAUSE_MS);
      await this.write(fresh.slice(done, done + BATCH));
      this.context.heartbeat();
    }
    this.until = fresh.at(-1)?.endedAt ?? this.until;
    this.written = new Map([...this.written].filter(([, endedAt]) => !from || endedAt >= from));
  }

  private async write(batch: readonly ListedRun[]): Promise<void> {
    const missing = new Set(await this.books.missing(batch.map(({ run }) => run)));
    const found = await this.reports(batch.filter(({ run }) => missing.has(run)));
    if (found.length > 0) await this.books.keep(found);
    for (const { run, endedAt } of batch) this.written.set(run, endedAt!);
  }

  /** Those at work: that they were started, and what was decided so far. */
  private async open(): Promise<void> {
    const before = new Date(Date.now() - OPEN_EVERY_MS).toISOString();
    const open: ListedRun[] = [];
    for await (const one of runsAtWork(this.deps.client, before)) if (open.push(one) >= OPEN_MOST) break;
    const found = await this.reports(open);
    if (found.length > 0) await this.books.keep(found);
  }

  private async lever(): Promise<void> {
    const { leverMoves } = await this.deps.operations.coordination();
    if (leverMoves.length > 0) await this.books.note(leverMoves.map(auditOfLever));
  }

  private async prune(): Promise<void> {
    if (Date.now() - this.prunedAt < PRUNE_MS) return;
    const keep = millis(this.deps.config.journal?.keepAudit ?? KEEP_AUDIT);
    await this.books.prune(new Date(Date.now() - keep).toISOString());
    this.prunedAt = Date.now();
  }

  private async reports(runs: readonly ListedRun[]): Promise<Kept[]> {
    return (await Promise.all(runs.map((run) => this.report(run)))).flat();
  }

  /** A run that failed as it began has no report, and did nothing that would have to be in one. */
  private async report({ run, endedAt, door }: ListedRun): Promise<Kept[]> {
    try {
      const report = await this.deps.operations.show(run);
      // One that was terminated in Temporal did not get to say when.
      if (isOver(report.state) && endedAt) report.endedAt ??= endedAt;
      return [{ report, ...(door === undefined ? {} : { door }) }];
    } catch (error) {
      if (isGrpcServiceError(error) && NOT_NOW.includes(error.code)) throw error;
      this.context.log.info(`${run} is not in the journal, it has no report: ${messageOf(error)}`);
      return [];
    }
  }
}
