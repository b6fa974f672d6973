import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Redis } from 'ioredis';
import { redisSentinel } from '../../../activities/adapters/redis-sentinel';
import { supervisord } from '../../../activities/adapters/supervisord';
import { cacheActs } from '../../../activities/cache/acts';
import type { Fenced } from '../../../activities/cache/fence';
import type { CacheSystems, Deps } from '../../../activities/deps';
import { judgeCache } from '../../../core/cache';
import { isOver, type RunReport } from '../../../core/run';
import { sessionsProgram } from '../../../core/topology';
import { loadConfig } from '../../../operations';
import { FLEET_PASSWORD_VARIABLE, SENTINEL_VARIABLE, SESSIONS_VARIABLE } from '../../../sandbox/environment';
import { sessionMembers } from '../../../sandbox/layout';
import { startSessionsWriter, type Writer } from '../../../sandbox/load/writes';
import { testClients } from '../../harness/clients';
import { testFleet, type TestFleet } from '../../harness/fleet';
import { stepOf, testRuns } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';
import { testWorkers, type TestWorkers } from '../../harness/worker';

/**
 * redis-failover and redis-switchover on three real Redis under three Sentinels, and HAProxy before them. A Sentinel waits for a minute,
 * so that what is seen earlier is these runbooks' doing and not Sentinel's.
 */
const OPTIONS = { ...smallSandbox(6), sentinel: true, sentinelDownAfter: 60_000 };

let fleet: TestFleet;
let workers: TestWorkers;
let systems: CacheSystems;
/** The member that is the primary as a test begins. */
let primary: string;
let writer: Writer | undefined;

beforeAll(async () => {
  fleet = await testFleet(OPTIONS);
  workers = testWorkers(fleet.sandbox);
  const { sessions } = loadConfig(fleet.sandbox.configPath);
  const sentinel = sessions.sentinel!;
  const { env } = fleet.sandbox;
  systems = {
    cache: redisSentinel(
      { ...sessions, sentinel },
      { members: env[SESSIONS_VARIABLE], sentinels: env[SENTINEL_VARIABLE] },
    ),
    fleet: supervisord(sentinel.fleet, env[FLEET_PASSWORD_VARIABLE]!),
  };
});
beforeEach(async () => {
  await fleet.healRedis();
  primary = await until('the session store is whole', async () => {
    await systems.cache.write();
    const seen = await verdict();
    return seen.absent.length === 0 && seen.primary;
  });
  workers.forget();
});
afterEach(async () => {
  await writer?.stop();
  writer = undefined;
  await workers.rest();
});
afterAll(async () => {
  await workers?.close();
  await fleet?.close();
});

const start = (runbook: 'redis-failover' | 'redis-switchover', input = {}, mode?: 'plan'): Promise<string> =>
  testRuns(() => fleet).start(runbook, input, mode);

/** How the store stands, for clients who write. */
const verdict = async () => judgeCache(await systems.cache.look(), { ok: true, said: 'a write' });

async function writing(): Promise<Writer> {
  const started = startSessionsWriter({ url: fleet.sandbox.sessionsUrl, rate: 300, timeoutMs: 1_000 });
  writer = started;
  await until('writes are acknowledged', () => started.snapshot().acknowledged > 300);
  return started;
}

/** What became of the writes once the writer has written on for a while after the change. */
async function book(): Promise<{ lost: number[]; acknowledged: number }> {
  const { acknowledged } = writer!.snapshot();
  await until('writes are acknowledged again', () => writer!.snapshot().acknowledged > acknowledged + 300);
  const report = await writer!.stop();
  const { lost } = await writer!.compare();
  writer = undefined;
  return { lost, acknowledged: report.acknowledged };
}

