import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import { sessionsProgram } from '../../core/topology';
import { breakPart, down, healPart, status, up, type RedisPart, type Target } from '../../sandbox';
import { sessionMembers, sharedAddresses } from '../../sandbox/layout';
import { startSessionsWriter } from '../../sandbox/load/writes';
import { allProcesses } from '../../sandbox/proc';
import { initialize, smallSandbox, useSandbox } from '../harness/sandbox';
import { until } from '../harness/until';

const options = { ...smallSandbox(5), sentinel: true, sentinelDownAfter: 1_000 };
const sandbox = useSandbox(options);
const at = sharedAddresses(options.block);
const members = sessionMembers(options.block);

const part = (name: RedisPart): Target => ({ kind: 'redis', part: name });
const heal = () => healPart(options, part('primary'));

/** A question to the Redis at host:port. @throws where it is not answered in time */
async function ask<T>(address: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const url = new URL(sandbox().sessionsUrl);
  url.host = address;
  const redis = new Redis(url.href, {
    lazyConnect: true,
    connectTimeout: 500,
    commandTimeout: 500,
    disconnectTimeout: 100,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** `primary`, `replica`, or undefined of a member that does not answer. */
async function roleOf(name: string): Promise<string | undefined> {
  const { redis: address } = members.find((member) => member.name === name)!;
  const role = await ask(address, (redis) => redis.role()).catch(() => undefined);
  return role && (role[0] === 'master' ? 'primary' : 'replica');
}

/** The notes of `sandbox status`, by program. */
async function notes(): Promise<Record<string, string>> {
  const { parts } = await status(options);
  return Object.fromEntries(parts.flatMap(({ program, note }) => (note ? [[program, note]] : [])));
}

async function primary(): Promise<string> {
  const found = Object.entries(await notes()).find(([, note]) => note === 'primary')!;
  return found[0].replace('sessions-', '');
}

/** The member that the Sentinels made the primary instead, once clients are led to it. */
async function succeeded(former: string): Promise<string> {
  return until(`${former} has a successor`, async () => {
    await ask(at.redis, (redis) => redis.set('test', 'succeeded'));
    const now = await primary();
    return now !== former && now;
  });
}

const processOf = async (member: string) =>
  (await allProcesses()).find(
    ({ command, alive }) => alive && command.includes(`${options.dir}/${sessionsProgram(member)}.conf`),
  );

async function pids(): Promise<Record<string, number>> {
  return Object.fromEntries((await status(options)).parts.map(({ program, pid }) => [program, pid]));
}

describe('up', () => {
  test('a primary, two replicas that lag by nothing, and Sentinels that agree on it', async () => {
    const seen = await notes();
    const first = await primary();
    expect(Object.values(seen).sort()).toEqual([
      'primary',
      ...Array(2).fill(expect.stringMatching(/^replica, lag \d+ B$/)),
      ...Array(3).fill(`watches ${first}`),
    ]);
  });

  test('a write is acknowledged by a replica; MCP sessions are in it', async () => {
    const copies = await ask(at.redis, async (redis) => {
      await redis.set('test', 'up');
      return redis.wait(1, 500);
    });
    expect(copies).toBeGreaterThan(0);
    expect(await initialize(sandbox().urls.mcp['us-east-1']!)).toBe(200);
    const sessions = await ask(at.redis, (redis) => redis.keys('mcp:session:*'));
    expect(sessions.length).toBeGreaterThan(0);
  });

  test('nobody gets in without a password, and none stands on a command line', async () => {
    const [host, port] = members[0]!.redis.split(':');
    const stranger = connect({ host, port: Number(port) });
    stranger.end('GET test\r\n');
    expect(await text(stranger)).toContain('NOAUTH');
    const { password } = new URL(sandbox().sessionsUrl);
    const commands = (await allProcesses()).map(({ command }) => command);
    expect(commands.filter((command) => command.includes(password))).toEqual([]);
  });

  test('again: starts nothing', async () => {
    const before = await pids();
    await up(options);
    expect(await pids()).toEqual(before);
  });
});

describe('the primary', () => {
  let former: string;
  beforeEach(async () => {
    former = await primary();
  });
  afterEach(async () => {
    expect(await heal()).toMatch(/^the session store serves: sessions-m\d is the primary/);
    const seen = await notes();
    const now = await primary();
    const watching = members.map(({ watcher }) => seen[`sentinel-${watcher}`]);
    expect(watching).toEqual(members.map(() => `watches ${now}`));
    const roles = await Promise.all(members.map(({ name }) => roleOf(name)));
    expect(roles.map(String).sort()).toEqual(['primary', 'replica', 'replica']);
  });

  test('killed: the Sentinels make another one it, and what they do is in the writer’s book', async () => {
    const writer = startSessionsWriter({ url: sandbox().sessionsUrl, rate: 200, timeoutMs: 1_000 });
    let broken: number;
    try {
      await until('writes are acknowledged', () => writer.snapshot().acknowledged > 100);
      expect(await breakPart(options, part('primary'), 'kill')).toMatch(
        new RegExp(`^sessions-${former} was killed .* it was the primary$`),
      );
      broken = Date.now();
      expect([await roleOf(former), await processOf(former)]).toEqual([undefined, undefined]);
      expect((await status(options)).state).toBe('degraded');
      await succeeded(former);
      await until('writes are acknowledged again', () => writer.firstAcknowledgedAfter(broken) !== null);
    } finally {
      await writer.stop();
    }
    const { acknowledged, unknown, longestGapMs } = writer.snapshot();
    expect(longestGapMs).toBeGreaterThan(500);
    const { stored, lost, unknownStored } = await writer.compare();
    expect(stored).toBe(acknowledged - lost.length + unknownStored);
    expect(unknownStored).toBeLessThanOrEqual(unknown);
  });

  test('hung: it takes connections and never answers; healed, it follows its successor', async () => {
    await breakPart(options, part('primary'), 'hang');
    expect(await roleOf(former)).toBeUndefined();
    expect((await processOf(former))?.hung).toBe(true);
    const successor = await succeeded(former);
    await heal();
    expect([await roleOf(former), await roleOf(successor)]).toEqual(['replica', 'primary']);
  });

  const asRoot = process.getuid?.() === 0 ? test : test.skip;
  asRoot('partitioned: nobody reaches it though it runs, and another one takes over', async () => {
    await breakPart(options, part('primary'), 'partition');
    expect(await roleOf(former)).toBeUndefined();
    expect(await processOf(former)).toMatchObject({ hung: false });
    await succeeded(former);
  });
});

describe('a replica', () => {
  afterEach(heal);

  test.each(['kill', 'hang'])('%s: writes are acknowledged by the other one', async (fault) => {
    const said = await breakPart(options, part('replica'), fault);
    const victim = /sessions-(m\d)/.exec(said)![1]!;
    expect(await roleOf(victim)).toBeUndefined();
    const copies = await ask(at.redis, async (redis) => {
      await redis.set('test', fault);
      return redis.wait(1, 400);
    });
    expect(copies).toBe(1);
  });
});

test('a write that was acknowledged and is gone is counted as lost', async () => {
  const writer = startSessionsWriter({ url: sandbox().sessionsUrl, rate: 200 });
  await until('writes are acknowledged', () => writer.snapshot().acknowledged > 10);
  const { failed, unknown, acknowledged } = await writer.stop();
  expect({ failed, unknown }).toEqual({ failed: 0, unknown: 0 });
  expect((await writer.compare()).lost).toEqual([]);
  await ask(at.redis, (redis) => redis.hdel(`ledger:${writer.run}`, '7'));
  expect(await writer.compare()).toEqual({ lost: [7], stored: acknowledged - 1, unknownStored: 0 });
});

test.each<[RedisPart, string, string]>([
  ['primary', 'flood', 'there are kill, hang, partition'],
  ['replica', 'partition', '"partition" is none of a redis/replica; there are kill, hang'],
])('redis/%s cannot have the fault %s', async (name, fault, message) => {
  await expect(breakPart(options, part(name), fault)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining(message),
  });
});

test('down leaves no process behind, not even one that hangs', async () => {
  await breakPart(options, part('primary'), 'hang');
  await down(options);
  const left = (await allProcesses()).filter(({ command, alive }) => alive && command.includes(options.dir));
  expect(left).toEqual([]);
});
