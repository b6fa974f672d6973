import type { Started } from '../../core/coordination';
import { SwitchoverError } from '../../core/errors';
import { isOver, type RunReport } from '../../core/run';
import { loadConfig, type Operations } from '../../operations';
import { breakPart, healPart, type Sandbox } from '../../sandbox';
import type { Load } from '../../sandbox/load';
import { startWriter } from '../../sandbox/load/writes';
import { databaseAt, destroyMember } from '../lib/database';
import { startLoadByName } from '../lib/load';
import { withOperations } from '../lib/runs';
import { until } from '../lib/until';

/** Two regions lost once. Times are ms from just before the fault was asked for. */
export interface Sample {
  /** The first call was answered by the place that serves now. */
  callMs: number;
  /** The longest time without an acknowledged write. */
  writeGapMs: number;
  /** The run was over, earlier answers of the nameservers included. */
  overMs: number;
  state: string;
  calls: number;
  failed: number;
  sessionsLost: number;
  rows: number;
  rowsLost: number;
  /** What the run tells that was lost, as time. */
  rpoMs: number;
  /** How long `dr-deactivate` took once the regions were there again, and how it ended. */
  homeMs: number;
  homeState: string;
  /** Calls of the clients that failed on the way home. */
  homeFailed: number;
}

export const CLIENTS = 12;
export const CALLS_PER_S = 2;
export const WRITES_PER_S = 100;
const AFTER_MS = 900_000;

/**
 * Kills the two regions that the synchronous standby of the database is not in, under clients that go by the fleet's name and under
 * writers; where all is to be restored, that standby with its data too. Then has `site` serve, with two people who agree, and once the
 * regions are there again has everything led home.
 */
export async function loseTwoRegions(
  sandbox: Sandbox,
  { site, restores }: { site: string; restores: boolean },
): Promise<Sample> {
  const config = loadConfig(sandbox.configPath);
  return withOperations(sandbox, async (operations) => {
    const { members } = await databaseAt(sandbox).look();
    const left = members.find(({ agent }) => agent?.synchronous)!.member;
    const survivor = config.database!.members[left]!.region;
    const lost = Object.entries(config.regions).flatMap(([region, { role }]) =>
      role === 'active' && region !== survivor ? [region] : [],
    );
    const writer = await startWriter({ url: sandbox.databaseUrl, rate: WRITES_PER_S, timeoutMs: 5_000 });
    const load = startLoadByName(config, { clients: CLIENTS, ratePerClient: CALLS_PER_S });
    let stopped = false;
    try {
      const arrived = firstAnswerAt(load, new URL(config.regions[site]!.loadBalancer.url).hostname);
      await until('clients are answered', async () => load.snapshot().ok > 10 * CLIENTS);
      await until('rows are acknowledged', async () => writer.snapshot().acknowledged > 5 * WRITES_PER_S);
      // The writer's table is in it: what a disaster costs are rows, not their table.
      if (restores) await carryOut(operations, 'backup-full', {});
      const faultAt = Date.now();
      await Promise.all([
        ...lost.map((region) => breakPart({ dir: sandbox.dir }, { kind: 'region', region }, 'kill')),
        ...(restores ? [destroyMember(sandbox, left)] : []),
      ]);
      const { run } = await operations.start({
        runbook: 'global-failover',
        input: { level: 3, region: site },
        by: 'bench',
      });
      const report = await agreed(operations, run, ['grace', 'bob']);
      const callAt = await until('a call is answered there', async () => arrived());
      await until('rows are acknowledged', async () =>
        writer.firstAcknowledgedAfter(Date.parse(report.endedAt!)),
      );
      stopped = true;
      const [{ calls, failed, sessionsLost }, { acknowledged, longestGapMs }] = await Promise.all([
        load.stop(),
        writer.stop(),
      ]);
      const { lost: rowsLost } = await writer.compare();
      return {
        callMs: Math.round(callAt - faultAt),
        writeGapMs: longestGapMs,
        overMs: Date.parse(report.endedAt!) - faultAt,
        state: report.state,
        calls,
        failed,
        sessionsLost,
        rows: acknowledged,
        rowsLost: rowsLost.length,
        rpoMs: report.actual.rpoMs ?? 0,
        ...(await goHome(sandbox, operations, { site, lost })),
      };
    } finally {
      if (!stopped) await Promise.all([load.stop(), writer.stop()]);
    }
  });
}

async function goHome(
  sandbox: Sandbox,
  operations: Operations,
  { site, lost }: { site: string; lost: readonly string[] },
): Promise<Pick<Sample, 'homeMs' | 'homeState' | 'homeFailed'>> {
  for (const region of lost) await healPart({ dir: sandbox.dir }, { kind: 'region', region });
  const load = startLoadByName(loadConfig(sandbox.configPath), {
    clients: CLIENTS,
    ratePerClient: CALLS_PER_S,
  });
  try {
    await until('clients are answered', async () => load.snapshot().ok > 10 * CLIENTS);
    // What the monitors of the lost regions had started goes first.
    const { run } = await until('the way home is free', () => wayHome(operations, site));
    const { startedAt, endedAt, state } = await agreed(operations, run, ['grace']);
    return {
      homeMs: Date.parse(endedAt!) - Date.parse(startedAt),
      homeState: state,
      homeFailed: load.snapshot().failed,
    };
  } finally {
    await load.stop();
  }
}

/** Undefined while another run is in its way. */
async function wayHome(operations: Operations, site: string): Promise<Started | undefined> {
  try {
    return await operations.start({ runbook: 'dr-deactivate', input: { region: site }, by: 'bench' });
  } catch (error) {
    if (error instanceof SwitchoverError && error.code === 'LOCK_HELD') return undefined;
    throw error;
  }
}

/** People agree as soon as they are asked, and one of them to what is given up. @returns the report of the run, which is over */
async function agreed(operations: Operations, run: string, people: string[]): Promise<RunReport> {
  for await (const report of operations.follow(run, { signal: AbortSignal.timeout(AFTER_MS) })) {
    if (isOver(report.state)) return report;
    const by = report.state === 'waiting for approval' ? people.shift() : undefined;
    if (by) await operations.decide(run, 'approve', { by, reason: 'two regions are gone' });
    if (report.state === 'needs attention')
      await operations.decide(run, 'retry', { by: 'grace', reason: 'nothing else is left' });
  }
  throw new Error(`${run} is not over after ${AFTER_MS} ms`);
}

async function carryOut(
  operations: Operations,
  runbook: string,
  input: Record<string, unknown>,
): Promise<void> {
  const { run } = await operations.start({ runbook, input, by: 'bench' });
  const { state, sentence } = await operations.wait(run, AFTER_MS);
  if (state !== 'succeeded') throw new Error(`${run} is ${state}: ${sentence}`);
}

/** When the first client that was led to an address was answered, epoch ms. */
function firstAnswerAt(load: Load, address: string): () => number | undefined {
  const led = new Set<number>();
  let at: number | undefined;
  load.events.on('moved', (client, to) => (to === address ? led.add(client) : led.delete(client)));
  load.events.on('call', ({ client, failure, startedAt, latencyMs }) => {
    if (failure === undefined && led.has(client)) at ??= startedAt + latencyMs;
  });
  return () => at;
}
