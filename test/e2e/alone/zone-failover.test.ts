import { setTimeout as delay } from 'node:timers/promises';
import { haproxy } from '../../../activities/adapters/haproxy';
import { redisSessions } from '../../../activities/adapters/redis-sessions';
import { loadConfig } from '../../../operations';
import type { RunReport, RunState } from '../../../core/run';
import { startLoad, type Load } from '../../../sandbox/load';
import { testFleet, type TestFleet } from '../../harness/fleet';
import { testRuns } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';
import { testWorkers, type TestWorkers } from '../../harness/worker';

/**
 * zone-failover and zone-failback on a sandbox of their own: real Temporal, HAProxy, Redis, supervisord and MCP nodes, four
 * a zone. The worker is one without the monitor, so that no run on a single node is at work beside those that are tested.
 */
const OPTIONS = { ...smallSandbox(14), nodesPerZone: 4 };
/** Three of four. */
const MOST = 0.75;
const POLICIES = { zoneHold: '1s' };
/** More than the time-out of one health check, less than two. */
const ONE_LATE_ANSWER_MS = 500;
const by = 'ada';
const reason = 'test';

let fleet: TestFleet;
let workers: TestWorkers;
let load: Load | undefined;

beforeAll(async () => {
  fleet = await testFleet(OPTIONS);
  workers = testWorkers(fleet.sandbox);
  workers.start({ policies: POLICIES });
});
beforeEach(() => workers.forget());
afterEach(async () => {
  await load?.stop();
  load = undefined;
});
/** For what follows a test with a worker of another kind, however that test ended. */
const backToNormal = async () => {
  await workers.stop();
  workers.start({ policies: POLICIES });
};
afterAll(async () => {
  await workers?.close();
  await fleet?.close();
});

const step = (report: RunReport, title: string) => report.steps.find((one) => one.title === title);
const balancerOf = (region: string) =>
  haproxy(loadConfig(fleet.sandbox.configPath).regions[region]!.loadBalancer);

/** The zone's servers as `n1 ready 100`, those of its spares left out. */
async function standing(zone: string): Promise<string[]> {
  const [region = '', name] = zone.split('/');
  const members = await balancerOf(region).members();
  return members
    .filter(({ server }) => server.startsWith(`${name}-n`))
    .map(({ server, admin, weight }) => `${server.slice(2)} ${admin} ${weight}`);
}

const WHOLE = ['n1 ready 100', 'n2 ready 100', 'n3 ready 100', 'n4 ready 100'];

const runs = testRuns(() => fleet);
const start = (runbook: string, zone: string): Promise<string> => runs.start(runbook, { zone });
const carryOut = (runbook: string, zone: string, end: RunState, mode?: 'plan'): Promise<RunReport> =>
  runs.carryOut(runbook, { zone }, end, mode);

/** The balancer of a region with the zone's nodes as an operator would keep them out. */
async function keepOut(zone: string, ...names: string[]): Promise<void> {
  const [region = '', name] = zone.split('/');
  await balancerOf(region).isolate(...names.map((each) => `${name}-${each}`));
}

async function admit(zone: string, ...names: string[]): Promise<void> {
  const [region = '', name] = zone.split('/');
  await Promise.all(names.map((each) => balancerOf(region).admit(`${name}-${each}`, 100)));
}

async function sessionsIn(zone: string): Promise<number> {
  const sessions = redisSessions(loadConfig(fleet.sandbox.configPath));
  try {
    const owned = await Promise.all(ALL.map((name) => sessions.owned(`${zone}/${name}`)));
    return owned.reduce((sum, count) => sum + count, 0);
  } finally {
    sessions.close();
  }
}

const ALL = ['n1', 'n2', 'n3', 'n4'];

