import { readFile } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import { parse } from 'yaml';
import type { Config } from '../../core/config';
import { nodesOf } from '../../core/topology';
import { catalogue, connect, Operations } from '../../operations';
import { breakPart, type Sandbox } from '../../sandbox';
import { coordinatorId } from '../../workflows/messages';
import { benchmark } from '../lib/benchmark';
import type { BenchReport, Row } from '../lib/report';
import { say, withSandbox } from '../lib/sandbox';
import { ratio, summarize } from '../lib/summary';
import { pullLever, type LeverResult } from './lever';
import { serverMemory, storm, type StormAlert, type StormResult } from './storm';

const REGION = 'us-east-1';
const ZONE = `${REGION}/a`;
const AT_ONCE = 20;
const STORM = 1_000;
const BURST = 10_000;
const ACK_MS = 50;
const HANDFUL = 5;

interface Measured {
  floor: StormResult;
  first: StormResult;
  again: StormResult;
  burst: StormResult;
  runsBefore: number;
  runsAfter: number;
  lever: LeverResult;
  memory: { before: number; storm: number; burst: number };
  history: number;
}

async function measure(): Promise<BenchReport> {
  let measured: Measured | undefined;
  await withSandbox({ monitoring: false, nodesPerZone: 4, workers: 1 }, async (sandbox) => {
    const client = await connect(sandbox.temporalAddress);
    try {
      measured = await storms(sandbox, client);
    } finally {
      await client.connection.close();
    }
  });
  return reportOf(measured!);
}

async function storms(sandbox: Sandbox, client: Client): Promise<Measured> {
  const operations = new Operations(client, 'sandbox', catalogue);
  const config = parse(await readFile(sandbox.configPath, 'utf8')) as Config;
  const nodes = nodesOf(config, REGION).filter(({ spare }) => !spare);
  await storm(alertsOf('resolved', 2 * STORM), AT_ONCE, sandbox); // code is compiled, connections are opened
  const floor = await storm(alertsOf('resolved', STORM), AT_ONCE, sandbox);
  const before = await serverMemory(sandbox);
  say(`a zone of ${config.environment} dies: three of its four nodes are killed`);
  const lost = nodes.filter(({ zone }) => zone === 'a').slice(0, 3);
  await Promise.all(
    lost.map(({ id }) => breakPart({ dir: sandbox.dir }, { kind: 'node', node: id }, 'kill')),
  );
  const alerts = [
    ...Array.from({ length: STORM / 2 }, (_, i) => down(lost[i % lost.length]!.id, i)),
    ...Array.from({ length: STORM / 2 }, (_, i) => symptom(nodes[i % nodes.length]!.id, i)),
  ].sort((a, b) => a.fingerprint.localeCompare(b.fingerprint));
  const first = await storm(alerts, AT_ONCE, sandbox);
  say(`${first.ackedMs.length} alerts taken in ${Math.round(first.tookMs)} ms`);
  const runsBefore = (await operations.list({ limit: 1_000 })).length;
  const again = await storm(alerts, AT_ONCE, sandbox);
  const runsAfter = (await operations.list({ limit: 1_000 })).length;
  const afterStorm = await serverMemory(sandbox);
  const burst = await storm(
    Array.from({ length: BURST }, (_, i) => symptom(nodes[i % nodes.length]!.id, STORM + i)),
    BURST,
    sandbox,
  );
  say(`${burst.ackedMs.length} alerts of a burst taken in ${Math.round(burst.tookMs)} ms`);
  const elsewhere = ['eu-central-1/a', 'eu-central-1/b', 'ap-southeast-1/a', 'ap-southeast-1/b'];
  const lever = await pullLever(
    sandbox,
    operations,
    elsewhere.map((zone) => `${zone}/n1`),
    Array.from({ length: 200 }, (_, i) => down(`ap-southeast-1/c/n${1 + (i % 4)}`, 2 * STORM + i)),
  );
  const { historyLength } = await client.workflow.getHandle(coordinatorId('sandbox')).describe();
  const memory = { before, storm: afterStorm, burst: await serverMemory(sandbox) };
  return { floor, first, again, burst, runsBefore, runsAfter, lever, memory, history: historyLength };
}

const startsAt = () => new Date().toISOString();

