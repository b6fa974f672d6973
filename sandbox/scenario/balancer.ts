import { setTimeout as pause } from 'node:timers/promises';
import { get } from '../conditions';

/** How long the watch rests between two looks, ms. */
const LOOK_EVERY_MS = 10;

/** One server of a load balancer, as its public statistics show it. */
export interface Standing {
  /** Whether it is given requests at this moment. */
  takes: boolean;
  /** Its share of the traffic against its peers; 100 is a node's full weight. */
  weight: number;
  /** Requests it was given in the last whole second. */
  rate: number;
}

/** HAProxy's words for a server that gets requests, also while its checks have begun to fail (`UP 2/3`). */
const TAKES = /^(UP|no check)/;

/**
 * The servers of a HAProxy by name, read from its statistics page: nothing of Switchover is asked.
 * @param statsUrl of the page, e.g. `http://127.1.0.1:8405/stats`
 * @throws Error where it does not answer within a second
 */
export async function standings(statsUrl: string): Promise<Map<string, Standing>> {
  const [head = '', ...rows] = (await get(`${statsUrl};csv`)).split('\n');
  const columns = head.replace(/^# /, '').split(',');
  const [name, status, weight, rate] = ['svname', 'status', 'weight', 'rate'].map((column) =>
    columns.indexOf(column),
  ) as [number, number, number, number];
  return new Map(
    rows
      .map((row) => row.split(','))
      .map((cells) => [
        cells[name] ?? '',
        { takes: TAKES.test(cells[status] ?? ''), weight: Number(cells[weight]), rate: Number(cells[rate]) },
      ]),
  );
}

/** Watches servers of a HAProxy from outside, a hundred times a second. Times are epoch ms. */
export class BalancerWatch {
  /** When a look first found that none of them gets requests any more. */
  outAt: number | undefined;
  /** When a look first found all of them, after that, with their full weight again. */
  backAt: number | undefined;
  /** The time from the look before that to {@link outAt}: how late it may be. */
  outLateMs: number | undefined;

  constructor(
    private readonly statsUrl: string,
    private readonly servers: readonly string[],
    private readonly fullWeight: number,
  ) {}

  /** Looks while the work is done; goes on where HAProxy does not answer. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const done = new AbortController();
    const watching = this.run(done.signal);
    try {
      return await work();
    } finally {
      done.abort();
      await watching;
    }
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (let last = Date.now(); !signal.aborted;) {
      const seen = await standings(this.statsUrl).catch(() => undefined);
      const now = Date.now();
      if (seen) {
        this.note(
          this.servers.map((server) => seen.get(server)),
          now,
          now - last,
        );
        last = now;
      }
      await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private note(seen: readonly (Standing | undefined)[], now: number, sinceLastMs: number): void {
    if (this.outAt === undefined) {
      if (seen.some((standing) => standing?.takes)) return;
      this.outAt = now;
      this.outLateMs = sinceLastMs;
    } else if (seen.every((standing) => standing?.takes && standing.weight >= this.fullWeight)) {
      this.backAt ??= now;
    }
  }
}
