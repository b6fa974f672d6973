import { parse } from 'yaml';
import { readFile } from 'node:fs/promises';
import type { Config } from '../../core/config';
import { nodesOf } from '../../core/topology';
import { Operations, catalogue, connect } from '../../operations';
import type { Sandbox } from '../../sandbox';
import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport } from '../lib/report';
import { say, withSandbox } from '../lib/sandbox';
import { ratio, summarize } from '../lib/summary';
import { alertOf, type AlertSample } from './alert';
import { openFloor } from './floor';

/** First action against bare Temporal, p50. */
const PROMISED = 1.2;
/** Starts before the first that counts: until then code is compiled and connections are opened. */
const WARM_UP = 3;

/** Alerts and bare starts take turns, so that whatever else the machine does slows both. */
async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const bare: number[] = [];
  const alerts: AlertSample[] = [];
  let joined = 0;
  await withSandbox({ monitoring: false }, async (sandbox) => {
    const floor = await openFloor(sandbox.temporalAddress);
    const client = await connect(sandbox.temporalAddress);
    const operations = new Operations(client, 'sandbox', catalogue);
    const nodes = await victims(sandbox);
    try {
      for (let i = -WARM_UP; alerts.length < repeats && !stop.aborted; i += 1) {
        const bareMs = await floor.measure();
        const alert = await alertOf(nodes[(i + WARM_UP) % nodes.length]!, sandbox, operations);
        if (i < 0) continue;
        bare.push(bareMs);
        if (alert) alerts.push(alert);
        else joined += 1;
        say(
          `${alerts.length} of ${repeats}: bare ${bareMs.toFixed(1)} ms, alert to action ${alert?.actedMs.toFixed(1) ?? 'joined'} ms`,
        );
      }
    } finally {
      await Promise.all([floor.close(), client.connection.close()]);
    }
  });
  return reportOf(bare, alerts, joined);
}

/** The nodes in service, one region after the other, so that each is long healed when it is its turn again. */
async function victims({ configPath }: Sandbox): Promise<string[]> {
  const config = parse(await readFile(configPath, 'utf8')) as Config;
  return Object.keys(config.regions).flatMap((region) =>
    nodesOf(config, region)
      .filter(({ spare }) => !spare)
      .map(({ id }) => id),
  );
}

function reportOf(bare: number[], alerts: AlertSample[], joined: number): BenchReport {
  const floor = summarize(bare);
  const acted = summarize(alerts.map(({ actedMs }) => actedMs));
  const answered = summarize(alerts.map(({ answeredMs }) => answeredMs));
  const times = acted.p50 / floor.p50;
  return {
    title: 'From an alert to the first action on HAProxy, in ms, p50 / p95',
    load: { alerts: alerts.length, 'in flight': 1, nodes: 18, 'monitored every': '500 ms' },
    rows: [
      { name: 'bare Temporal: start → activity', cells: { time: floor, ratio: '1' } },
      { name: 'alert → first action', cells: { time: acted, ratio: ratio(acted.p50, floor.p50) } },
      { name: 'alert → answer', cells: { time: answered, ratio: ratio(answered.p50, floor.p50) } },
    ],
    objectives: [
      {
        what: `first action within ${PROMISED} × bare Temporal, p50: ${times.toFixed(2)} ×`,
        met: times <= PROMISED,
      },
    ],
    notes: [
      "An alert is a POST to /webhooks/alertmanager for a node that was killed just before. Within its time: HTTP, matching, the scope's lock and incident, the run, confirming the failure from three sides, the guard, the command.",
      'The first action is timed by the worker when it sends the command, to the millisecond.',
      `${joined} alert(s) came after the monitor had found the node itself; they are not counted.`,
    ],
  };
}

void benchmark({
  name: 'alert-to-action',
  what: 'From an alert to the first action on the load balancer, beside bare Temporal.',
  repeats: 40,
  measure,
});
