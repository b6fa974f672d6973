import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { prober } from '../../../activities/adapters/prober';
import { route53 } from '../../../activities/adapters/route53';
import type { Deps } from '../../../activities/deps';
import { dnsLooks } from '../../../activities/dns/looks';
import { dnsTraffic } from '../../../activities/dns/traffic';
import type { Dns } from '../../../activities/ports';
import { weightsOf } from '../../../core/dns';
import type { Mode } from '../../../core/run';
import { environmentFile } from '../../../sandbox/environment';
import { REGIONS, balancerAddresses } from '../../../sandbox/layout';
import { DEFAULTS } from '../../../sandbox/settings';
import { startBackend, type TestBackend } from '../../harness/haproxy';
import type { TestProcess } from '../../harness/process';
import { KEYS, recordSet, startNameserver, startRoute53, type TestRoute53 } from '../../harness/route53';
import { until } from '../../harness/until';

/**
 * The acts on a real emulator of Route 53 and the sandbox's nameserver. What answers for the load balancers says that it is well; a
 * region is broken by ending it.
 */
const BLOCK = 128;
const NAME = 'fleet.mcp.test.';
const TTL_S = 1;
const ALL = { 'us-east-1': 40, 'eu-central-1': 35, 'ap-southeast-1': 25 };
const AWAY = { 'us-east-1': 0, 'eu-central-1': 70, 'ap-southeast-1': 30 };
const frontends = REGIONS.map((_, index) => balancerAddresses(BLOCK, index).frontend);

let emulator: TestRoute53;
let nameserver: TestProcess;
const balancers: (TestBackend | undefined)[] = [];
let dns: Dns;
/** The keys of the changes that were sent. */
let shifts: string[];
let acts: ReturnType<typeof dnsTraffic> & ReturnType<typeof dnsLooks>;

beforeAll(async () => {
  emulator = await startRoute53(`127.${BLOCK}.0.24`);
  await reset();
  nameserver = startNameserver(`127.${BLOCK}.0.23`, emulator);
  const config = environmentFile({ ...DEFAULTS, block: BLOCK, dnsTtl: TTL_S });
  const real = route53(config.dns!, KEYS);
  dns = {
    ...real,
    shift: (weights, key) => {
      shifts.push(key);
      return real.shift(weights, key);
    },
  };
  const deps = { config, dns, prober: prober({ timeoutMs: 1_000 }) } as Partial<Deps> as Deps;
  acts = { ...dnsTraffic(deps), ...dnsLooks(deps) };
});
beforeEach(async () => {
  shifts = [];
  for (const index of frontends.keys()) balancers[index] ??= await serve(index);
  await reset();
});
afterAll(async () => {
  for (const { name } of REGIONS) await fail(name);
  await nameserver.kill();
  await emulator.stop();
});

const serve = (index: number) => startBackend(frontends[index]!, (_, response) => response.end('ready'));
async function fail(region: string): Promise<void> {
  const index = REGIONS.findIndex(({ name }) => name === region);
  await balancers[index]?.stop();
  balancers[index] = undefined;
}

const reset = () =>
  emulator.change(
    'UPSERT',
    ...REGIONS.map(({ name, weight }, index) =>
      recordSet(NAME, frontends[index]!.split(':')[0]!, { SetIdentifier: name, Weight: weight, TTL: TTL_S }),
    ),
  );

/** As within an activity: heartbeats go somewhere. */
const run = <T>(work: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(work);
const how = (mode: Mode = 'execute') => ({ mode, key: 'run/step' });
const shift = (weights: Record<string, number>, mode?: Mode) =>
  run(() => acts.shiftTraffic({ weights, how: how(mode) }));
const weights = async () => weightsOf(await dns.look());

describe('shiftTraffic', () => {
  it('gives the weights in one change and says what changed; again it sends nothing', async () => {
    expect(await shift(AWAY)).toMatchObject({
      changed: true,
      sentence:
        'fleet.mcp.test. was shifted: us-east-1 40→0, eu-central-1 35→70, ap-southeast-1 25→30; every nameserver has it',
    });
    expect(await weights()).toEqual(AWAY);
    expect(await shift(AWAY)).toMatchObject({
      changed: false,
      sentence: 'fleet.mcp.test. has us-east-1 0, eu-central-1 70, ap-southeast-1 30',
    });
    expect(shifts).toEqual(['run/step']);
  });

  it('in a plan changes nothing, and predicts', async () => {
    expect(await shift(AWAY, 'plan')).toMatchObject({
      changed: true,
      sentence: 'would shift fleet.mcp.test.: us-east-1 40→0, eu-central-1 35→70, ap-southeast-1 25→30',
    });
    expect([await weights(), shifts]).toEqual([ALL, []]);
  });

  it.each<Mode>(['execute', 'plan'])('is refused where nobody would serve, also in mode %s', async (mode) => {
    await fail('eu-central-1');
    await expect(shift({ 'us-east-1': 0, 'ap-southeast-1': 0 }, mode)).rejects.toMatchObject({
      code: 'GUARD_REFUSED',
      message:
        'some region serves: fleet.mcp.test. must not lead to eu-central-1 alone: nobody serves there; us-east-1 and ap-southeast-1 would, at weight 0',
    });
    expect([await weights(), shifts]).toEqual([ALL, []]);
  });

  it('leaves a region that is down, which is what it is for', async () => {
    await fail('us-east-1');
    expect(await shift(AWAY)).toMatchObject({ changed: true });
  });

  it('whose change was made though its answer was lost is found done', async () => {
    const { shift: real } = dns;
    dns.shift = async (...change) => {
      await real(...change);
      throw new Error('no answer');
    };
    try {
      await expect(shift(AWAY)).rejects.toThrow('no answer');
    } finally {
      dns.shift = real;
    }
    expect(await shift(AWAY)).toMatchObject({ changed: false });
    expect(shifts).toHaveLength(1);
  });

  it.each([
    [{ 'us-east-1': 256 }, 'from 0 to 255'],
    [{ 'us-west-2': 1 }, 'no record set for "us-west-2"'],
    [{ 'us-east-1': 0, 'eu-central-1': 0, 'ap-southeast-1': 0 }, 'weight above 0'],
  ])('%j is bad input', async (wrong, message) => {
    const wanted: Record<string, number> = wrong;
    await expect(shift(wanted, 'plan')).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(message),
    });
  });
});

