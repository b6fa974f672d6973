import { patroni } from '../../activities/adapters/patroni';
import { isOver, type RunReport, type StepRecord, type StepState } from '../../core/run';
import { loadConfig } from '../../operations';
import { DATABASE_USERS } from '../../sandbox/environment';
import { startLoad, type Load } from '../../sandbox/load';
import { startWriter, type Writer } from '../../sandbox/load/writes';
import { testFleet, type TestFleet } from '../harness/fleet';
import { testRuns } from '../harness/runs';
import { smallSandbox } from '../harness/sandbox';
import { until } from '../harness/until';

/**
 * A region is lost, brought back, and left by plan: every part real, in three regions with a worker and a monitor each, under MCP
 * clients that go where the fleet's name leads them, and under writes that are counted. The tests go on from each other's fleet.
 */
const options = {
  ...smallSandbox(26),
  workers: 3,
  database: true,
  sentinel: true,
  dns: true,
  dnsTtl: 3,
  dnsChecks: '1s/2',
  // Nine nodes in all: one region and a false alarm on a busy machine would be half of them.
  limits: false,
};
const REGION = 'us-east-1';
const OTHERS = ['eu-central-1', 'ap-southeast-1'] as const;
const CLIENTS = 12;
/** More than all health checks and TTLs of a run together, on a busy machine. */
const LONG_MS = 170_000;

let fleet: TestFleet;
let load: Load | undefined;
let writer: Writer | undefined;
const runs = testRuns(() => fleet);

beforeAll(async () => {
  fleet = await testFleet(options);
}, 180_000);
afterEach(async () => {
  await Promise.all([load?.stop(), writer?.stop()]);
  load = writer = undefined;
});
afterAll(() => fleet?.close(), 60_000);

/** What is at work, in words. */
async function atWork(): Promise<string[]> {
  const open = (await fleet.operations.list({ limit: 30 })).filter(({ endedAt }) => endedAt === undefined);
  const reports = await Promise.all(open.map(({ run }) => fleet.operations.show(run)));
  return reports.map(({ run, state, sentence }) => `${run} is ${state}: ${sentence}`);
}

/** The report of a run that is over, whatever its end. */
const ended = (run: string): Promise<RunReport> =>
  until(
    `${run} is over`,
    async () => {
      const report = await fleet.operations.show(run);
      if (isOver(report.state)) return report;
      throw new Error((await atWork()).join('\n'));
    },
    LONG_MS,
  );

const titles = (steps: readonly StepRecord[]): string[] => steps.map(({ title }) => title);
const stepOf = ({ steps }: RunReport, title: RegExp): StepRecord =>
  steps.find((step) => title.test(step.title))!;

/** What a run did or would do, runs beneath it included. */
const deeds = ({ steps }: RunReport, state: StepState): StepRecord[] =>
  steps.flatMap((step) => {
    if (step.nested) return deeds(step.nested, state);
    return step.kind === 'act' && step.state === state ? [step] : [];
  });

const database = () => {
  const { env, configPath } = fleet.sandbox;
  return patroni(loadConfig(configPath).database!, {
    postgres: env[DATABASE_USERS.postgres.variable]!,
    patroni: env[DATABASE_USERS.patroni.variable]!,
  });
};

/** Clients that go by the fleet's name, once each has an answer, and a writer, once rows are acknowledged. */
async function traffic(): Promise<{ load: Load; writer: Writer }> {
  const { dns } = loadConfig(fleet.sandbox.configPath);
  const [nameserver] = dns!.nameservers;
  const calls = (load = startLoad({
    url: `http://${dns!.name.replace(/\.$/, '')}:8080/mcp`,
    nameserver: nameserver!,
    clients: CLIENTS,
    ratePerClient: 2,
    timeoutMs: 5_000,
  }));
  const writes = (writer = await startWriter({
    url: fleet.sandbox.databaseUrl,
    rate: 100,
    timeoutMs: 5_000,
  }));
  await until('clients are answered', () => calls.snapshot().ok > 10 * CLIENTS);
  await until('rows are acknowledged', () => writes.snapshot().acknowledged > 100);
  return { load: calls, writer: writes };
}

/** The regions to which the clients' own resolvers lead them. */
function ledTo({ held }: Load): string[] {
  const { regions } = loadConfig(fleet.sandbox.configPath);
  const byAddress = new Map(
    Object.entries(regions).map(([name, { loadBalancer }]) => [new URL(loadBalancer.url).hostname, name]),
  );
  return [...new Set(held().map(({ address }) => byAddress.get(address) ?? address))].toSorted();
}

