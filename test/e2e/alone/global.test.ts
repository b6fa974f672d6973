import { loadConfig } from '../../../operations';
import { stepOf, testRuns } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';
import { deeds, titles, useWorld } from '../../harness/world';

/**
 * Two of three regions are lost at once, and a standby region takes over; then all goes home again. Every part real, a worker and a
 * monitor in each region that runs, under MCP clients that go where the fleet's name leads them and under writes that are counted.
 * The tests go on from each other's fleet.
 */
const SITE = 'us-west-1';
const HOME = { 'us-east-1': 40, 'eu-central-1': 35, 'ap-southeast-1': 25 };
const COLD = 'eu-north-1';
const CLIENTS = 12;

// Six addresses' second octets of its own, where others have four: no other file has the slot after it.
const world = useWorld(smallSandbox(36), { clients: CLIENTS, workers: 4, recovery: true, backups: true });
const { traffic, ledTo, ended, database } = world;
const runs = testRuns(() => world.fleet);

/** The regions that are lost, and the one that is left. */
let lost: string[];
let left: string;

const agree = (run: string, by: string) =>
  world.fleet.operations.decide(run, 'approve', { by, reason: 'two regions are gone' });

it('is refused while most regions are seen well, whoever agrees', async () => {
  const run = await runs.start('global-failover', { level: 3 });
  await world.fleet.reaches(run, 'waiting for approval');
  await agree(run, 'grace');
  await agree(run, 'bob');
  expect(await ended(run)).toMatchObject({
    state: 'succeeded',
    sentence: expect.stringMatching(/are well: there is nothing to fail over$/),
  });
});

it('a standby region serves in place of two lost ones, with every acknowledged row', async () => {
  const under = await traffic();
  const { leader, members } = await database().look();
  const synchronous = members.find(({ agent }) => agent?.synchronous)!.member;
  const { members: places } = loadConfig(world.fleet.sandbox.configPath).database!;
  left = places[synchronous]!.region;
  lost = Object.keys(HOME).filter((region) => region !== left);
  expect(lost).toContain(places[leader!]!.region);
  await Promise.all(lost.map((region) => world.fleet.breakRegion(region, 'kill')));
  const run = await runs.start('global-failover', { level: 3 });
  await world.fleet.reaches(run, 'waiting for approval');
  await agree(run, 'grace');
  expect((await world.fleet.operations.show(run)).approvalsMissing).toBe(1);
  await agree(run, 'bob');
  const report = await ended(run);
  expect(report).toMatchObject({ state: 'recovered', actual: { sessionsLost: 0 } });
  expect(report.sentence).toMatch(new RegExp(`^${SITE} serves in place of ${lost.join(' and ')}: `));
  expect(report.actual.rtoMs).toBeLessThan(120_000);
  // At once: else their monitors go on to have each of their nodes failed over.
  await Promise.all(lost.map((region) => world.fleet.healRegion(region)));
  // Each tier moves upon the evidence of the one before.
  expect(
    titles(report.steps).filter((title) => /^(See every|See what is|Bring|Hand|Lead|Ask|Prove)/.test(title)),
  ).toEqual([
    'See every region from the others',
    'See what is left of the data',
    `Bring the nodes of ${SITE} up`,
    'Hand its sessions to the others',
    'Hand its sessions to the others',
    expect.stringMatching(new RegExp(`^Lead clients to ${lost.map((region) => `${region} 0, `).join('')}`)),
    'Ask every nameserver',
    'Prove it where clients are led',
  ]);
  await until('clients are led to both', () => ledTo(under.load).join() === [left, SITE].toSorted().join());
  await nothingLost(under);
});

it('goes home once its regions are there again and somebody agrees, and nobody notices', async () => {
  const under = await traffic();
  const planned = await ended(await runs.start('dr-deactivate', { region: SITE }, 'plan'));
  const run = await runs.start('dr-deactivate', { region: SITE });
  await world.fleet.reaches(run, 'waiting for approval');
  await agree(run, 'grace');
  const report = await ended(run);
  expect(report).toMatchObject({
    state: 'succeeded',
    sentence: `clients are led to us-east-1 40, eu-central-1 35, ap-southeast-1 25, ${SITE} 0, ${COLD} 0 again, and ${SITE} is standby`,
  });
  // What the monitors do meanwhile need not be done.
  expect(titles(deeds(planned, 'would change'))).toEqual(
    expect.arrayContaining(titles(deeds(report, 'done'))),
  );
  expect(stepOf(report, 'Drain its nodes and take them out')?.state).toBe('done');
  expect(ledTo(under.load)).not.toContain(SITE);
  expect(await under.load.stop()).toMatchObject({ failures: {}, sessionsLost: 0 });
  await under.writer.stop();
  expect((await under.writer.compare()).lost).toEqual([]);
}, 300_000);

type Traffic = Awaited<ReturnType<typeof traffic>>;

/** Has clients and the writer go on for a while, and ends both: no session was lost, and no acknowledged row. */
async function nothingLost({ load, writer }: Traffic): Promise<void> {
  const { ok } = load.snapshot();
  await until('all clients are answered', () => load.snapshot().ok > ok + 5 * CLIENTS);
  expect((await load.stop()).sessionsLost).toBe(0);
  const { acknowledged } = writer.snapshot();
  await until('rows are acknowledged again', () => writer.snapshot().acknowledged > acknowledged + 100);
  await writer.stop();
  expect((await writer.compare()).lost).toEqual([]);
}
