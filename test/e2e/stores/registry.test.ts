import { Redis } from 'ioredis';
import { redisRegistry } from '../../../activities/adapters/redis-registry';
import { supervisord } from '../../../activities/adapters/supervisord';
import type { Deps, RegistrySystems } from '../../../activities/deps';
import { registryActs } from '../../../activities/registry/acts';
import type { Fenced } from '../../../activities/registry/fence';
import type { Config } from '../../../core/config';
import { isOver, type RunReport } from '../../../core/run';
import { registryProgram } from '../../../core/topology';
import { loadConfig } from '../../../operations';
import { FLEET_PASSWORD_VARIABLE } from '../../../sandbox/environment';
import { startLoad } from '../../../sandbox/load';
import { testFleet, type TestFleet } from '../../harness/fleet';
import type { TestProcess } from '../../harness/process';
import { testRuns } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';
import { testWorkers, type TestWorkers } from '../../harness/worker';

/** registry-failover on a real registry: two Redis under supervisord behind HAProxy, with the MCP nodes that register there. */
const NODES = 9;
const by = 'ada';

let fleet: TestFleet;
let workers: TestWorkers;
let config: Config;
let systems: RegistrySystems;
/** The member that is the primary as a test begins, and the other one. */
let primary: string;
let standby: string;

beforeAll(async () => {
  fleet = await testFleet({ ...smallSandbox(17), workers: 0 });
  workers = testWorkers(fleet.sandbox);
  config = loadConfig(fleet.sandbox.configPath);
  systems = {
    registry: redisRegistry(config.registry!),
    fleet: supervisord(config.registry!.fleet, fleet.sandbox.env[FLEET_PASSWORD_VARIABLE]!),
  };
});
beforeEach(async () => {
  await fleet.healRegistry();
  ({ primary, standby } = await until('the registry is whole', async () => {
    const members = await systems.registry.members();
    const one = members.find(({ role }) => role === 'primary')?.member;
    const two = members.find(({ link }) => link?.up && !link.copying && link.to === one)?.member;
    const { length } = await systems.registry.registered();
    return one && two && length === NODES ? { primary: one, standby: two } : undefined;
  }));
  workers.forget();
});
afterEach(() => workers.rest());
afterAll(async () => {
  await workers?.close();
  await fleet?.close();
});

const start = (mode?: 'plan'): Promise<string> => testRuns(() => fleet).start('registry-failover', {}, mode);
const step = (report: RunReport, title: string) => report.steps.find((one) => one.title === title);

/** What a failover sends to the systems, each once; `stop` only where there is a process to end. */
const onceEach = (stop: boolean): string[] => [
  ...(stop ? [`stop ${registryProgram(primary)}`] : []),
  `promote ${standby}`,
  `start ${registryProgram(primary)}`,
  `follow ${primary} ${standby}`,
];

async function expectTakenOver(): Promise<void> {
  const members = await systems.registry.members();
  expect(members.find(({ member }) => member === standby)).toMatchObject({ role: 'primary' });
  expect(members.find(({ member }) => member === primary)).toMatchObject({
    role: 'standby',
    link: { to: standby, up: true },
  });
}

describe('a primary that', () => {
  it.each([
    ['was killed', 'kill', false],
    ['hangs', 'hang', true],
  ] as const)(
    '%s is fenced, its standby takes over with every node registered, and MCP clients notice nothing',
    async (_, fault, stop) => {
      workers.start();
      const load = startLoad({
        url: fleet.sandbox.urls.mcp['us-east-1']!,
        clients: 5,
        ratePerClient: 5,
        timeoutMs: 5_000,
      });
      await until('every client calls', () => load.snapshot().ok > 25);
      await fleet.breakRegistry(fault);
      const report = await fleet.reaches(await start(), 'recovered');
      const seen = await load.stop();
      expect(report.sentence).toBe(`${standby} took over from ${primary}, which follows it now`);
      expect(report.actual.rtoMs).toBeLessThan(20_000);
      expect(step(report, 'See its nodes registered again')).toMatchObject({
        sentence: `all ${NODES} nodes that serve are registered`,
      });
      expect(workers.effects()).toEqual(onceEach(stop));
      await expectTakenOver();
      expect(seen).toMatchObject({ failed: 0, sessionsLost: 0 });
    },
  );

  it('is well has nothing done to it', async () => {
    workers.start();
    const report = await fleet.reaches(await start(), 'succeeded');
    expect(report.sentence).toBe(`${primary} is the primary and well: there is nothing to fail over`);
    expect(workers.effects()).toEqual([]);
  });

  it('only we cannot reach, while its standby hears it, is left alone', async () => {
    workers.start();
    const [host, port] = config.registry!.members[primary]!.split(':');
    const redis = new Redis(Number(port), host!);
    await redis.config('SET', 'requirepass', 'locked'); // new connections are refused, the standby's goes on
    try {
      const report = await fleet.reaches(await start(), 'succeeded');
      expect(report.sentence).toMatch(
        new RegExp(
          `^${primary} cannot be reached from here .*well for others \\(standby ${standby}: .* link up`,
        ),
      );
      expect(workers.effects()).toEqual([]);
    } finally {
      await redis.config('SET', 'requirepass', '');
      redis.disconnect();
    }
  });

  it('hangs, with no standby that answers, stays: a sick primary is better than none', async () => {
    workers.start();
    await systems.fleet.stop(registryProgram(standby));
    await fleet.breakRegistry('hang');
    const run = await start();
    const report = await until('it is over', () => fleet.operations.wait(run, 60_000));
    expect(report).toMatchObject({ state: 'refused' });
    expect(workers.effects()).toEqual([]);
  });

  it('hangs is touched by no plan, which says what would be done', async () => {
    workers.start();
    await fleet.breakRegistry('hang');
    const { plan } = await fleet.reaches(await start('plan'), 'planned');
    expect(plan?.changes).toEqual([
      expect.stringMatching(new RegExp(`^would end the process of ${primary} \\(pid \\d+\\)$`)),
      expect.stringMatching(new RegExp(`^would make ${standby} .* the primary$`)),
      `would make ${primary} follow ${standby}`,
    ]);
    expect(workers.effects()).toEqual([]);
  });
});

