import { setTimeout as pause } from 'node:timers/promises';
import type { RunReport } from '../../core/run';
import { Operations, catalogue, connect } from '../../operations';
import { breakPart, healPart, type Sandbox, type Target } from '../../sandbox';
import { BalancerWatch, servingNodes, underLoad, wait } from '../../sandbox/scenario';
import { say } from '../lib/sandbox';
import { seen } from '../lib/seen';
import { ZONE, type Contender } from './contenders';
import { BUSY } from '../lib/load';

/** One zone broken once. Times are ms from just before the fault was asked for; null where it did not come to it. */
export interface Sample {
  /** HAProxy gives none of the broken nodes requests any more. */
  brokenOutMs: number | null;
  /** HAProxy gives no node of the zone requests any more, those that were well included. */
  zoneOutMs: number | null;
  /** The run on the zone has begun. */
  begunMs: number | null;
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
  /** Runs on the zone; runs on its nodes that it absorbed, and others that were at work beside it. */
  runs: number;
  absorbed: number;
  others: number;
}

interface FailedOver extends Pick<Sample, 'runs' | 'absorbed' | 'others'> {
  report: RunReport;
}

/** What is tried, where. */
export interface Trial {
  sandbox: Sandbox;
  contender: Contender;
  repeats: number;
  stop: AbortSignal;
}

const OUT_MS = 30_000;
const BACK_MS = 45_000;
const OVER_MS = 60_000;
const WHOLE_MS = 120_000;
/** The clients go on this long after the last thing measured. */
const SETTLE_MS = 1_000;
/** 72 nodes that have just been started use both cores whole for half of this. */
const WARM_MS = 15_000;

const TARGET: Target = { kind: 'zone', zone: ZONE.id };

/** Breaks the zone again and again, each time under fresh clients and once the whole region serves. */
export async function attempt(trial: Trial): Promise<Sample[]> {
  const { sandbox, contender, repeats, stop } = trial;
  const samples: Sample[] = [];
  await pause(WARM_MS, undefined, { signal: stop });
  const whole = (await servingNodes(sandbox, BUSY.region)).length;
  for (let turn = 0; turn < repeats; turn += 1) {
    await wait(
      async () => {
        const serving = (await servingNodes(sandbox, BUSY.region)).length;
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
  const nodes = (await servingNodes(sandbox, BUSY.region)).filter(({ id }) => id.startsWith(`${ZONE.id}/`));
  const servers = nodes.map(({ server }) => server);
  const statistics = sandbox.urls.haproxy[BUSY.region]!;
  const watchOf = (some: string[]) => new BalancerWatch(statistics, some, nodes[0]!.weight);
  const broken = watchOf(servers.slice(0, Math.round(servers.length * ZONE.share)));
  const zone = watchOf(servers);
  const { result, load } = await underLoad({ ...BUSY, sandbox, signal: stop }, () =>
    zone.during(() =>
      broken.during(async () => {
        const brokenAt = Date.now();
        await breakPart({ dir: sandbox.dir }, TARGET, 'kill', { share: ZONE.share });
        if (!contender.heals) await seen(() => broken.outAt, OUT_MS, stop);
        const outcome = contender.heals ? await failedOver(trial, zone, brokenAt) : undefined;
        await pause(SETTLE_MS, undefined, { signal: stop });
        return { brokenAt, outcome };
      }),
    ),
  );
  const { brokenAt, outcome } = result;
  const report = outcome?.report;
  const after = (at: number | undefined): number | null => (at === undefined ? null : at - brokenAt);
  const back = after(zone.backAt);
  return {
    brokenOutMs: after(broken.outAt),
    zoneOutMs: after(zone.outAt),
    begunMs: after(report && Date.parse(report.startedAt)),
    provenMs: after(report?.clock.provenAt === undefined ? undefined : Date.parse(report.clock.provenAt)),
    backMs: report?.state === 'recovered' && back !== null ? back - heldMs(report) : null,
    calls: load.calls,
    failed: load.failed,
    failures: load.failures,
    sessionsLost: load.sessionsLost,
    gapMs: load.maxGapMs,
    runs: outcome?.runs ?? 0,
    absorbed: outcome?.absorbed ?? 0,
    others: outcome?.others ?? 0,
  };
}

/** How long the zone was held out though it was whole, ms. */
function heldMs(report: RunReport): number {
  const hold = report.steps.find(({ title }) => title.startsWith('Hold it out'));
  return hold?.endedAt ? Date.parse(hold.endedAt) - Date.parse(hold.startedAt) : 0;
}

/** What became of the zone, once it is back. Asks Temporal nothing before, so as not to slow down what is measured. */
async function failedOver(
  { sandbox, stop }: Trial,
  zone: BalancerWatch,
  brokenAt: number,
): Promise<FailedOver | undefined> {
  await seen(() => zone.backAt, BACK_MS, stop);
  const client = await connect(sandbox.temporalAddress);
  try {
    const operations = new Operations(client, 'sandbox', catalogue);
    const runs = (await operations.list({ limit: 50 })).filter(
      ({ scope, startedAt }) => Date.parse(startedAt) >= brokenAt && scope.includes(`/${ZONE.id}`),
    );
    const own = runs.filter(({ scope }) => scope === `zone/${ZONE.id}`);
    const [first] = own;
    if (!first) return undefined;
    return {
      report: await ended(operations, first.run, sandbox),
      runs: own.length,
      absorbed: runs.filter(({ state }) => state === 'absorbed').length,
      others: runs.filter((run) => run.state !== 'absorbed' && !own.includes(run)).length,
    };
  } finally {
    await client.connection.close();
  }
}

/** The run's report once it is over. One that asks for a person is told to undo what it did; then the zone is healed. */
async function ended(operations: Operations, run: string, sandbox: Sandbox): Promise<RunReport> {
  let report: RunReport | undefined;
  for await (report of operations.follow(run, { signal: AbortSignal.timeout(OVER_MS) })) {
    if (report.state !== 'needs attention') continue;
    say(`${run} asks for a person: ${report.sentence}`);
    await operations.decide(run, 'abort', { by: 'bench', reason: 'nobody is there' });
    await healPart({ dir: sandbox.dir }, TARGET, true);
  }
  if (!report) throw new Error(`${run} said nothing within ${OVER_MS} ms`);
  return report;
}
