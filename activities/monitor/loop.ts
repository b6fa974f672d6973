import type { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 500;
const TICK_MS = 25;
/** A tick that comes so much too late means that this machine was slow, ms. */
const LATE_MS = 100;

/** When this process was last too late to judge anybody's answer, ms since the epoch. */
export interface Clock {
  lateAt: number;
}

/** The beat of a monitor: ticks, heartbeats, and the notice that this machine, not what it watches, was slow. */
export class Loop {
  constructor(
    private readonly context: Context,
    private readonly clock: Clock,
  ) {}

  /** Ends after `forMs`; throws when the activity is cancelled. */
  async run({
    forMs,
    tick,
    known,
  }: {
    forMs: number;
    tick: (now: number) => void;
    known: () => unknown;
  }): Promise<void> {
    const end = Date.now() + forMs;
    for (let now = Date.now(), heartbeatAt = 0; now < end; now = await this.next()) {
      tick(now);
      if (now < heartbeatAt) continue;
      heartbeatAt = now + HEARTBEAT_MS;
      this.context.heartbeat(known());
    }
  }

  private async next(): Promise<number> {
    const asked = Date.now();
    await this.context.sleep(TICK_MS);
    const now = Date.now();
    if (now - asked - TICK_MS > LATE_MS) this.clock.lateAt = now;
    return now;
  }
}
