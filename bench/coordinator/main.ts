import { readFile } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import { parse } from 'yaml';
import type { Config } from '../../core/config';
import { nodesOf } from '../../core/topology';
import { catalogue, connect, Operations } from '../../operations';
import { coordinatorId } from '../../workflows/messages';
import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport } from '../lib/report';
import { say, withSandbox } from '../lib/sandbox';
import { ratio, summarize } from '../lib/summary';

/** Incidents open at the same time. */
const AT_ONCE = 4;
/** The p95 of the last tenth may be so many times that of the first. */
const FLAT = 1.5;
/** A history that grows to more events than that was not begun anew in time; Temporal ends a workflow at 51,200. */
const BOUND = 20_000;

/** How long a run that finds nothing to do may take, ms. */
const RUN_MS = 60_000;

interface Cycles {
  /** From the handing over of a fault to the answer, in the order of the answers, ms. */
  answeredMs: number[];
  /** The longest history seen, events. */
  longest: number;
  /** How often the coordinator began a new one. */
  renewed: number;
  joined: number;
}

/** Opens and closes incidents on healthy nodes: each run looks, finds nothing to do and ends. */
async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const cycles: Cycles = { answeredMs: [], longest: 0, renewed: 0, joined: 0 };
  await withSandbox({ monitoring: false, server: false, workers: 1 }, async (sandbox) => {
    const client = await connect(sandbox.temporalAddress);
    try {
      const config = parse(await readFile(sandbox.configPath, 'utf8')) as Config;
      const nodes = Object.keys(config.regions).flatMap((region) =>
        nodesOf(config, region).filter(({ spare }) => !spare),
      );
      const lanes = Array.from({ length: AT_ONCE }, (_, i) =>
        cycle(
          client,
          nodes.filter((__, n) => n % AT_ONCE === i).map(({ id }) => id),
          { repeats, stop, cycles },
        ),
      );
      const ended = await Promise.allSettled(lanes); // before the connection is closed, also where one of them failed
      for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
    } finally {
      await client.connection.close();
    }
  });
  return reportOf(cycles);
}

async function cycle(
  client: Client,
  nodes: readonly string[],
  { repeats, stop, cycles }: { repeats: number; stop: AbortSignal; cycles: Cycles },
): Promise<void> {
  const operations = new Operations(client, 'sandbox', catalogue);
  const coordinator = client.workflow.getHandle(coordinatorId('sandbox'));
  let known: string | undefined;
  for (let i = 0; cycles.answeredMs.length < repeats && !stop.aborted; i += 1) {
    const node = nodes[i % nodes.length]!;
    const faultAt = new Date().toISOString();
    const began = performance.now();
    const { run, joined } = await operations.openIncident({
      runbook: 'node-failover',
      input: { node },
      scope: `node/${node}`,
      trigger: 'alert',
      alert: {
        source: 'bench',
        fingerprint: `${node} ${faultAt}`,
        summary: `${node} is said to be down`,
        faultAt,
      },
    });
    cycles.answeredMs.push(performance.now() - began);
    if (joined) cycles.joined += 1;
    const over = AbortSignal.any([stop, AbortSignal.timeout(RUN_MS)]);
    await client.withAbortSignal(over, () => client.workflow.getHandle(run).result());
    if (cycles.answeredMs.length % 100 > 0) continue;
    const { historyLength, runId } = await coordinator.describe();
    cycles.longest = Math.max(cycles.longest, historyLength);
    if (known && known !== runId) cycles.renewed += 1;
    known = runId;
    if (cycles.answeredMs.length % 1_000 === 0)
      say(`${cycles.answeredMs.length} of ${repeats}: ${historyLength} events`);
  }
}

function reportOf({ answeredMs, longest, renewed, joined }: Cycles): BenchReport {
  const tenth = Math.max(1, Math.floor(answeredMs.length / 10));
  const first = summarize(answeredMs.slice(0, tenth));
  const last = summarize(answeredMs.slice(-tenth));
  const grown = last.p95 / first.p95;
  return {
    title:
      'The coordinator over many incidents: from a fault to the answer that names its run, in ms, p50 / p95',
    load: { cycles: answeredMs.length, 'at once': AT_ONCE, nodes: 18 },
    rows: [
      { name: `the first ${tenth}`, cells: { time: first, 'p95 against the first': '1' } },
      {
        name: `the last ${tenth}`,
        cells: { time: last, 'p95 against the first': ratio(last.p95, first.p95) },
      },
    ],
    objectives: [
      {
        what: `flat: the last tenth's p95 at most ${FLAT} × the first's: ${grown.toFixed(2)} ×`,
        met: grown <= FLAT,
      },
      {
        what: `history bounded: at most ${longest} events, begun anew ${renewed} times or more`,
        met: longest < BOUND,
      },
    ],
    notes: [
      'A cycle: a fault of a healthy node is handed over, its incident opened, its run started, which looks from three sides, finds that the node serves, and ends; the incident is closed.',
      `${joined} of the faults came before the scope of the last one was free and joined its run.`,
      'The history is looked at every hundredth cycle.',
    ],
  };
}

void benchmark({
  name: 'coordinator',
  what: 'Ten thousand incidents opened and closed: is the coordinator as fast as at first, its history bounded?',
  repeats: 10_000,
  measure,
});
