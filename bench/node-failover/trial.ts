import { setTimeout as pause } from 'node:timers/promises';
import { isOver, type RunReport } from '../../core/run';
import { Operations, catalogue, connect } from '../../operations';
import { healPart, type NodeFault, type Sandbox } from '../../sandbox';
import { breakUnderLoad, servingNodes, wait, type Episode, type Scene } from '../../sandbox/scenario';
import { say } from '../lib/sandbox';
import { seen } from '../lib/seen';
import type { Contender } from './contenders';
import { BUSY } from '../lib/load';

/** One node broken once. Times are ms from just before the fault was asked for; null where it did not come to it. */
export interface Sample {
  /** HAProxy gives it no more requests. */
  outMs: number | null;
  /** Service proven through the load balancer, as the run's clock says. */
  healedMs: number | null;
  /** Its full weight again. */
  backMs: number | null;
  calls: number;
  failed: number;
  failures: Readonly<Record<string, number>>;
  sessionsLost: number;
  /** The longest that a client went without an answer, ms. */
  gapMs: number;
  /** How late `outMs` may be. */
  outLateMs: number | null;
}

/** What is tried, where. */
export interface Trial {
  sandbox: Sandbox;
  contender: Contender;
  fault: NodeFault;
  repeats: number;
  stop: AbortSignal;
}

const OUT_MS = 30_000;
const HEALED_MS = 60_000;
const WHOLE_MS = 60_000;
/** The clients go on this long after the last thing measured. */
const SETTLE_MS = 1_000;

/** Breaks one node after the other, each under fresh clients and once the whole fleet serves again. */
export async function attempt(trial: Trial): Promise<Sample[]> {
  const { sandbox, contender, fault, repeats, stop } = trial;
  const samples: Sample[] = [];
  const whole = (await servingNodes(sandbox, BUSY.region)).length;
  for (let turn = 0; turn < repeats; turn += 1) {
    await wait(() => refuseBroken(sandbox, whole), WHOLE_MS, stop);
    const episode = await breakUnderLoad(
      { ...BUSY, sandbox, fault, signal: stop, choose: (serving) => serving[turn % whole] },
      (scene) => (contender.heals ? healed(trial, scene) : out(trial, scene)),
    );
    if (!contender.heals) await healPart({ dir: sandbox.dir }, { kind: 'node', node: episode.node.id }, true);
    const sample = sampleOf(episode);
    samples.push(sample);
    say(
      `${contender.name}, ${fault} ${turn + 1} of ${repeats}: ${episode.node.id} ${JSON.stringify(sample)}`,
    );
  }
  return samples;
}

async function refuseBroken(sandbox: Sandbox, whole: number): Promise<void> {
  const serving = (await servingNodes(sandbox, BUSY.region)).length;
  if (serving < whole) throw new Error(`only ${serving} of ${whole} nodes serve again`);
}

async function out({ stop }: Trial, { watch }: Scene): Promise<undefined> {
  await seen(() => watch.outAt, OUT_MS, stop);
  await pause(SETTLE_MS, undefined, { signal: stop });
}

/** Asks Temporal nothing before the node is back, so as not to slow down what is measured. */
async function healed(
  { sandbox, stop }: Trial,
  { node, watch, brokenAt }: Scene,
): Promise<RunReport | undefined> {
  await seen(() => watch.backAt, HEALED_MS, stop);
  const client = await connect(sandbox.temporalAddress);
  try {
    const operations = new Operations(client, 'sandbox', catalogue);
    const newest = async (): Promise<string> => {
      const runs = await operations.list({ limit: 5 });
      const found = runs.find(
        ({ scope, startedAt }) => scope === `node/${node.id}` && Date.parse(startedAt) >= brokenAt,
      );
      if (!found) throw new Error(`no run has begun on ${node.id}`);
      return found.run;
    };
    const report = await operations.wait(await wait(newest, HEALED_MS, stop), HEALED_MS);
    await pause(SETTLE_MS, undefined, { signal: stop });
    return isOver(report.state) ? report : undefined;
  } finally {
    await client.connection.close();
  }
}

function sampleOf({ brokenAt, watch, load, result }: Episode<RunReport | undefined>): Sample {
  const after = (at: number | undefined): number | null => (at === undefined ? null : at - brokenAt);
  const provenAt = result?.state === 'recovered' ? result.clock.provenAt : undefined;
  return {
    outMs: after(watch.outAt),
    healedMs: after(provenAt === undefined ? undefined : Date.parse(provenAt)),
    backMs: after(watch.backAt),
    calls: load.calls,
    failed: load.failed,
    failures: load.failures,
    sessionsLost: load.sessionsLost,
    gapMs: load.maxGapMs,
    outLateMs: watch.outLateMs ?? null,
  };
}
