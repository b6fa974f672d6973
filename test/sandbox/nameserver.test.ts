import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import {
  CreateHealthCheckCommand,
  UpdateHealthCheckCommand,
  type HealthCheckConfig,
} from '@aws-sdk/client-route-53';
import { Packet } from 'dns2';
import { choose } from '../../sandbox/dns/choose';
import { startBackend, type TestBackend } from '../harness/haproxy';
import type { TestProcess } from '../harness/process';
import { recordSet, startNameserver, startRoute53, type TestRoute53 } from '../harness/route53';
import { until } from '../harness/until';

/** The nameserver of the sandbox on a real emulator of Route 53. Its addresses are those of block 124. */
const HOST = '127.124.0.23';
const [EAST, CENTRAL, SOUTH] = ['127.125.0.1', '127.126.0.1', '127.127.0.1'] as const;

let route53: TestRoute53;
let nameserver: TestProcess;
let backend: TestBackend | undefined;
/** What the backend on EAST answers. */
let status = 200;

beforeAll(async () => {
  route53 = await startRoute53('127.124.0.24');
  await route53.change(
    'CREATE',
    recordSet('weighted.mcp.test.', EAST, { SetIdentifier: 'east', Weight: 90 }),
    recordSet('weighted.mcp.test.', CENTRAL, { SetIdentifier: 'central', Weight: 10 }),
    recordSet('latency.mcp.test.', EAST, { SetIdentifier: 'east', Region: 'us-east-1' }),
    recordSet('latency.mcp.test.', CENTRAL, { SetIdentifier: 'central', Region: 'eu-central-1' }),
    recordSet('simple.mcp.test.', EAST, { ResourceRecords: [{ Value: EAST }, { Value: SOUTH }] }),
    ...[EAST, CENTRAL, SOUTH].map((address) =>
      recordSet('several.mcp.test.', address, { SetIdentifier: address, MultiValueAnswer: true }),
    ),
    { Name: 'alias.mcp.test.', Type: 'CNAME', TTL: 60, ResourceRecords: [{ Value: 'simple.mcp.test.' }] },
  );
  nameserver = startNameserver(HOST, route53);
  await until('the nameserver answers', () => ask('simple.mcp.test'));
});
afterEach(async () => {
  await backend?.stop();
  backend = undefined;
});
afterAll(async () => {
  await nameserver.kill();
  await route53.stop();
});

function resolver(from?: string): Resolver {
  const own = new Resolver({ timeout: 1_000, tries: 1 });
  own.setServers([`${HOST}:53`]);
  if (from) own.setLocalAddress(from);
  return own;
}

async function ask(name: string, from?: string): Promise<string[]> {
  return (await resolver(from).resolve4(name)).sort();
}

/** How often each address was answered first, in rounds of 20 questions at once. */
async function tally(name: string, rounds: number): Promise<Record<string, number>> {
  const own = resolver();
  const counts: Record<string, number> = {};
  for (let round = 0; round < rounds; round += 1) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => own.resolve4(name)));
    for (const [address = ''] of answers) counts[address] = (counts[address] ?? 0) + 1;
  }
  return counts;
}

/** A new check of what is on EAST. */
async function checkOf(more: Partial<HealthCheckConfig> = {}): Promise<string> {
  const HealthCheckConfig = {
    Type: 'HTTP' as const,
    IPAddress: EAST,
    Port: 8080,
    ResourcePath: '/health',
    FailureThreshold: 2,
    ...more,
  };
  const CallerReference = `${Math.random()}`;
  const made = await route53.client.send(
    new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig }),
  );
  return made.HealthCheck!.Id!;
}

const isAnswered = (name: string, ...addresses: string[]) =>
  until(`${name} is ${addresses.join(', ')}`, async () => (await ask(name)).join() === addresses.join());

describe('weights', () => {
  test('shares are as the weights, by a bound of five standard deviations', async () => {
    const { [EAST]: east = 0, [CENTRAL]: central = 0 } = await tally('weighted.mcp.test', 20);
    expect(east + central).toBe(400);
    expect(Math.abs(east - 360)).toBeLessThan(5 * Math.sqrt(400 * 0.9 * 0.1));
  });

  test('a shift is answered, and with it the TTL', async () => {
    await route53.change(
      'UPSERT',
      recordSet('weighted.mcp.test.', EAST, { SetIdentifier: 'east', Weight: 0, TTL: 7 }),
      recordSet('weighted.mcp.test.', CENTRAL, { SetIdentifier: 'central', Weight: 10, TTL: 7 }),
    );
    await until(
      'only the other one is answered',
      async () => (await tally('weighted.mcp.test', 2))[CENTRAL] === 40,
    );
    expect(await resolver().resolve4('weighted.mcp.test', { ttl: true })).toEqual([
      { address: CENTRAL, ttl: 7 },
    ]);
  });

  test('0 counts where no other is healthy; all 0 are alike; all unhealthy are answered by weight', () => {
    const sets = (...weights: number[]) =>
      weights.map((Weight, n) =>
        recordSet('x.', '127.0.0.1', { SetIdentifier: `${n}`, Weight, HealthCheckId: `${n}` }),
      );
    const chosen = (weights: number[], healthy: string[], random = 0.999): string | undefined =>
      choose(sets(...weights), { healthy: (id) => healthy.includes(id), random: () => random })[0]
        ?.SetIdentifier;
    expect(chosen([50, 0, 0], ['1', '2'])).toBe('2');
    expect(chosen([50, 0, 0], ['1', '2'], 0)).toBe('1');
    expect(chosen([0, 0, 0], ['0', '1', '2'], 0.5)).toBe('1');
    expect(chosen([50, 50, 0], [])).toBe('1');
    expect(chosen([50, 50, 10], ['0', '2'])).toBe('2');
  });
});