/** A fault: a runbook answers it. */
const down = (node: string, i: number): StormAlert => ({
  labels: { alertname: 'NodeDown', node, zone: ZONE, region: REGION, probe: `p${i}` },
  status: 'firing',
  fingerprint: `${scatter(i)} down ${i}`,
  startsAt: startsAt(),
});

/** What nothing answers by itself. */
const symptom = (node: string, i: number): StormAlert => ({
  labels: { alertname: 'SlowCalls', node, zone: ZONE, region: REGION, probe: `p${i}` },
  status: 'firing',
  fingerprint: `${scatter(i + 0.5)} slow ${i}`,
  startsAt: startsAt(),
});

/** Mixes the alerts, the same way every time. */
function scatter(i: number): string {
  return ((i * 2654435761) % 2 ** 32).toFixed(0).padStart(10, '0');
}

function alertsOf(status: 'resolved', count: number): StormAlert[] {
  return Array.from({ length: count }, (_, i) => ({ ...symptom(`${ZONE}/n1`, i), status }));
}

function reportOf(m: Measured): BenchReport {
  const floor = summarize(m.floor.ackedMs);
  const row = (
    name: string,
    { ackedMs, tookMs, dealtMs, kept, refused, incidents, runs }: StormResult,
  ): Row => {
    const acked = summarize(ackedMs);
    return {
      name,
      cells: {
        'answered, ms': acked,
        'p95 against the floor': ratio(acked.p95, floor.p95),
        'alerts/s': Math.round((ackedMs.length / tookMs) * 1_000),
        'answered as kept': kept,
        'all dealt with, ms': Math.round(dealtMs),
        'sent again': refused,
        incidents: incidents.size,
        runs: runs.size,
      },
    };
  };
  const acked = summarize(m.first.ackedMs).p95;
  const taken = [m.first, m.again, m.burst].reduce((sum, { ackedMs }) => sum + ackedMs.length, 0);
  const met = (what: string, is: boolean) => ({ what, met: is });
  return {
    title: 'A storm of alerts: from the sending of each to the answer that took it, p50 / p95',
    load: { alerts: STORM, 'at once': AT_ONCE, 'then a burst of': BURST, nodes: 36 },
    rows: [
      row('floor: resolved alerts, which end at the door', m.floor),
      row('1,000 distinct alerts of a dying zone', m.first),
      row('the same 1,000 again', m.again),
      row('10,000 at once', m.burst),
    ],
    objectives: [
      met(`answered within ${ACK_MS} ms, p95: ${acked.toFixed(1)} ms`, acked < ACK_MS),
      met(`none lost: ${taken} of ${2 * STORM + BURST} taken`, taken === 2 * STORM + BURST),
      met(`at most ${HANDFUL} incidents: ${m.first.incidents.size}`, m.first.incidents.size <= HANDFUL),
      met(`the same again starts no run: ${m.runsAfter - m.runsBefore}`, m.runsAfter === m.runsBefore),
      met(
        `the safety lever pauses ${m.lever.runs} automatic runs within 1 s: ${Math.round(m.lever.pausedMs)} ms; ${m.lever.startedMeanwhile} were started by 200 alerts meanwhile; released, they ended ${[...new Set(m.lever.ends)].join(', ')}`,
        m.lever.pausedMs < 1_000 && m.lever.startedMeanwhile === 0,
      ),
      met(
        `memory bounded: the server has ${m.memory.before} MiB before, ${m.memory.storm} after the storms, ${m.memory.burst} after the burst; the coordinator a history of ${m.history} events`,
        m.memory.burst < 2 * m.memory.before,
      ),
    ],
    notes: [
      'Half of the 1,000 are NodeDown of three killed nodes, which a runbook answers; half are symptoms, which join what is open. Meanwhile the zone is failed over and healed, on the same two cores.',
      'An alert that is answered with 503 is sent again after 1 s, and its time counts from the first sending.',
      `${m.first.ignored} of the 1,000 came before anything was open and were of no runbook: they are answered so.`,
    ],
  };
}

void benchmark({
  name: 'alert-storm',
  what: 'A thousand distinct alerts at once, the same again, and ten thousand in a burst.',
  repeats: 1,
  measure,
});