it('one vantage point alone is no reason to leave a region', async () => {
  await fleet.breakWay(OTHERS[0], REGION);
  const report = await ended(await runs.start('region-failover', { region: REGION }));
  await fleet.healWay(OTHERS[0], REGION);
  expect(report).toMatchObject({
    state: 'refused',
    sentence: `two vantage points: ${REGION} must not be left: ${OTHERS[0]} sees ${REGION} failed, ${OTHERS[1]} does not`,
  });
}, 60_000);

it('a region that dies is left by itself: its data, its sessions and its clients', async () => {
  const under = await traffic();
  await until('clients are everywhere', () => ledTo(under.load).length === 3);
  await fleet.breakRegion(REGION, 'kill');
  const report = await ended(await fleet.runOn(`region/${REGION}`));
  expect(report).toMatchObject({ state: 'recovered', trigger: 'monitor', actual: { sessionsLost: 0 } });
  expect(report.sentence).toContain(`${OTHERS[0]} 70, ${OTHERS[1]} 30`);
  // Each tier moves upon the evidence of the one before.
  expect(titles(report.steps).filter((title) => /^(See it|Hand|Lead|Ask|Prove|Wait)/.test(title))).toEqual([
    'See it from the other regions',
    'Hand its sessions to the others',
    `Lead its clients to ${REGION} 0, ${OTHERS[0]} 70, ${OTHERS[1]} 30`,
    'Ask every nameserver',
    'Prove it where clients are led',
    'Wait until no earlier answer is used',
  ]);
  expect(stepOf(report, /^See it/).sentence).toMatch(
    /seen from .* does not answer .*; seen from .* does not/,
  );
  expect(stepOf(report, /^Prove/).sentence).toMatch(/a row in \d+ ms was written/);
  expect(ledTo(under.load)).toEqual([...OTHERS].toSorted());
  const { ok } = under.load.snapshot();
  await until('all clients are answered', () => under.load.snapshot().ok > ok + 5 * CLIENTS);
  expect((await under.load.stop()).sessionsLost).toBe(0);
  const { acknowledged } = under.writer.snapshot();
  await until('rows are acknowledged again', () => under.writer.snapshot().acknowledged > acknowledged + 100);
  await under.writer.stop();
  expect((await under.writer.compare()).lost).toEqual([]);
}, 240_000);

it('a region that is there again is brought back once somebody agrees, and nobody notices', async () => {
  await fleet.healRegion(REGION);
  const under = await traffic();
  const run = await runs.start('region-failback', { region: REGION });
  await fleet.reaches(run, 'waiting for approval');
  await fleet.operations.decide(run, 'approve', { by: 'grace', reason: 'it is whole' });
  const report = await ended(run);
  expect(report).toMatchObject({ state: 'succeeded', sentence: expect.stringContaining(`${REGION} 40`) });
  expect(titles(report.steps).filter((title) => title.startsWith('Lead'))).toEqual([
    `Lead clients to ${REGION} 33, ${OTHERS[0]} 33, ${OTHERS[1]} 34`,
    `Lead clients to ${REGION} 40, ${OTHERS[0]} 35, ${OTHERS[1]} 25`,
  ]);
  const beneath = report.steps.flatMap(({ nested }) => (nested ? [[nested.runbook, nested.state]] : []));
  expect(beneath).toEqual([
    ['cluster-formation', 'succeeded'],
    ['partition-response', expect.stringMatching(/recovered|succeeded/)],
    ['redis-failover', expect.stringMatching(/recovered|succeeded/)],
    ['rebalance', 'succeeded'],
  ]);
  expect(ledTo(under.load)).toContain(REGION);
  expect(await under.load.stop()).toMatchObject({ failures: {}, sessionsLost: 0 });
}, 300_000);

it('the region of a primary is left by plan, as it was planned, and nobody notices', async () => {
  const { leader } = await database().look();
  const { database: stores } = loadConfig(fleet.sandbox.configPath);
  const { region } = stores!.members[leader!]!;
  const planned = await ended(await runs.start('region-evacuation', { region }, 'plan'));
  const under = await traffic();
  const report = await ended(await runs.start('region-evacuation', { region }));
  expect(report).toMatchObject({ state: 'succeeded', actual: { sessionsLost: 0 } });
  expect(report.steps.find(({ title }) => title === 'Move the database')).toMatchObject({
    nested: { runbook: 'database-switchover', state: 'succeeded' },
  });
  expect(titles(deeds(report, 'done'))).toEqual(titles(deeds(planned, 'would change')));
  expect(planned.plan!.changes.join('; ')).toMatch(new RegExp(`shift .*${region} \\d+→0`));
  expect(ledTo(under.load)).not.toContain(region);
  expect(await under.load.stop()).toMatchObject({ failures: {}, sessionsLost: 0 });
  await under.writer.stop();
  expect((await under.writer.compare()).lost).toEqual([]);
}, 240_000);
