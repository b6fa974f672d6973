import { keepWatch } from '../../../operations/watch';
import { setTimeout as delay } from 'node:timers/promises';
import type { Injected } from '../../../core/drill';
import type { RunReport } from '../../../core/run';
import { drillPage, judgedIn } from '../../../cli/report/drill-page';
import { startLoad } from '../../../sandbox/load';
import { loadConfig } from '../../../operations';
import { testFleet, type TestFleet } from '../../harness/fleet';
import { until } from '../../harness/until';
import { testWorkers, type TestWorkers } from '../../harness/worker';

/** component-drill on a sandbox whose workers are the test's: one that does its work, one that lies, and for a while none. */
const REGION = 'us-east-1';
let fleet: TestFleet;
let workers: TestWorkers;

beforeAll(async () => {
  fleet = await testFleet({ block: 132, workers: 0 });
  workers = testWorkers(fleet.sandbox);
});
afterAll(async () => {
  await workers?.close();
  await fleet?.close();
});

const drill = (node: string, more: object = {}) =>
  until('a drill may begin', async () => {
    const ask = { runbook: 'component-drill', input: { node, ...more }, by: 'ada', reason: 'test' };
    return (await fleet.operations.start(ask)).run;
  });
const end = (run: string) => fleet.operations.wait(run, 60_000);
const step = (report: RunReport, title: string) => report.steps.find((one) => one.title === title);
const injected = (run: string) =>
  until(
    'the fault is there',
    async () => step(await fleet.operations.show(run), 'Kill it')?.after as Injected | undefined,
  );
const address = (node: string) => {
  const [region, zone, name] = node.split('/') as [string, string, string];
  return loadConfig(fleet.sandbox.configPath).regions[region]!.zones[zone]!.nodes[name]!;
};
const answers = (node: string) =>
  fetch(`http://${address(node)}/health`, { signal: AbortSignal.timeout(300) }).then(
    ({ ok }) => ok,
    () => false,
  );

it('passes where the monitor and its run heal the node, and measures what another observer measures', async () => {
  const node = `${REGION}/a/n1`;
  workers.start();
  await keepWatch(fleet.client, 'sandbox', [REGION]);
  const load = startLoad({
    url: fleet.sandbox.urls.mcp[REGION]!,
    clients: 5,
    ratePerClient: 10,
    timeoutMs: 5_000,
  });
  const seen: { at: number; ok: boolean }[] = [];
  const watching = new AbortController();
  const watch = (async () => {
    for (; !watching.signal.aborted; await delay(50)) {
      const at = Date.now();
      seen.push({ at, ok: await answers(node) });
    }
  })();
  const run = await drill(node);
  const report = await end(run);
  watching.abort();
  await watch;
  const own = await load.stop();
  const { verdict, experiment } = judgedIn(report);
  expect(report).toMatchObject({ state: 'succeeded', sentence: expect.stringContaining('healed by itself') });
  expect(experiment.rescue).toMatchObject({
    state: 'recovered',
    run: expect.stringContaining('node-failover'),
  });
  expect(await fleet.operations.show(experiment.rescue!.run)).toMatchObject({ trigger: 'monitor' });
  expect(verdict.sessionsLost + own.sessionsLost).toBe(0);
  const back = seen[seen.findLastIndex(({ ok }) => !ok) + 1]!.at;
  const rtoMs = Math.max(back, own.lastFailureAt ?? 0) - experiment.fault.at;
  console.info(`RTO ${verdict.rtoMs} ms by the drill, ${rtoMs} ms by the test's own observer`);
  expect(Math.abs(verdict.rtoMs! - rtoMs)).toBeLessThanOrEqual(200);
  expect(report.actual).toMatchObject({ rtoMs: verdict.rtoMs, sessionsLost: 0 });
  const page = drillPage(report);
  expect(page).toContain('passed</h1>');
  for (const mark of ['<svg', 'fault', 'detected', 'recovered']) expect(page).toContain(mark);
  await fleet.client.workflow.getHandle(`monitor-sandbox-${REGION}`).terminate('the rest goes without');
});

it('fails where a run says that all is well and it is not; the node is well again afterwards', async () => {
  const node = `${REGION}/b/n1`;
  await workers.stop();
  workers.start({ lies: true });
  const run = await drill(node, { seconds: 20 });
  const { at } = await injected(run);
  const alert = { source: 'test', fingerprint: run, summary: 'down', faultAt: new Date(at).toISOString() };
  const fault = {
    runbook: 'node-failover',
    input: { node },
    scope: `node/${node}`,
    trigger: 'alert' as const,
    alert,
  };
  await fleet.operations.openIncident(fault);
  const report = await end(run);
  expect(report).toMatchObject({
    state: 'failed',
    sentence: expect.stringMatching(/not healed, although node-failover.* says/),
  });
  expect(judgedIn(report).experiment.fault).toMatchObject({ found: 'still broken' });
  await until('the node serves again', () => answers(node), 5_000);
});

it('its fault undoes itself though every worker is dead, and what nobody answered has failed', async () => {
  const node = `${REGION}/c/n1`;
  await workers.stop();
  workers.start();
  const run = await drill(node, { seconds: 10 });
  const { until: expiry } = await injected(run);
  await workers.stop();
  expect(await answers(node)).toBe(false);
  await until('it serves', async () => (await answers(node)) || undefined);
  expect(Date.now()).toBeGreaterThanOrEqual(expiry);
  workers.start();
  expect(await end(run)).toMatchObject({
    state: 'failed',
    sentence: expect.stringContaining('no run answered it'),
  });
});

it('says nothing where clients were not served before the fault, and breaks nothing', async () => {
  const node = `${REGION}/a/n1`;
  await fleet.breakBalancer(REGION, 'kill');
  const report = await end(await drill(node));
  await fleet.healBalancer(REGION);
  expect(report).toMatchObject({
    state: 'inconclusive',
    sentence: expect.stringContaining('no steady state'),
  });
  expect(step(report, 'Kill it')).toBeUndefined();
  expect(await answers(node)).toBe(true);
});
