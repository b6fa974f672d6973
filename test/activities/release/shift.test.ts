import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { haproxy } from '../../../activities/adapters/haproxy';
import type { Deps } from '../../../activities/deps';
import type { LoadBalancer } from '../../../activities/ports';
import { releaseShift } from '../../../activities/release/shift';
import type { Mode } from '../../../core/run';
import { environmentFile } from '../../../sandbox/environment';
import { DEFAULTS } from '../../../sandbox/settings';
import { startBackend, startHaproxy, type TestBackend, type TestHaproxy } from '../../harness/haproxy';

/** Two nodes of a region behind a real HAProxy: n1 has the new release, n2 the old one. */
const region = 'us-east-1';
const ADDRESS = { 'a-n1': '127.130.8.11:8080', 'a-n2': '127.130.8.12:8080' };
const [green, blue] = [`${region}/a/n1`, `${region}/a/n2`];

let backends: TestBackend[];
let balancer: TestHaproxy;
let lb: LoadBalancer;

beforeAll(async () => {
  const listen = ([name, address]: [string, string]) =>
    startBackend(address, (_, response) => void response.end(name));
  backends = await Promise.all(Object.entries(ADDRESS).map(listen));
});
afterAll(() => Promise.all(backends.map((backend) => backend.stop())));

beforeEach(async () => {
  balancer = await startHaproxy('127.130.8.1', ADDRESS);
  lb = haproxy(balancer.config);
});
afterEach(() => balancer.stop());

const acts = (nodeCapacity = 500) => {
  const file = environmentFile(DEFAULTS);
  const config = { ...file, policies: { ...file.policies, nodeCapacity } };
  return releaseShift({ config, region: () => ({ loadBalancer: lb }) } as unknown as Deps);
};
/** An act as an activity. */
const performed =
  <Ask, Done>(act: (ask: Ask) => Promise<Done>) =>
  (ask: Ask): Promise<Done> =>
    new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR', () => undefined) }).run(
      act,
      ask,
    );
const lead = (share: number, mode: Mode = 'execute') =>
  performed(acts().leadTo)({ region, green: [green], blue: [blue], share, how: { mode, key: 'k' } });
const weights = async () =>
  (await lb.members()).map(({ server, admin, weight }) => `${server} ${admin} ${weight}`);

it.each([
  [10, ['a-n1 ready 11', 'a-n2 ready 100']],
  [50, ['a-n1 ready 100', 'a-n2 ready 100']],
  [100, ['a-n1 ready 100', 'a-n2 ready 0']],
  [0, ['a-n1 ready 0', 'a-n2 ready 100']],
])('%d %% of the clients are led to the new release', async (share, expected) => {
  await lb.admit('a-n1', 0);
  await lb.admit('a-n2', 70);
  expect(await lead(share)).toMatchObject({
    changed: true,
    sentence: `${share} % of the clients of us-east-1 are led to 1 nodes with the new release`,
  });
  expect(await weights()).toEqual(expected);
  expect(await lead(share)).toMatchObject({ changed: false });
});

/** Asks as these clients, all at once, and tells which backends answered how many of them. */
async function asked(clients: readonly string[]): Promise<Record<string, number>> {
  const answers = await Promise.all(
    clients.map(async (client) =>
      (await fetch('http://127.130.8.1:8080/', { headers: { 'mcp-session-id': client } })).text(),
    ),
  );
  return Object.fromEntries(
    [...new Set(answers)].map((one) => [one, answers.filter((other) => other === one).length]),
  );
}

it('clients whose sessions live long are led too: all of them call on, at the nodes to which they were led', async () => {
  const clients = Array.from({ length: 40 }, (_, i) => `client-${i}`);
  await lead(0);
  expect(await asked(clients)).toEqual({ 'a-n2': 40 });
  for (const [share, expected] of [
    [10, { 'a-n1': 4, 'a-n2': 36 }],
    [50, { 'a-n1': 20, 'a-n2': 20 }],
    [100, { 'a-n1': 40 }],
    [0, { 'a-n2': 40 }],
  ] as const) {
    await lead(share);
    expect(await asked(clients)).toEqual(expected);
    expect(await lead(share)).toMatchObject({ changed: false });
  }
});

it('a node that is back gets its share of the clients that are there, and none where it does not serve', async () => {
  const clients = Array.from({ length: 40 }, (_, i) => `old-${i}`);
  const give = (mode: Mode) =>
    performed(acts().giveClients)({ region, nodes: [green], how: { mode, key: 'k' } });
  await lb.isolate('a-n1');
  expect(await asked(clients)).toEqual({ 'a-n2': 40 });
  expect(await give('execute')).toMatchObject({ changed: false });
  await lb.admit('a-n1', 100);
  expect(await give('plan')).toMatchObject({
    changed: true,
    sentence: 'would lead their share of the clients of us-east-1 to us-east-1/a/n1',
  });
  expect(await asked(clients)).toEqual({ 'a-n2': 40 });
  expect(await give('execute')).toMatchObject({
    changed: true,
    sentence: 'us-east-1/a/n1 has its share of the clients of us-east-1',
  });
  expect(await asked(clients)).toEqual({ 'a-n1': 20, 'a-n2': 20 });
  expect(await give('execute')).toMatchObject({ changed: false });
});

it('a plan changes nothing', async () => {
  const before = await weights();
  expect(await lead(10, 'plan')).toMatchObject({
    changed: true,
    sentence: 'would lead 10 % of the clients of us-east-1 to 1 nodes',
  });
  expect(await weights()).toEqual(before);
});

it('nobody is led to a node that does not serve, but back from it', async () => {
  await lb.isolate('a-n1');
  await expect(lead(10)).rejects.toMatchObject({
    code: 'GUARD_REFUSED',
    message: expect.stringContaining('must not be led to a-n1: not in service'),
  });
  await expect(lead(0)).resolves.toMatchObject({ changed: true });
});

describe('the two sides', () => {
  it('are halves of the nodes', async () => {
    const { value } = await acts().chooseSides({ region, nodes: [green, blue] });
    expect(value).toEqual({ green: [green], blue: [blue] });
  });

  it('are refused where one node is all there is', async () => {
    await expect(acts().chooseSides({ region, nodes: [green] })).rejects.toMatchObject({
      code: 'GUARD_REFUSED',
      message: expect.stringContaining('must not be led to nobody'),
    });
  });

  it('are refused where half of them cannot bear the peak', async () => {
    await fetch(`http://127.130.8.1:8080/`).then((response) => response.text());
    await fetch(`http://127.130.8.1:8080/`).then((response) => response.text());
    await expect(acts(0.5).chooseSides({ region, nodes: [green, blue] })).rejects.toMatchObject({
      code: 'GUARD_REFUSED',
      message: expect.stringMatching(
        /^capacity headroom: 100 % of pool us-east-1 must not be led to 1 of its members/,
      ),
    });
  });
});
