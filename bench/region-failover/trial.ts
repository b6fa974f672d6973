import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig } from '../../operations';
import { breakPart, type Sandbox } from '../../sandbox';
import type { Load } from '../../sandbox/load';
import { startWriter, type Writer } from '../../sandbox/load/writes';
import { databaseAt } from '../lib/database';
import { startLoadByName } from '../lib/load';
import { runSince } from '../lib/runs';
import { until } from '../lib/until';

/** One region lost once. Times are ms from just before the fault was asked for. */
export interface Sample {
  /** The first, and the last, client that had been led to the region was answered elsewhere. */
  firstLedMs: number;
  lastLedMs: number;
  /** The longest time without an acknowledged write. */
  writeGapMs: number;
  /** The run was over, earlier answers of the nameservers included. */
  overMs: number | null;
  failed: number;
  calls: number;
  sessionsLost: number;
  rowsLost: number;
  state: string | null;
}

export const CLIENTS = 24;
export const CALLS_PER_S = 2;
export const WRITES_PER_S = 200;
const BEFORE_MS = 3_000;
const AFTER_MS = 2_000;
/** Health checks that have failed, an answer kept for its TTL, and a busy machine, ms. */
const LONG_MS = 180_000;

/** Loses the region of the database's primary under clients that go by the fleet's name, and under writers. */
export async function loseRegion(sandbox: Sandbox, switchover: boolean): Promise<Sample> {
  const config = loadConfig(sandbox.configPath);
  const { leader } = await databaseAt(sandbox).look();
  const { region } = config.database!.members[leader!]!;
  const writer = await startWriter({ url: sandbox.databaseUrl, rate: WRITES_PER_S, timeoutMs: 2_000 });
  const load = startLoadByName(config, { clients: CLIENTS, ratePerClient: CALLS_PER_S });
  let stopped = false;
  try {
    const there = new URL(config.regions[region]!.loadBalancer.url).hostname;
    const watched = new Moves(load, there);
    await pause(BEFORE_MS);
    await until('clients are led to the region', async () => watched.inside.size > 0);
    const began = new Date();
    await breakPart({ dir: sandbox.dir }, { kind: 'region', region }, 'kill');
    const affected = [...watched.inside];
    await until(
      'all of its clients are answered elsewhere',
      async () => affected.every((client) => watched.answeredAt.has(client)),
      LONG_MS,
    );
    await until('writes are acknowledged again', async () => writer.firstAcknowledgedAfter(Date.now() - 100));
    const run = switchover ? await runSince(sandbox, `region/${region}`, began, LONG_MS) : undefined;
    await pause(AFTER_MS);
    stopped = true;
    const led = affected.map((client) => watched.answeredAt.get(client)! - began.getTime());
    return {
      firstLedMs: Math.min(...led),
      lastLedMs: Math.max(...led),
      overMs: run?.endedAt ? Date.parse(run.endedAt) - began.getTime() : null,
      state: run?.state ?? null,
      ...(await booked(load, writer)),
    };
  } finally {
    if (!stopped) await Promise.all([load.stop(), writer.stop()]);
  }
}

async function booked(
  load: Load,
  writer: Writer,
): Promise<Pick<Sample, 'writeGapMs' | 'failed' | 'calls' | 'sessionsLost' | 'rowsLost'>> {
  const [{ failed, calls, sessionsLost }, { longestGapMs }] = await Promise.all([load.stop(), writer.stop()]);
  const { lost } = await writer.compare();
  return { writeGapMs: longestGapMs, failed, calls, sessionsLost, rowsLost: lost.length };
}

/** Which clients are led to an address, and when those that leave it are first answered elsewhere, epoch ms. */
class Moves {
  readonly inside = new Set<number>();
  readonly answeredAt = new Map<number, number>();
  private readonly left = new Set<number>();

  constructor(load: Load, address: string) {
    load.events.on('moved', (client, to) => {
      if (to === address) this.inside.add(client);
      else if (this.inside.has(client)) this.left.add(client);
    });
    load.events.on('call', ({ client, failure, startedAt, latencyMs }) => {
      if (failure === undefined && this.left.has(client) && !this.answeredAt.has(client))
        this.answeredAt.set(client, startedAt + latencyMs);
    });
  }
}