/** Asks a member past everything. @throws where it does not answer in time */
async function ask<T>(member: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const url = new URL(fleet.sandbox.sessionsUrl);
  url.host = sessionMembers(OPTIONS.block).find(({ name }) => name === member)!.redis;
  const redis = new Redis(url.href, { lazyConnect: true, commandTimeout: 2_000, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

const processOf = async (redis: Redis): Promise<number> =>
  Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);

/** Has these Sentinels hold a silent primary for down after 8 s: later than the run wants to hold them back, on a busy machine too. */
async function impatient(...names: string[]): Promise<void> {
  const { name: store, sentinels } = loadConfig(fleet.sandbox.configPath).sessions.sentinel!;
  for (const name of names) {
    const redis = new Redis(`redis://${sentinels[name]}`, {
      password: fleet.sandbox.env[SENTINEL_VARIABLE]!,
      enableReadyCheck: false,
    });
    await redis.call('SENTINEL', 'SET', store, 'down-after-milliseconds', 8_000);
    redis.disconnect();
  }
}

/** Everything that changes something in a failover from `old` to `now`, in this order; `third` is the other standby. */
const failover = (old: string, now: string, third: string): unknown[] => [
  `kill ${sessionsProgram(old)}`,
  'holdSentinels ',
  `promote ${now}`,
  `follow ${third} ${now}`,
  `watch ${now}`,
  `start ${sessionsProgram(old)}`,
  `follow ${old} ${now}`,
];

/** The calls without the ids of processes, which nobody can foresee. */
const effects = (): string[] => workers.effects().map((one) => one.replace(/ \d+$/, ''));

/** Of the two that were standbys, the one that took over and the other. */
async function succession(old: string): Promise<[now: string, third: string]> {
  const { primary: now } = await verdict();
  return [now!, ['m1', 'm2', 'm3'].find((one) => one !== old && one !== now)!];
}

describe('a primary that', () => {
  it('is killed is succeeded by who has most: no acknowledged write is lost, MCP sessions live on', async () => {
    workers.start();
    const clients = await testClients(fleet.sandbox.urls.mcp['us-east-1']!);
    await writing();
    await fleet.breakRedis('primary', 'kill');
    const report = await fleet.reaches(await start('redis-failover'), 'recovered');
    expect(report.sentence).toMatch(new RegExp(`^m\\d took over from ${primary}, which follows it now$`));
    const [now, third] = await succession(primary);
    expect(effects()).toEqual(failover(primary, now, third).slice(1)); // it is gone: there is nothing to kill
    expect(await book()).toMatchObject({ lost: [] });
    expect((await clients.troubles()).sessionsLost).toBe(0);
    await clients.stop();
  });

  it('hangs is killed before anybody takes over, so that it cannot wake as a second one', async () => {
    await writing();
    const pid = await ask(primary, processOf);
    await fleet.breakRedis('primary', 'hang');
    workers.start();
    await fleet.reaches(await start('redis-failover'), 'recovered');
    const [now, third] = await succession(primary);
    expect(effects()).toEqual(failover(primary, now, third));
    expect(await book()).toMatchObject({ lost: [] });
    expect(() => process.kill(pid, 'SIGCONT')).toThrow('ESRCH');
    await expect(ask(primary, (redis) => redis.set('woken', '1'))).rejects.toThrow(/READONLY/);
  });

  it('does not answer, while its standbys hear of it, is left alone', async () => {
    workers.start();
    await ask(primary, (redis) => redis.call('CLIENT', 'PAUSE', 22_000, 'ALL'));
    const report = await fleet.reaches(await start('redis-failover'), 'succeeded');
    expect(report.sentence).toMatch(
      new RegExp(
        `^${primary} cannot be reached from here .* still hear of it: it is well for others: there is`,
      ),
    );
    expect(effects()).toEqual([]);
  });

  it('is well is left alone', async () => {
    workers.start();
    const report = await fleet.reaches(await start('redis-failover'), 'succeeded');
    expect(report.sentence).toMatch(
      new RegExp(
        `^${primary} takes its clients' writes \\(a write took \\d+ ms\\): there is nothing to fail over$`,
      ),
    );
    expect(effects()).toEqual([]);
  });

  it('is dead together with a standby is not replaced: the other may lack what that one acknowledged', async () => {
    workers.start();
    await fleet.breakRedis('replica', 'kill');
    await fleet.breakRedis('primary', 'kill');
    const report = await fleet.reaches(await start('redis-failover'), 'refused');
    expect(report.sentence).toMatch(/^candidate has every write: m\d may lack writes of/);
    expect(effects()).toEqual([]);
  });

  it('was succeeded by the Sentinels already is brought back', async () => {
    workers.start();
    await fleet.breakRedis('primary', 'kill');
    const [one, other] = ['m1', 'm2', 'm3'].filter((member) => member !== primary) as [string, string];
    await systems.cache.promote(one);
    await systems.cache.follow(other, one);
    await until('clients are led there', () => systems.cache.write());
    const report = await fleet.reaches(await start('redis-failover'), 'recovered');
    expect(report.sentence).toContain(`and is followed by ${primary} again`);
    expect(effects()).toEqual([
      `watch ${one}`,
      `start ${sessionsProgram(primary)}`,
      `follow ${primary} ${one}`,
    ]);
  });

  it('is dead beside a Sentinel that is silent is left to the others, and the run goes on from what they did', async () => {
    workers.start();
    await systems.fleet.stop('sentinel-s3');
    await impatient('s1', 's2');
    await fleet.breakRedis('primary', 'kill');
    const report = await fleet.reaches(await start('redis-failover'), 'needs attention');
    expect(stepOf(report, 'Hold the Sentinels back')?.sentence).toMatch(
      /^the Sentinels (could not be held back, and )?have made m\d the primary/,
    );
    expect(report.sentence).toContain('Have the Sentinels watch'); // the silent one does not
    expect(effects()).not.toContainEqual(expect.stringContaining('promote'));
    await systems.fleet.start('sentinel-s3');
    await fleet.operations.decide(report.run, 'retry', { by: 'ada', reason: 'it is back' });
    await fleet.reaches(report.run, 'recovered');
  });

  it('hangs is touched by no plan, which says what would be done', async () => {
    workers.start();
    await fleet.breakRedis('primary', 'hang');
    const { plan } = await fleet.reaches(await start('redis-failover', {}, 'plan'), 'planned');
    expect(plan?.changes).toEqual([
      expect.stringMatching(new RegExp(`^would kill the process of ${primary} \\(pid \\d+\\)$`)),
      'would hold the Sentinels back',
      expect.stringMatching(/^would make m\d the primary, and the others follow it$/),
      expect.stringMatching(/^would have the Sentinels watch m\d$/),
      expect.stringMatching(/^would make m\d and m\d follow m\d$/),
    ]);
    expect(effects()).toEqual([]);
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
  const promote = (fenced: Fenced | undefined) => {
    const { promoteMostAhead } = cacheActs({ cache: systems } as unknown as Deps);
    const order = { primary, fenced, how: { mode: 'execute' as const, key: 'test' } };
    return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(
      promoteMostAhead,
      order,
    );
  };

  it.each([
    ['without evidence', () => undefined, /there is no evidence that it is fenced$/],
    ['upon evidence about another', () => evidence('m0'), /the evidence is of m0$/],
    ['upon evidence that does not hold', () => evidence(primary), /it was fenced at .*, but is not any more/],
  ])('%s nobody is promoted', async (_, fenced, why) => {
    await expect(promote(fenced())).rejects.toMatchObject({
      code: 'NOT_FENCED',
      message: expect.stringMatching(why),
    });
    expect(await verdict()).toMatchObject({ primary, absent: [] });
  });

  it('a primary that only hangs is not fenced, whatever the evidence says', async () => {
    await fleet.breakRedis('primary', 'hang');
    await expect(promote(evidence(primary))).rejects.toMatchObject({ code: 'NOT_FENCED' });
  });

  it('nobody is promoted while a Sentinel is free to promote another one', async () => {
    await fleet.breakRedis('primary', 'kill');
    await expect(promote(evidence(primary))).rejects.toMatchObject({
      code: 'GUARD_REFUSED',
      message: expect.stringContaining('s1 and s2 and s3 may make another one it meanwhile'),
    });
  });

  it('a worker killed between the two looks again before anybody takes over, and nothing is done twice', async () => {
    const worker = workers.start({ death: 'cache.promote begin' });
    await fleet.breakRedis('primary', 'hang');
    const run = await start('redis-failover');
    const end = until(
      `${run} is over`,
      async (): Promise<false | RunReport> => {
        const report = await fleet.operations.show(run);
        return isOver(report.state) && report;
      },
      80_000,
    );
    await Promise.race([worker.exited, end]);
    workers.start();
    expect(await end).toMatchObject({ state: 'recovered' });
    const [now, third] = await succession(primary);
    expect(effects()).toEqual(failover(primary, now, third));
  });
});

describe('redis-switchover', () => {
  it('under load: the member that is named takes over, and no acknowledged write is lost', async () => {
    workers.start();
    await writing();
    const to = primary === 'm2' ? 'm3' : 'm2';
    const report = await fleet.reaches(await start('redis-switchover', { to }), 'succeeded');
    expect(report.sentence).toBe(`${to} took over from ${primary}, which follows it now`);
    const [, third] = await succession(primary);
    expect(effects()).toEqual([
      'holdSentinels ',
      `handOver ${primary} ${to}`,
      `watch ${to}`,
      `follow ${third} ${to}`,
    ]);
    expect(await book()).toMatchObject({ lost: [] });
  });

  it('forced, fences the primary although it is well, and no acknowledged write is lost', async () => {
    workers.start();
    await writing();
    const run = await testRuns(() => fleet).startForced('redis-switchover', {});
    const report = await fleet.reaches(run, 'succeeded');
    const [now, third] = await succession(primary);
    expect(report.sentence).toBe(`${now} took over from ${primary}, which follows it now`);
    expect(effects()).toEqual(failover(primary, now, third));
    expect(await book()).toMatchObject({ lost: [] });
  });

  it('is refused while the store is not whole', async () => {
    workers.start();
    await fleet.breakRedis('replica', 'kill');
    const report = await fleet.reaches(await start('redis-switchover'), 'refused');
    expect(report.sentence).toMatch(/^store is whole: .* does not follow it$/);
    expect(effects()).toEqual([]);
  });

  it('to nobody that there is fails, and names who there is', async () => {
    workers.start();
    const report = await fleet.reaches(await start('redis-switchover', { to: 'm9' }), 'needs attention');
    expect(report.sentence).toContain('"m9" is not a member of the session store; there are m1, m2, m3');
    await fleet.operations.decide(report.run, 'abort', { by: 'ada', reason: 'test' });
  });
});
