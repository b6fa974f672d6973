import { EventEmitter, once } from 'node:events';
import type { RunReport } from '../core/run';
import type { RunOperations } from '../operations/bounded';

interface Feed {
  latest?: RunReport;
  /** Grows with each report, so that a watcher knows whether it has seen the latest. */
  version: number;
  /** Set when there will be no more: the run is over, or looking failed with `error`. */
  ended?: { error?: unknown };
  watchers: number;
  readonly changed: EventEmitter;
  readonly stop: AbortController;
}

/**
 * Live reports of runs. However many watch a run, it is looked at once; when the last watcher leaves, no longer.
 * A watcher that is slower than the run skips reports instead of queueing them: each one is the whole run.
 */
export class Feeds {
  private readonly feeds = new Map<string, Feed>();

  constructor(private readonly operations: Pick<RunOperations, 'follow'>) {}

  /**
   * The reports of a run, beginning with the one of now; ends with the run, with `signal`, or with {@link close}.
   * @throws what `Operations.show` throws, at first for a run that does not exist.
   */
  async *watch(run: string, signal: AbortSignal): AsyncGenerator<RunReport, void> {
    const feed = this.join(run);
    try {
      for (let seen = 0; !signal.aborted;) {
        if (feed.latest && feed.version > seen) {
          seen = feed.version;
          yield feed.latest;
        } else if (feed.ended) {
          if (feed.ended.error) throw feed.ended.error;
          return;
        } else {
          await once(feed.changed, 'changed', { signal }).catch(() => undefined);
        }
      }
    } finally {
      feed.watchers -= 1;
      if (feed.watchers === 0) this.drop(run, feed);
    }
  }

  /** Ends every watch. */
  close(): void {
    for (const [run, feed] of this.feeds) {
      feed.ended ??= {};
      feed.changed.emit('changed');
      this.drop(run, feed);
    }
  }

  /** How many runs are being looked at. */
  get size(): number {
    return this.feeds.size;
  }

  private join(run: string): Feed {
    const known = this.feeds.get(run);
    const feed = known ?? {
      version: 0,
      watchers: 0,
      changed: new EventEmitter(),
      stop: new AbortController(),
    };
    feed.watchers += 1;
    if (!known) {
      feed.changed.setMaxListeners(0);
      this.feeds.set(run, feed);
      void this.poll(run, feed);
    }
    return feed;
  }

  private async poll(run: string, feed: Feed): Promise<void> {
    try {
      for await (const report of this.operations.follow(run, { signal: feed.stop.signal })) {
        feed.latest = report;
        feed.version += 1;
        feed.changed.emit('changed');
      }
      feed.ended ??= {};
    } catch (error) {
      feed.ended ??= { error };
    }
    this.drop(run, feed);
    feed.changed.emit('changed');
  }

  private drop(run: string, feed: Feed): void {
    feed.stop.abort();
    if (this.feeds.get(run) === feed) this.feeds.delete(run);
  }
}