describe('zone-failover', () => {
  it('leaves a zone that serves alone', async () => {
    const report = await carryOut('zone-failover', 'us-east-1/a', 'succeeded');
    expect(report.sentence).toBe(
      '0 of 4 nodes of zone us-east-1/a have failed: there is nothing to fail over',
    );
    expect(workers.effects()).toEqual([]);
  });

  it('three of four nodes killed under live MCP clients: the zone is left at once, healed and back, no session lost', async () => {
    const zone = 'us-east-1/a';
    const url = fleet.sandbox.urls.mcp['us-east-1']!;
    const calling = startLoad({ url, clients: 24, ratePerClient: 5, timeoutMs: 5_000 });
    load = calling;
    await until('every client calls', () => calling.snapshot().ok > 24 * 10);
    const brokenAt = Date.now();
    await fleet.breakZone(zone, 'kill', MOST);
    const report = await carryOut('zone-failover', zone, 'recovered');
    const { ok } = calling.snapshot();
    await until('the clients call on', () => calling.snapshot().ok > ok + 24);
    expect(report).toMatchObject({
      sentence: `zone ${zone} serves again with 4 of 4 nodes`,
      actual: { sessionsLost: 0 },
    });
    expect(step(report, 'Take it out of the load balancer')?.sentence).toMatch(
      /^3 of 4 nodes of zone us-east-1\/a have failed \(.*; zone us-east-1\/a gets no more traffic, 8 of 12 members/,
    );
    expect(step(report, 'Hand its sessions to the other zones')?.after).toMatchObject({ lost: 0 });
    expect(Date.parse(report.clock.isolatedAt!) - brokenAt).toBeLessThan(5_000);
    expect(workers.effects()[0]).toBe('isolate a-n1 a-n2 a-n3 a-n4');
    expect(await standing(zone)).toEqual(WHOLE);
    expect(calling.snapshot().sessionsLost).toBe(0);
  });

  it('kills hung nodes and starts them again', async () => {
    const zone = 'us-east-1/b';
    await fleet.breakZone(zone, 'hang', MOST);
    const report = await carryOut('zone-failover', zone, 'recovered');
    expect(workers.effects().filter((effect) => /^(kill|start)/.test(effect))).toHaveLength(6);
    const { sentence } = step(report, 'Restart what has failed')!;
    expect(sentence).toBe('3 nodes were started; 4 of 4 nodes are healthy');
    expect(await standing(zone)).toEqual(WHOLE);
  });

  it('names a node that does not come back and leaves it out, and one that an operator keeps out alone', async () => {
    const zone = 'eu-central-1/a';
    await keepOut(zone, 'n4');
    await fleet.breakZone(zone, 'kill', 0.5);
    await fleet.break(`${zone}/n1`, 'crashloop');
    const report = await carryOut('zone-failover', zone, 'recovered');
    expect(report.sentence).toBe(`zone ${zone} serves again with 2 of 3 nodes`);
    expect(step(report, 'Take it out of the load balancer')?.sentence).toMatch(
      /^2 of 3 nodes of zone .* have failed \(.*\); kept out by hand: 1; /,
    );
    expect(step(report, 'Restart what has failed')?.sentence).toContain(`; ${zone}/n1 stays out: `);
    expect(await standing(zone)).toEqual(['n1 maint 100', 'n2 ready 100', 'n3 ready 100', 'n4 maint 100']);
  });

  it('asks when too few come back; aborted, it puts back what it took out and nothing else', async () => {
    const zone = 'eu-central-1/b';
    await keepOut(zone, 'n4');
    for (const name of ['n1', 'n2']) await fleet.break(`${zone}/${name}`, 'crashloop');
    const run = await start('zone-failover', zone);
    const { sentence } = await fleet.reaches(run, 'needs attention');
    expect(sentence).toContain(`zone ${zone} must stay out: 2 of its 3 nodes do not serve, more than 30 %`);
    await fleet.operations.decide(run, 'abort', { by, reason });
    const report = await fleet.reaches(run, 'aborted');
    expect(step(report, 'Put back what was taken out')).toMatchObject({ kind: 'undo', state: 'done' });
    expect(await standing(zone)).toEqual(['n1 ready 100', 'n2 ready 100', 'n3 ready 100', 'n4 maint 100']);
  });

  it('refuses to leave the last zone that serves', async () => {
    const zone = 'ap-southeast-1/a';
    await keepOut('ap-southeast-1/b', ...ALL);
    await keepOut('ap-southeast-1/c', ...ALL);
    await fleet.breakZone(zone, 'kill', MOST);
    const report = await carryOut('zone-failover', zone, 'refused');
    expect(report.sentence).toBe(
      `last serving zone: zone ${zone} must stay: no other zone of ap-southeast-1 serves; this is a failure of the region`,
    );
    expect(workers.effects()).toEqual([]);
    await admit('ap-southeast-1/b', ...ALL);
    await admit('ap-southeast-1/c', ...ALL);
    await fleet.healZone(zone);
  });

  it('a plan says what would change, also of a zone that serves, and touches nothing', async () => {
    const zone = 'us-east-1/c';
    const { plan } = await carryOut('zone-failover', zone, 'planned', 'plan');
    expect(plan?.changes[0]).toMatch(/^would take all 4 nodes of zone us-east-1\/c out of the load balancer/);
    await fleet.breakZone(zone, 'kill', MOST);
    const { plan: broken } = await carryOut('zone-failover', zone, 'planned', 'plan');
    expect(broken?.changes).toEqual([
      `would take all 4 nodes of zone ${zone} out of the load balancer and close their connections`,
      ...broken!.changes
        .slice(1, -4)
        .filter((each) => /^would hand \d+ sessions to 8 nodes of other zones/.test(each)),
      `would restart ${zone}/n1, ${zone}/n2, ${zone}/n3`,
      ...[25, 50, 100].map((weight) => `would give 4 nodes ${weight} % of their traffic`),
    ]);
    expect(workers.effects()).toEqual([]);
  });

  describe('with another worker', () => {
    afterEach(backToNormal);

    it('refuses to leave a zone whose traffic the others cannot bear, and says the numbers', async () => {
      const zone = 'us-east-1/c'; // three of its nodes are dead, from the test before
      await workers.stop();
      workers.start({ policies: { ...POLICIES, nodeCapacity: 1 } });
      const report = await carryOut('zone-failover', zone, 'refused');
      expect(report.sentence).toMatch(
        /^capacity headroom: .* 8 of 12 members of pool us-east-1 serve, but the measured peak of \d+ requests\/s needs \d+ at 1 each$/,
      );
      expect(workers.effects()).toEqual([]);
      expect(await standing(zone)).toEqual(WHOLE);
    });

    it('a worker killed in the middle of each step repeats nothing', async () => {
      const zone = 'us-east-1/c';
      const deaths = [
        'loadBalancer.isolate begin',
        'loadBalancer.isolate end',
        'sessions.handOver end',
        'fleet.start end',
        'loadBalancer.admit begin',
        'loadBalancer.admit end',
      ];
      await workers.stop();
      await fleet.healZone(zone);
      // A session that calls moves off a dead node by itself; these wait to be handed over.
      const idle = { clients: 100, ratePerClient: 0.001, timeoutMs: 10_000 };
      load = startLoad({ url: fleet.sandbox.urls.mcp['us-east-1']!, ...idle });
      await until('the zone has sessions', async () => (await sessionsIn(zone)) > 0);
      await fleet.breakZone(zone, 'kill', MOST);
      let worker = workers.start({ death: deaths[0]!, policies: POLICIES });
      const run = await start('zone-failover', zone);
      for (const death of [...deaths.slice(1), '']) {
        expect(await worker.exited).toBeNull();
        worker = workers.start({ death, policies: POLICIES });
      }
      const report = await fleet.operations.wait(run, 60_000);
      expect(report).toMatchObject({ state: 'recovered', actual: { sessionsLost: 0 } });
      const effects = workers.effects();
      expect(effects.filter((effect) => effect.startsWith('isolate'))).toEqual([
        'isolate c-n1 c-n2 c-n3 c-n4',
      ]);
      expect(new Set(effects).size).toBe(effects.length);
      expect(await standing(zone)).toEqual(WHOLE);
      expect(load.snapshot().sessionsLost).toBe(0);
    });

    it('a node that dies in the hold stays out; when one dies in the ramp too (not: answers late once), the zone is none and people are asked', async () => {
      const zone = 'us-east-1/c';
      await workers.stop();
      workers.start({ policies: { zoneHold: '4s', rampInterval: '2s' } });
      await fleet.breakZone(zone, 'kill', 0.5);
      const run = await start('zone-failover', zone);
      const under = (title: string) =>
        until(`${title}: under way`, async () => {
          const found = step(await fleet.operations.show(run), title);
          return found?.state === 'running' && found;
        });
      await under('Hold it out for 4 s');
      await fleet.break(`${zone}/n4`, 'kill');
      await under('Ramp to 25 %');
      const ramped = ['n1 ready 25', 'n2 ready 25', 'n3 ready 25', 'n4 maint 100'];
      // One after the other, however fast.
      await until('the others have traffic', async () => {
        expect(await standing(zone)).toEqual(ramped);
        return true;
      });
      // One answer that is late, as on a busy machine, is not yet a failure.
      await fleet.break(`${zone}/n2`, 'hang');
      await delay(ONE_LATE_ANSWER_MS);
      await fleet.heal(`${zone}/n2`);
      await fleet.break(`${zone}/n3`, 'kill');
      const report = await fleet.reaches(run, 'needs attention');
      expect(report.sentence).toMatch(
        /zone us-east-1\/c must stay out: 2 of its 4 nodes .*us-east-1\/c\/n3 failed at \d+ % of its traffic/,
      );
      expect(step(report, 'Hold it out for 4 s')?.sentence).toMatch(
        /^3 of 4 nodes are healthy; us-east-1\/c\/n4 stays out: /,
      );
      expect((await standing(zone)).map((each) => each.replace(/\d+$/, ''))).toEqual([
        'n1 ready ',
        'n2 ready ',
        'n3 maint ',
        'n4 maint ',
      ]);
      await fleet.operations.decide(run, 'abort', { by, reason });
      await fleet.reaches(run, 'aborted');
    });
  });

  it.each([
    ['us-east-1/z', 'there are us-east-1/a, us-east-1/b, us-east-1/c, eu-central-1/a'],
    ['mars/a', 'there are us-east-1/a'],
  ])('zone %s is none', async (zone, sentence) => {
    const asked = fleet.operations.start({ runbook: 'zone-failover', input: { zone }, by });
    await expect(asked).rejects.toMatchObject({
      code: 'UNKNOWN_TARGET',
      message: expect.stringContaining(sentence),
    });
  });
});

describe('zone-failback', () => {
  const zone = 'ap-southeast-1/b';

  it('leaves a zone alone that is not out', async () => {
    const report = await carryOut('zone-failback', zone, 'succeeded');
    expect(report.sentence).toBe(`zone ${zone} is not out: there is nothing to bring back`);
    expect(workers.effects()).toEqual([]);
  });

  it('starts what does not run, and brings the zone back step by step', async () => {
    await keepOut(zone, ...ALL);
    await fleet.breakZone(zone, 'kill', 0.5);
    const report = await carryOut('zone-failback', zone, 'recovered');
    expect(report.sentence).toBe(`zone ${zone} serves again with 4 of 4 nodes`);
    expect(workers.effects().filter((effect) => effect.startsWith('start'))).toHaveLength(2);
    expect(workers.effects().slice(-4).toSorted()).toEqual(ALL.map((name) => `admit b-${name} 100`));
    expect(await standing(zone)).toEqual(WHOLE);
  });

  it('refuses while too many of its nodes run and do not serve', async () => {
    await keepOut(zone, ...ALL);
    await fleet.breakZone(zone, 'hang', MOST);
    const report = await carryOut('zone-failback', zone, 'refused');
    expect(report.sentence).toBe(
      `zone still degraded: zone ${zone} must stay out: 3 of its 4 nodes do not serve, more than 30 %`,
    );
    expect(workers.effects()).toEqual([]);
  });
});
