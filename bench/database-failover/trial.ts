import { setTimeout as pause } from 'node:timers/promises';
import { judgeDatabase } from '../../core/database';
import { breakPart, healPart, type Sandbox, type Target } from '../../sandbox';
import { startWriter } from '../../sandbox/load/writes';
import { databaseAt } from '../lib/database';
import { runSince, withOperations } from '../lib/runs';
import { until } from '../lib/until';
import type { Happening } from './contenders';

/** One thing that happened to the primary. */
export interface Sample {
  /** The longest time without an acknowledged write, all writers together, ms. */
  gapMs: number;
  acknowledged: number;
  /** Acknowledged rows that are not there afterwards. */
  lost: number;
  /** In flight when the primary stopped: nobody was told whether they are there. */
  unknown: number;
  /** How Switchover's run ended, and the rows that it says were lost. */
  run?: { state: string; rowsLost?: number };
}

export const RATE = 1_000;
export const WRITERS = 20;
/** Writes go on for so long before, and after the first that is acknowledged again, ms. */
const BEFORE_MS = 2_000;
const AFTER_MS = 1_000;
const PRIMARY: Target = { kind: 'database', part: 'primary' };

/** Makes the database whole, lets this happen under its writers, and waits until writes are acknowledged and the run is over. */
export async function happen(sandbox: Sandbox, what: Happening, switchover: boolean): Promise<Sample> {
  await healPart({ dir: sandbox.dir }, PRIMARY, true);
  await successor(sandbox);
  const { databaseUrl: url } = sandbox;
  const writer = await startWriter({ url, connections: WRITERS, rate: RATE, timeoutMs: 1_000 });
  let stopped = false;
  try {
    await pause(BEFORE_MS);
    const began = new Date();
    const planned = what === 'planned' ? giveAway(sandbox, switchover) : undefined;
    if (!planned) await breakPart({ dir: sandbox.dir }, PRIMARY, what === 'hung' ? 'hang' : 'kill');
    const brokenAt = Date.now();
    await planned;
    await until('writes are acknowledged again', async () => writer.firstAcknowledgedAfter(brokenAt + 100));
    await pause(AFTER_MS);
    const run = switchover ? await runSince(sandbox, 'database/main', began) : undefined;
    stopped = true;
    const { longestGapMs, acknowledged, unknown } = await writer.stop();
    const { lost } = await writer.compare();
    const { rowsLost } = run?.actual ?? {};
    return {
      gapMs: longestGapMs,
      acknowledged,
      lost: lost.length,
      unknown,
      ...(run ? { run: { state: run.state, ...(rowsLost === undefined ? {} : { rowsLost }) } } : {}),
    };
  } finally {
    if (!stopped) await writer.stop();
  }
}

/** Has the primary's role given to the best standby, by Switchover's runbook or by a bare call of Patroni's API. */
async function giveAway(sandbox: Sandbox, switchover: boolean): Promise<void> {
  if (switchover)
    return withOperations(sandbox, async (operations) => {
      await operations.start({ runbook: 'database-switchover', input: {}, by: 'bench' });
    });
  const { from, to } = await successor(sandbox);
  await databaseAt(sandbox).switchOver(from, to);
}

/** Who is the primary and who could take over, once somebody could. */
async function successor(sandbox: Sandbox): Promise<{ from: string; to: string }> {
  return until('somebody could take over', async () => {
    const { primary, candidate } = judgeDatabase(await databaseAt(sandbox).look());
    return primary !== undefined && candidate !== undefined && { from: primary, to: candidate };
  });
}