test('the nearest region is answered to where the question comes from', async () => {
  expect(await ask('latency.mcp.test', EAST)).toEqual([EAST]);
  expect(await ask('latency.mcp.test', CENTRAL)).toEqual([CENTRAL]);
  expect(await ask('latency.mcp.test', SOUTH)).toEqual([CENTRAL]);
});

test('several values, a name for another, and names that are not there', async () => {
  expect(await ask('simple.mcp.test')).toEqual([EAST, SOUTH]);
  expect(await ask('several.mcp.test')).toEqual([EAST, CENTRAL, SOUTH]);
  expect(await resolver().resolveCname('alias.mcp.test')).toEqual(['simple.mcp.test']);
  await expect(ask('nobody.mcp.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  await expect(resolver().resolve6('simple.mcp.test')).rejects.toMatchObject({ code: 'ENODATA' });
  await expect(ask('example.com')).rejects.toMatchObject({ code: 'EREFUSED' });
});

test('over TCP too', async () => {
  const query = new Packet();
  query.questions.push(new Packet.Question('simple.mcp.test', Packet.TYPE.A, Packet.CLASS.IN));
  const body = query.toBuffer();
  const socket = connect({ host: HOST, port: 53 });
  socket.end(Buffer.concat([Buffer.from([body.length >> 8, body.length & 0xff]), body]));
  const answer = Packet.parse(await Packet.readStream(socket));
  expect(answer.answers.map(({ address }) => address ?? '').sort()).toEqual([EAST, SOUTH]);
});

describe('health checks', () => {
  const health = () => startBackend(`${EAST}:8080`, (_, response) => response.writeHead(status).end());

  test('the secondary is answered while the primary is down; both down: the primary', async () => {
    backend = await health();
    const HealthCheckId = await checkOf();
    const secondary = { SetIdentifier: 'second', Failover: 'SECONDARY' as const };
    await route53.change(
      'CREATE',
      recordSet('failover.mcp.test.', EAST, { SetIdentifier: 'first', Failover: 'PRIMARY', HealthCheckId }),
      recordSet('failover.mcp.test.', CENTRAL, secondary),
    );
    await isAnswered('failover.mcp.test', EAST);
    await backend.stop();
    backend = undefined;
    await isAnswered('failover.mcp.test', CENTRAL);
    const SecondHealth = await checkOf({ IPAddress: CENTRAL });
    await route53.change(
      'UPSERT',
      recordSet('failover.mcp.test.', CENTRAL, { ...secondary, HealthCheckId: SecondHealth }),
    );
    await isAnswered('failover.mcp.test', EAST);
  });

  test('a status that is an error takes an address out; disabled it is back, inverted out again', async () => {
    backend = await health();
    const HealthCheckId = await checkOf();
    const several = { MultiValueAnswer: true };
    await route53.change(
      'CREATE',
      recordSet('checked.mcp.test.', EAST, { ...several, SetIdentifier: 'east', HealthCheckId }),
      recordSet('checked.mcp.test.', CENTRAL, { ...several, SetIdentifier: 'central' }),
    );
    await isAnswered('checked.mcp.test', EAST, CENTRAL);
    status = 503;
    await isAnswered('checked.mcp.test', CENTRAL);
    const update = (more: object) =>
      route53.client.send(new UpdateHealthCheckCommand({ HealthCheckId, ...more }));
    await update({ Disabled: true });
    await isAnswered('checked.mcp.test', EAST, CENTRAL);
    await update({ Disabled: true, Inverted: true });
    await isAnswered('checked.mcp.test', CENTRAL);
    status = 200;
  });
});

test('while the API is away it answers from memory', async () => {
  await route53.stop();
  await until('it has noticed', () => nameserver.output().includes('answers from memory'));
  expect(await ask('simple.mcp.test')).toEqual([EAST, SOUTH]);
});