describe('lookAtDns', () => {
  it('tells the weights and who does not serve', async () => {
    await fail('ap-southeast-1');
    const { sentence, value } = await run(() => acts.lookAtDns());
    expect(sentence).toMatch(
      /^fleet\.mcp\.test\. has us-east-1 40, eu-central-1 35, ap-southeast-1 25; ap-southeast-1 does not serve \(connection refused/,
    );
    expect(value.serving.map(({ ok }) => ok)).toEqual([true, true, false]);
  });
});

describe('the proof', () => {
  it('waits until every nameserver answers by the weights, and tells until when earlier answers are kept', async () => {
    await shift(AWAY);
    const { sentence, value } = await run(() => acts.proveDns({ weights: AWAY }));
    expect(sentence).toMatch(
      /^its nameserver answers fleet\.mcp\.test\. with .* and nothing else; earlier answers may be kept for 1 s$/,
    );
    expect(Object.keys(value.regions).sort()).toEqual(['ap-southeast-1', 'eu-central-1']);
    expect(Date.parse(value.freshAt) - Date.parse(value.provenAt)).toBe(TTL_S * 1_000);
    const awaited = await run(() => acts.awaitDns({ weights: AWAY, until: value.freshAt }));
    expect(awaited.sentence).toMatch(/^the TTL has passed; in \d+ looks nobody answered anything but /);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(value.freshAt));
  });

  it('fails where the zone has other weights', async () => {
    await expect(run(() => acts.proveDns({ weights: AWAY }))).rejects.toMatchObject({
      code: 'VERIFY_FAILED',
      message: expect.stringContaining('us-east-1 40→0'),
    });
  });

  it('ends at once where a region is answered that must not be', async () => {
    await shift(AWAY);
    await run(() => acts.proveDns({ weights: AWAY }));
    // The nameserver is hung while the weights change, and so answers by the old ones at first.
    nameserver.signal('SIGSTOP');
    await shift({ 'us-east-1': 100, 'eu-central-1': 0, 'ap-southeast-1': 0 });
    const far = new Date(Date.now() + 60_000).toISOString();
    const only = { 'us-east-1': 100, 'eu-central-1': 0, 'ap-southeast-1': 0 };
    const awaiting = run(() => acts.awaitDns({ weights: only, until: far }));
    nameserver.signal('SIGCONT');
    await expect(awaiting).rejects.toMatchObject({
      code: 'VERIFY_FAILED',
      message: expect.stringMatching(/answers (eu-central-1|ap-southeast-1) \((once|\d+ times)\)/),
    });
    await until('it answers by the new weights', async () => {
      const [answers] = await dns.answers();
      return Object.keys(answers!.addresses).length === 1;
    });
  });

  it('waits for a region that is answered to serve', async () => {
    await fail('ap-southeast-1');
    await shift({ 'us-east-1': 0, 'eu-central-1': 1, 'ap-southeast-1': 255 });
    const wanted = { 'us-east-1': 0, 'eu-central-1': 1, 'ap-southeast-1': 255 };
    let proven = false;
    const proving = run(() => acts.proveDns({ weights: wanted })).then((proof) => {
      proven = true;
      return proof;
    });
    await until('the weights are answered', async () => {
      const [answers] = await dns.answers();
      return (answers!.addresses[frontends[2]!.split(':')[0]!] ?? 0) > 10;
    });
    expect(proven).toBe(false);
    balancers[2] = await serve(2);
    expect((await proving).value.regions['ap-southeast-1']).toBeGreaterThan(0);
  });
});
