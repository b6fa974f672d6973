import { ActivityFailure, TimeoutFailure, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../../activities';
import { regionQueue } from '../messages';
import { LONG, WORK, long, work } from '../proxies';

/** Work of seconds and long work, as in proxies.ts, done near what it is done to. */
export interface Near {
  work: typeof work;
  long: typeof long;
}

/** How long a region's own workers are given to take something up; then any other does it. */
const PATIENCE = '2s';

/**
 * Acts and looks that touch a region are carried out by workers of that region (DESIGN section 6), which reach it when others may
 * not. Where nobody there takes one up in time a worker of any region does, and for the rest of the run the region is
 * not waited for again: a run is paid that time once.
 */
export class Nearby {
  private readonly silent = new Set<string>();

  /** @param attended regions that have workers, as far as anybody knew when the run began */
  constructor(private readonly attended: readonly string[]) {}

  /** @param place a region, or what is in one: `us-east-1/a/n1` */
  of(place: string): Near {
    const region = place.split('/', 1)[0]!;
    if (!this.attended.includes(region)) return { work, long };
    return { work: this.first(region, WORK, work), long: this.first(region, LONG, long) };
  }

  private first(region: string, options: ActivityOptions, anybody: typeof work): typeof work {
    const there = proxyActivities<Activities>({
      ...options,
      taskQueue: regionQueue(region),
      scheduleToStartTimeout: PATIENCE,
    });
    return new Proxy(anybody, {
      get: (_, name: keyof Activities) => async (asked: never) => {
        const call = { there: there[name] as Call, anybody: anybody[name] as Call };
        if (this.silent.has(region)) return call.anybody(asked);
        try {
          return await call.there(asked);
        } catch (error) {
          if (!nobodyTookItUp(error)) throw error;
          this.silent.add(region);
          return call.anybody(asked);
        }
      },
    });
  }
}

type Call = (asked: never) => Promise<unknown>;

function nobodyTookItUp(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';
}
