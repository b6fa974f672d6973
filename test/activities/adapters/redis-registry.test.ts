import { redisRegistry } from '../../../activities/adapters/redis-registry';
import type { Registry, RegistryMember } from '../../../activities/ports';
import type { RegistryConfig } from '../../../core/config';
import { startRedis, type TestRedis } from '../../harness/redis';
import { until } from '../../harness/until';

const HOSTS = { r1: '127.130.6.1', r2: '127.130.6.2' };
const NOWHERE = '127.130.6.9:6379';

let r1: TestRedis;
let r2: TestRedis;

beforeEach(async () => {
  [r1, r2] = await Promise.all([startRedis(HOSTS.r1), startRedis(HOSTS.r2)]);
  await Promise.all([r1, r2].map(({ client }) => client.config('SET', 'repl-diskless-sync-delay', '0')));
});
afterEach(() => Promise.all([r1.stop(), r2.stop()]));

/** A registry whose clients use this address. */
function registryAt(address: string, more: Partial<RegistryConfig> = {}, password?: string): Registry {
  const members = { r1: `${HOSTS.r1}:6379`, r2: `${HOSTS.r2}:6379` };
  const fleet = { kind: 'supervisord' as const, url: 'http://none', user: 'none', password: { env: 'NONE' } };
  return redisRegistry({ kind: 'redis', url: `redis://${address}`, members, fleet, ...more }, password);
}

const registry = registryAt(`${HOSTS.r1}:6379`);

async function member(name: string): Promise<RegistryMember> {
  return (await registry.members()).find((one) => one.member === name)!;
}

/** Waits until r2 has everything that r1 has. */
async function linked(): Promise<void> {
  await registry.follow('r2', 'r1');
  await until('r2 follows r1', async () => {
    const { link } = await member('r2');
    return link?.up && !link.copying;
  });
}

it('tells who is the primary, who follows it, and how far it is', async () => {
  await r1.client.set('mcp:node:us-east-1/a/n1', '{}');
  await linked();
  await until('they are equally far', async () => {
    const [one, two] = await registry.members();
    return one!.offset === two!.offset;
  });
  expect(await registry.members()).toMatchObject([
    { member: 'r1', reachable: true, role: 'primary', said: 'primary, 1 standbys' },
    {
      member: 'r2',
      reachable: true,
      role: 'standby',
      said: 'standby of r1, link up',
      link: { to: 'r1', up: true, copying: false, silentS: expect.any(Number) },
    },
  ]);
});

it('a killed primary is not reachable, and its standby says for how long it has not heard of it', async () => {
  await linked();
  await r1.process.kill();
  await until('r2 has noticed', async () => (await member('r2')).link?.up === false);
  expect(await registry.members()).toMatchObject([
    { member: 'r1', reachable: false, said: 'connection refused' },
    { member: 'r2', link: { to: 'r1', up: false, silentS: expect.any(Number) } },
  ]);
});

it('a hung primary is told within a second', async () => {
  await linked();
  r1.process.signal('SIGSTOP');
  const began = performance.now();
  expect(await member('r1')).toMatchObject({ reachable: false, said: 'no answer within 800 ms' });
  await expect(registry.write()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  expect(performance.now() - began).toBeLessThan(2 * 1_000);
});

it('a standby that never had a link says so', async () => {
  const [host, port] = NOWHERE.split(':');
  await r2.client.replicaof(host!, Number(port));
  const { said, link } = await member('r2');
  expect(said).toBe(`standby of ${NOWHERE}, link down that it never had`);
  expect(link).toEqual({ up: false, copying: false });
});

it('promoted, a standby takes writes and keeps what it had; the other one can follow it', async () => {
  await r1.client.set('mcp:node:us-east-1/a/n1', '{}');
  await linked();
  await registry.promote('r2');
  await registry.promote('r2');
  await registry.follow('r1', 'r2');
  await until('r1 follows r2', async () => (await member('r1')).link?.up);
  const clients = registryAt(`${HOSTS.r2}:6379`);
  expect(await clients.write()).toBeGreaterThanOrEqual(0);
  expect(await clients.registered()).toEqual(['us-east-1/a/n1']);
});

it('nodes are listed by id, however many, and nothing else is', async () => {
  const ids = Array.from({ length: 2_500 }, (_, i) => `us-east-1/a/n${i}`);
  await r1.client.mset(Object.fromEntries(ids.map((id) => [`mcp:node:${id}`, '{}'])));
  await r1.client.set('other', '1');
  expect(await registry.registered()).toEqual(ids.sort());
});

it('a write that a standby refuses is an error in its words', async () => {
  await linked();
  await expect(registryAt(`${HOSTS.r2}:6379`).write()).rejects.toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    message: expect.stringContaining("READONLY You can't write against a read only replica"),
  });
});

it('a password is used, and a wrong one is told', async () => {
  await r1.client.config('SET', 'requirepass', 'correct horse');
  const url = `${HOSTS.r1}:6379`;
  expect(await registryAt(url, {}, 'correct horse').registered()).toEqual([]);
  const [first] = await registryAt(url, {}, 'wrong').members();
  expect(first).toMatchObject({ member: 'r1', reachable: false, said: expect.stringContaining('WRONGPASS') });
});

it('a member that is none is refused by name', async () => {
  await expect(registry.promote('r9')).rejects.toMatchObject({
    code: 'UNKNOWN_TARGET',
    message: '"r9" is not a member of the registry; there are r1, r2',
  });
});
