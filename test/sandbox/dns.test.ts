import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { route53 } from '../../activities/adapters/route53';
import type { Dns } from '../../activities/ports';
import { ConfigSchema, type Config } from '../../core/config';
import { weightsOf } from '../../core/dns';
import { problems } from '../../core/schema';
import { breakPart, healPart, status, up, type Progress } from '../../sandbox';
import { DNS_KEY_VARIABLES } from '../../sandbox/environment';
import { REGIONS, balancerAddresses, sharedAddresses } from '../../sandbox/layout';
import { startLoad, type Load } from '../../sandbox/load';
import { smallSandbox, useSandbox } from '../harness/sandbox';
import { until } from '../harness/until';

const TTL_S = 2;
const options = { ...smallSandbox(33), sparesPerZone: 0, dns: true, dnsTtl: TTL_S, dnsChecks: '200ms/2' };
const sandbox = useSandbox(options);
const at = sharedAddresses(options.block);
const [east, central, south] = REGIONS.map(
  (_, index) => balancerAddresses(options.block, index).frontend.split(':')[0]!,
) as [string, string, string];

const SHARES = Object.fromEntries(REGIONS.map(({ name, weight }) => [name, weight]));
const AWAY = { 'us-east-1': 0, 'eu-central-1': 70, 'ap-southeast-1': 30 };

/** The adapter that the environment file describes. */
async function dns(): Promise<Dns> {
  const { env, configPath } = sandbox();
  const config = parse(await readFile(configPath, 'utf8')) as Config;
  expect(problems(ConfigSchema, config)).toEqual([]);
  const { id, secret } = DNS_KEY_VARIABLES;
  return route53(config.dns!, { accessKeyId: env[id]!, secretAccessKey: env[secret]! });
}

/** The addresses that the nameserver gives in 30 questions. */
async function answered(): Promise<string[]> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([at.dns]);
  const answers = await Promise.all(Array.from({ length: 30 }, () => resolver.resolve4('fleet.mcp.test')));
  return [...new Set(answers.flat())].sort();
}

const areAnswered = (...addresses: string[]) =>
  until(`${addresses.join(', ')} are answered`, async () => (await answered()).join() === addresses.join());

async function notes(): Promise<Record<string, string>> {
  const { parts } = await status(options);
  return Object.fromEntries(parts.flatMap(({ program, note }) => (note ? [[program, note]] : [])));
}

describe('up', () => {
  test('the fleet’s name leads to every region by its weight, with a health check each; status tells', async () => {
    const { records, ttlS } = await (await dns()).look();
    expect(records).toEqual(
      REGIONS.map(({ name, weight }, index) => ({
        region: name,
        weight,
        addresses: [[east, central, south][index]],
        healthCheck: expect.any(String),
      })),
    );
    expect(ttlS).toBe(TTL_S);
    await areAnswered(east, central, south);
    expect(await notes()).toMatchObject({
      route53: 'us-east-1 40, eu-central-1 35, ap-southeast-1 25',
      dns: expect.stringMatching(/^fleet\.mcp\.test\. is 127\.\d+\.0\.1, for 2 s$/),
    });
  });

  test('again: starts nothing and leaves weights as they were made', async () => {
    await (await dns()).shift(AWAY, 'test');
    const seen: Progress[] = [];
    await up(options, (progress) => seen.push(progress));
    expect(seen.filter(({ state }) => state === 'starting')).toEqual([]);
    expect(weightsOf(await (await dns()).look())).toEqual(AWAY);
    await areAnswered(central, south);
  });

  test('the emulator forgets everything when it ends: meanwhile the last answers hold, and up makes the name again', async () => {
    const { parts } = await status(options);
    process.kill(parts.find(({ program }) => program === 'route53')!.pid, 'SIGKILL');
    await until('it is gone', async () => (await status(options)).state === 'degraded');
    expect(await answered()).toEqual([central, south]);
    await up(options);
    expect(weightsOf(await (await dns()).look())).toEqual(SHARES);
    await areAnswered(east, central, south);
  });
});

describe('a region whose load balancer is dead', () => {
  const target = { kind: 'lb', region: 'eu-central-1' } as const;
  afterEach(() => healPart(options, target));

  test('is left out by its health check, and comes back', async () => {
    await breakPart(options, target, 'kill');
    await areAnswered(east, south);
    await healPart(options, target);
    await areAnswered(east, central, south);
  });
});

describe('clients that go by the name', () => {
  let load: Load | undefined;
  afterEach(async () => {
    await load?.stop();
    await healPart(options, { kind: 'lb', region: 'eu-central-1' });
  });

  const held = (): string[] => [...new Set(load!.held().map(({ address }) => address))].sort();

  test('leave a region within the TTL of a shift, unnoticed; a dead one only when what they hold has expired', async () => {
    const name = await dns();
    await name.shift(SHARES, 'test');
    const [, port] = balancerAddresses(options.block, 0).frontend.split(':');
    load = startLoad({
      url: `http://fleet.mcp.test:${port}/mcp`,
      nameserver: at.dns,
      clients: 20,
      ratePerClient: 5,
    });
    await until('every region has clients', () => held().length === 3);
    await name.shift({ ...AWAY, 'ap-southeast-1': 0 }, 'test');
    await until('all have moved', () => held().join() === central);
    const { ok } = load.snapshot();
    await until('calls go on', () => load!.snapshot().ok > ok + 40);
    expect(load.snapshot()).toMatchObject({ failed: 0, sessionsLost: 0 });

    await name.shift({ 'us-east-1': 100 }, 'test');
    await breakPart(options, { kind: 'lb', region: 'eu-central-1' }, 'kill');
    const expiry = new Map<number, number>();
    const early: number[] = [];
    load.held().forEach(({ expiresAt }, client) => expiry.set(client, expiresAt));
    load.events.on('moved', (client) => {
      if (Date.now() < (expiry.get(client) ?? 0)) early.push(client);
    });
    await until('all have moved again', () => held().join() === east);
    expect(early).toEqual([]);
    const before = load.snapshot().ok;
    await until('calls go on', () => load!.snapshot().ok > before + 40);
    expect(load.snapshot().failures['refused']).toBeGreaterThan(0);
  });
});
