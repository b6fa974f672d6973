import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { RunReport } from '../../core/run';
import { Operations, catalogue } from '../../operations';
import { breakPart, healPart, type Sandbox, type Target } from '../../sandbox';
import { BalancerWatch, CROWD, servingNodes, underLoad, wait } from '../../sandbox/scenario';
import { say } from '../lib/sandbox';
import { ZONE, type Contender } from './contenders';

/** One zone broken once. Times are ms from just before the fault was asked for; null where it did not come to it. */
export interface Sample {
  /** HAProxy gives none of the broken nodes requests any more. */
  brokenOutMs: number | null;
  /** HAProxy gives no node of the zone requests any more, those that were well included. */
  zoneOutMs: number | null;
  /** Service proven through the load balancer without the zone, as the run's clock says. */
  provenMs: number | null;
  /** All of the zone with its full weight again, the hold not counted. */
  backMs: number | null;
  calls: number;
  failed: number;
  failures: Readonly<Record<string, number>>;
  sessionsLost: number;
  /** The longest that a client went without an answer, ms. */
  gapMs: number;
}

/** What is tried, where. */
export interface Trial {
  sandbox: Sandbox;
  contender: Contender;
  repeats: number;
  stop: AbortSignal;
}

const OUT_MS = 30_000;
const OVER_MS = 120_000;
const WHOLE_MS = 120_000;
/** The clients go on this long after the last thing measured. */
const SETTLE_MS = 1_000;

const TARGET: Target = { kind: 'zone', zone: ZONE.id };

/** Breaks the zone again and again, each time under fresh clients and once the whole region serves. */
export async function attempt(trial: Trial): Promise<Sample[]> {
  const { sandbox, contender, repeats, stop } = trial;
  const samples: Sample[] = [];
  const whole = (await servingNodes(sandbox, CROWD.region)).length;
  for (let turn = 0; turn < repeats; turn += 1) {
    await wait(
      async () => {
        const serving = (await servingNodes(sandbox, CROWD.region)).length;
        if (serving < whole) throw new Error(`only ${serving} of ${whole} nodes serve again`);
      },
      WHOLE_MS,
      stop,
    );
    const sample = await measureOnce(trial);
    if (!contender.heals) await healPart({ dir: sandbox.dir }, TARGET, true);
    samples.push(sample);
    say(`${contender.name}, ${turn + 1} of ${repeats}: ${JSON.stringify(sample)}`);
  }
  return samples;
}

async function measureOnce(trial: Trial): Promise<Sample> {
  const { sandbox, contender, stop } = trial;
  const nodes = (await servingNodes(sandbox, CROWD.region)).filter(({ id }) => id.startsWith(`${ZONE.id}/`));
  const servers = nodes.map(({ server }) => server);
  const statistics = sandbox.urls.haproxy[CROWD.region]!;
  const watchOf = (some: string[]) => new BalancerWatch(statistics, some, nodes[0]!.weight);
  const broken = watchOf(servers.slice(0, Math.round(servers.length * ZONE.share)));
  const zone = watchOf(servers);
  const { result, load } = await underLoad({ ...CROWD, sandbox, signal: stop }, () =>
    zone.during(() =>
      broken.during(async () => {
        const brokenAt = Date.now();
        await breakPart({ dir: sandbox.dir }, TARGET, 'kill', { share: ZONE.share });
        const report = contender.heals ? await failedOver(trial) : await left(broken, stop);
        await pause(SETTLE_MS, undefined, { signal: stop });
        return { brokenAt, report };
      }),
    ),
  );
  const { brokenAt, report } = result;
  const after = (at: number | undefined): number | null => (at === undefined ? null : at - brokenAt);
  const back = after(zone.backAt);
  return {
    brokenOutMs: after(broken.outAt),
    zoneOutMs: after(zone.outAt),
    provenMs: after(report?.clock.provenAt === undefined ? undefined : Date.parse(report.clock.provenAt)),
    backMs: report?.state === 'recovered' && back !== null ? back - heldMs(report) : null,
    calls: load.calls,
    failed: load.failed,
    failures: load.failures,
    sessionsLost: load.sessionsLost,
    gapMs: load.maxGapMs,
  };
}

async function left(broken: BalancerWatch, stop: AbortSignal): Promise<undefined> {
  await wait(
    async () => {
      if (broken.outAt === undefined) throw new Error('HAProxy still gives them requests');
    },
    OUT_MS,
    stop,
  ).catch(() => stop.throwIfAborted());
}

/** How long the zone was held out though it was whole, ms. */
function heldMs(report: RunReport): number {
  const hold = report.steps.find(({ title }) => title.startsWith('Hold it out'));
  return hold?.endedAt ? Date.parse(hold.endedAt) - Date.parse(hold.startedAt) : 0;
}

/** Started by hand: the run's first second is the operator's, not a monitor's. */
async function failedOver({ sandbox }: Trial): Promise<RunReport> {
  const connection = await Connection.connect({ address: sandbox.temporalAddress });
  try {
    const operations = new Operations(new Client({ connection }), 'sandbox', catalogue);
    const { run } = await operations.start({
      runbook: 'zone-failover',
      input: { zone: ZONE.id },
      by: 'bench',
    });
    return await operations.wait(run, OVER_MS);
  } finally {
    await connection.close();
  }
}

/** Ends the monitor of the region: its runs on single nodes would be at work beside the one that is measured. */
export async function blind(sandbox: Sandbox): Promise<void> {
  const connection = await Connection.connect({ address: sandbox.temporalAddress });
  try {
    const monitor = new Client({ connection }).workflow.getHandle(`monitor-sandbox-${CROWD.region}`);
    await monitor.terminate('zone-failover is measured by itself');
  } finally {
    await connection.close();
  }
}