describe('fence before promote', () => {
  const evidence = (member: string): Fenced => ({
    member,
    proof: 'not running',
    said: 'I say so',
    at: new Date().toISOString(),
  });

  /** The promotion alone, as a procedure that gets the order wrong would ask for it. */
  const promote = (fenced: Fenced | undefined) =>
    registryActs({ registry: systems } as unknown as Deps).promoteStandby({
      standby,
      fenced,
      how: { mode: 'execute', key: 'test' },
    });

  /** The end of the run. Whoever asks for it awaits it: a question still under way when the connection closes throws. */
  const endOf = (run: string): Promise<RunReport> =>
    until(
      `${run} is over`,
      async () => {
        const report = await fleet.operations.show(run);
        return isOver(report.state) && report;
      },
      120_000,
    );

  /** Waits for the death of a worker that was told to die during this run. */
  const died = (worker: TestProcess, end: Promise<RunReport>): Promise<unknown> =>
    Promise.race([
      worker.exited,
      end.then(({ sentence }) => {
        throw new Error(`the worker did not die in this run: ${sentence}`);
      }),
    ]);

  const expectRefused = async (fenced: Fenced | undefined, why: string): Promise<void> => {
    await expect(promote(fenced)).rejects.toMatchObject({
      code: 'NOT_FENCED',
      message: expect.stringContaining(`${standby} is not promoted: ${why}`),
    });
    const [own] = (await systems.registry.members()).filter(({ member }) => member === standby);
    expect(own).toMatchObject({ role: 'standby' });
  };

  it('without evidence, or beside a primary that runs whatever the evidence says, nothing is promoted', async () => {
    await expectRefused(undefined, 'there is no evidence that the old primary is fenced');
    await expectRefused(evidence(primary), `${primary} is a primary`);
  });

  it('evidence about a primary that only hangs, or about another member, promotes nothing', async () => {
    await fleet.breakRegistry('hang');
    await expectRefused(evidence(primary), `${primary} was not running at `);
    await expectRefused(evidence(standby), `the evidence is of ${standby}, but it follows ${primary}`);
  });

  it('a worker killed at every step doubles none; one killed after fencing looks again before it promotes', async () => {
    await fleet.breakRegistry('hang');
    const deaths = [
      'fleet.stop begin',
      'fleet.stop end',
      'registry.promote begin',
      'registry.promote end',
      'registry.write end',
      'fleet.start end',
      'registry.follow begin',
      'registry.follow end',
    ];
    let worker = workers.start({ death: deaths[0]! });
    const end = endOf(await start());
    for (const death of [...deaths.slice(1), '']) {
      await died(worker, end);
      worker = workers.start({ death });
    }
    expect(await end).toMatchObject({ state: 'recovered' });
    expect(workers.effects()).toEqual(onceEach(true));
    await expectTakenOver();
  });

  it('an old primary that is back as one when the promotion is due holds the run until it is fenced again', async () => {
    await fleet.breakRegistry('kill');
    const worker = workers.start({ death: 'registry.promote begin' });
    const run = await start();
    const end = endOf(run);
    await died(worker, end);
    await systems.fleet.start(registryProgram(primary));
    await until('it is a primary again', () => systems.registry.promote(primary).then(() => true));
    workers.start();
    const held = await fleet.reaches(run, 'needs attention');
    expect(held.sentence).toContain(`${standby} is not promoted: ${primary} is a primary`);
    await systems.fleet.stop(registryProgram(primary));
    await fleet.operations.decide(run, 'retry', { by, reason: 'stopped by hand' });
    expect(await end).toMatchObject({ state: 'recovered' });
    await expectTakenOver();
  });
});
