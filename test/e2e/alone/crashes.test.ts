import { redisSessions } from '../../../activities/adapters/redis-sessions';
import { loadConfig } from '../../../operations';
import { breakPart, healPart } from '../../../sandbox';
import { startLoad, type Load } from '../../../sandbox/load';
import { testFleet, type TestFleet } from '../../harness/fleet';
import { until } from '../../harness/until';
import { testWorkers, type TestWorkers } from '../../harness/worker';

/**
 * node-failover on real systems while what carries it out is killed: the worker by SIGKILL in the middle of each step,
 * and the Temporal server. The calls to the systems are told by the worker itself, so that a doubled effect shows.
 */
const REGION = 'us-east-1';

let fleet: TestFleet;
let workers: TestWorkers;
let load: Load;
let sessions: ReturnType<typeof redisSessions>;

beforeAll(async () => {
  fleet = await testFleet({ block: 140, workers: 0 });
  sessions = redisSessions(loadConfig(fleet.sandbox.configPath));
  workers = testWorkers(fleet.sandbox);
  load = startLoad({
    url: fleet.sandbox.urls.mcp[REGION]!,
    clients: 200, // so many that every node has sessions in its buckets
    ratePerClient: 0.001,
    timeoutMs: 10_000,
  });
});
beforeEach(() => workers.forget());
afterEach(() => workers.stop());
afterAll(async () => {
  await load?.stop();
  sessions?.close();
  await workers?.close();
  await fleet?.close();
});

/** What a failover in place sends to the systems, each once. */
const onceEach = (zone: string) => [
  `isolate ${zone}-n1`,
  `handOver ${REGION}/${zone}/n1`,
  `start ${REGION}-${zone}-n1`,
  `admit ${zone}-n1 25`,
  `admit ${zone}-n1 50`,
  `admit ${zone}-n1 100`,
];

/** Kills the node and reports it as Alertmanager does: again, until somebody answers. */
async function killNode(node: string) {
  await until(`${node} has sessions`, async () => (await sessions.owned(node)) > 0);
  await fleet.break(node, 'kill');
  const faultAt = new Date().toISOString();
  return until(
    'somebody answers',
    () =>
      fleet.operations.openIncident({
        runbook: 'node-failover',
        input: { node },
        scope: `node/${node}`,
        trigger: 'alert',
        alert: { source: 'test', fingerprint: node, summary: 'killed', faultAt },
      }),
    120_000,
  );
}

it('a worker killed in the middle of each step, before and after its effect, doubles none of them', async () => {
  const node = `${REGION}/a/n1`;
  const deaths = [
    'client.start end',
    'prober.health begin',
    'loadBalancer.isolate begin',
    'loadBalancer.isolate end',
    'sessions.handOver begin',
    'sessions.handOver end',
    'fleet.start begin',
    'fleet.start end',
    'prober.mcp begin',
    'prober.mcp end',
    'loadBalancer.admit begin', // to 25 %
    'loadBalancer.admit end',
    'loadBalancer.admit end', // to 50 %
    'loadBalancer.admit begin', // to 100 %
    'prober.mcp end', // the watch through the load balancer
  ];
  let worker = workers.start({ death: deaths[0]! });
  const opened = killNode(node);
  for (const next of [...deaths.slice(1), '']) {
    expect(await worker.exited).toBeNull();
    worker = workers.start({ death: next });
  }
  const { run } = await opened;
  const report = await fleet.reaches(run, 'recovered');
  expect(report.actual.sessionsLost).toBe(0);
  expect(workers.effects()).toEqual(onceEach('a'));
  expect((await fleet.operations.list()).filter(({ scope }) => scope === `node/${node}`)).toHaveLength(1);
  expect(load.snapshot().sessionsLost).toBe(0);
});

it('the Temporal server killed in the middle of a run, and started again, costs nothing but time', async () => {
  const dir = { dir: fleet.sandbox.dir };
  workers.start();
  const { run } = await killNode(`${REGION}/b/n1`);
  await until('the node is being started', () => workers.effects().includes(`start ${REGION}-b-n1`));
  await breakPart(dir, { kind: 'temporal' }, 'kill');
  await healPart(dir, { kind: 'temporal' });
  const report = await fleet.reaches(run, 'recovered');
  expect(report.actual.sessionsLost).toBe(0);
  expect(workers.effects()).toEqual(onceEach('b'));
});
