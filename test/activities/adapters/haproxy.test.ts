import { once } from 'node:events';
import { Agent, get, type ServerResponse } from 'node:http';
import { connect, createServer } from 'node:net';
import { haproxy } from '../../../activities/adapters/haproxy';
import type { LoadBalancer, Member } from '../../../activities/ports';
import { startBackend, startHaproxy, type TestBackend, type TestHaproxy } from '../../harness/haproxy';
import { until } from '../../harness/until';

const HOST = '127.130.1.1';
const ADDRESS = { n1: '127.130.1.11:8080', n2: '127.130.1.12:8080', n3: '127.130.1.13:8080' };
type Name = keyof typeof ADDRESS;

let balancer: TestHaproxy;
let lb: LoadBalancer;
let backends: Map<string, TestBackend>;
/** Requests for /wait that a backend holds open, by backend. */
let waiting: { at: Name; response: ServerResponse }[];
let agent: Agent;

beforeEach(async () => {
  waiting = [];
  agent = new Agent({ keepAlive: true });
  backends = new Map();
  for (const name of ['n1', 'n2', 'n3'] as const) backends.set(name, await start(name));
  balancer = await startHaproxy(HOST, { 'a-n1': ADDRESS.n1, 'a-n2': ADDRESS.n2 });
  lb = haproxy(balancer.config);
});

afterEach(async () => {
  agent.destroy();
  await balancer.stop();
  await Promise.all([...backends.values()].map((backend) => backend.stop()));
});

function start(name: Name): Promise<TestBackend> {
  return startBackend(ADDRESS[name], (request, response) => {
    if (request.url === '/wait') waiting.push({ at: name, response });
    else response.end(name);
  });
}

/** What a client is answered: the name of the backend, `HTTP 503`, or the error's code. */
function call(path = '/', session?: string): Promise<string> {
  return new Promise((resolve) => {
    const headers = session === undefined ? {} : { 'mcp-session-id': session };
    const request = get({ host: HOST, port: 8080, path, agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(response.statusCode === 200 ? body : `HTTP ${response.statusCode}`));
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Calls of `count` clients at once, each answered, counted by answer. */
async function calls(count: number, session?: (i: number) => string): Promise<Record<string, number>> {
  const answers = await Promise.all(Array.from({ length: count }, (_, i) => call('/', session?.(i))));
  return tally(answers);
}

function tally(answers: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

/** How `count` requests that are all open at once spread over the backends; ends them. */
async function spread(count: number): Promise<Record<string, number>> {
  const answers = Array.from({ length: count }, () => call('/wait'));
  await until(`${count} requests wait`, () => waiting.length === count);
  for (const { at, response } of waiting.splice(0)) response.end(at);
  return tally(await Promise.all(answers));
}

async function member(server: string): Promise<Member | undefined> {
  return (await lb.members()).find((one) => one.server === server);
}

const session = (i: number): string => `session-${i}`;

describe('members', () => {
  it('tells of each server what HAProxy sees', async () => {
    await call();
    expect(await lb.members()).toEqual([
      { server: 'a-n1', address: ADDRESS.n1, admin: 'ready', up: true, weight: 100, current: 0 },
      { server: 'a-n2', address: ADDRESS.n2, admin: 'ready', up: true, weight: 100, current: 0 },
    ]);
  });

  it('tells that we may do everything there', async () => expect(await lb.rights()).toBeNull());

  it('counts the requests being served and notices by HAProxy’s own checks that a server is down', async () => {
    const answers = [call('/wait'), call('/wait')];
    await until('both requests wait', () => waiting.length === 2);
    expect((await lb.members()).map(({ current }) => current)).toEqual([1, 1]);
    waiting.splice(0).forEach(({ at, response }) => response.end(at));
    await Promise.all(answers);
    await backends.get('n2')!.stop();
    backends.delete('n2');
    await until('a-n2 is down', async () => (await member('a-n2'))?.up === false);
    expect(await member('a-n1')).toMatchObject({ up: true, current: 0 });
  });
});

describe('load', () => {
  it('tells the requests of the last second and the most there ever were in one', async () => {
    expect(await lb.load()).toEqual({ nowPerS: 0, peakPerS: 0 });
    await calls(30);
    const { peakPerS } = await until('the requests are counted', async () => {
      const load = await lb.load();
      return load.nowPerS > 0 && load;
    });
    // Thirty requests take longer than a second on no machine, and may fall into two of them.
    expect(peakPerS).toBeGreaterThanOrEqual(15);
    await until('the second is over', async () => (await lb.load()).nowPerS === 0);
    expect((await lb.load()).peakPerS).toBeGreaterThanOrEqual(peakPerS!);
  });
});

describe('isolate', () => {
  it('moves every client, also those bound to the server, and fails none', async () => {
    expect(Object.keys(await calls(20, session)).toSorted()).toEqual(['n1', 'n2']);
    await lb.isolate('a-n1');
    expect(await member('a-n1')).toMatchObject({ admin: 'maint', up: true });
    expect(await calls(20, session)).toEqual({ n2: 20 });
  });

  it('frees the requests that hang on the server: they are sent to another', async () => {
    const answers = Array.from({ length: 10 }, () => call('/wait'));
    await until('all wait', () => waiting.length === 10);
    await lb.isolate('a-n1');
    await until('those of n1 wait at n2', () => waiting.length === 15);
    waiting.filter(({ at }) => at === 'n2').forEach(({ at, response }) => response.end(at));
    expect(tally(await Promise.all(answers))).toEqual({ n2: 10 });
  });

  it('takes several out at once: what hangs on them is sent to the one that is left', async () => {
    await balancer.stop();
    balancer = await startHaproxy(HOST, { 'a-n1': ADDRESS.n1, 'a-n2': ADDRESS.n2, 'b-n3': ADDRESS.n3 });
    const answers = Array.from({ length: 12 }, () => call('/wait'));
    await until('all wait', () => waiting.length === 12);
    await lb.isolate('a-n1', 'a-n2');
    expect((await lb.members()).map(({ admin }) => admin)).toEqual(['maint', 'maint', 'ready']);
    await until('those of n1 and n2 wait at n3', () => waiting.length === 20);
    waiting.filter(({ at }) => at === 'n3').forEach(({ at, response }) => response.end(at));
    expect(tally(await Promise.all(answers))).toEqual({ n3: 12 });
  });

  it('of several, one of them unknown, is refused, with the others taken out', async () => {
    await expect(lb.isolate('a-n1', 'a-n9')).rejects.toMatchObject({
      code: 'LB_REFUSED',
      message: expect.stringContaining('No such server.'),
    });
    expect(await member('a-n1')).toMatchObject({ admin: 'maint' });
  });

  it('done twice is done once', async () => {
    await lb.isolate('a-n1');
    await lb.isolate('a-n1');
    expect(await member('a-n1')).toMatchObject({ admin: 'maint' });
  });
});

describe('drain', () => {
  it('sends what comes to the others, also of clients that were bound to the server', async () => {
    expect(await calls(20, session)).toMatchObject({ n1: expect.any(Number) });
    await lb.drain('a-n1');
    await lb.drain('a-n1');
    expect(await member('a-n1')).toMatchObject({ admin: 'drain' });
    expect(await calls(20, session)).toEqual({ n2: 20 });
    expect(await calls(20)).toEqual({ n2: 20 });
  });

  it('leaves clients that are bound to another server with it', async () => {
    await lb.drain('a-n1');
    expect(await calls(20, session)).toEqual({ n2: 20 });
    await lb.admit('a-n1', 100);
    await lb.drain('a-n1');
    await lb.admit('a-n1', 100);
    expect(await calls(20, session)).toEqual({ n2: 20 });
  });

  it('lets a request in flight finish', async () => {
    const answers = Array.from({ length: 10 }, () => call('/wait'));
    await until('all wait', () => waiting.length === 10);
    await lb.drain('a-n1');
    waiting.forEach(({ at, response }) => response.end(at));
    expect(tally(await Promise.all(answers))).toEqual({ n1: 5, n2: 5 });
  });
});

describe('bind', () => {
  it('tells who is bound to which server, and for how long he has not asked', async () => {
    expect(await lb.bound()).toEqual([]);
    await calls(20, session);
    const bound = await lb.bound();
    expect(bound.map(({ client }) => client).toSorted()).toEqual(
      Array.from({ length: 20 }, (_, i) => session(i)).toSorted(),
    );
    expect(new Set(bound.map(({ server }) => server))).toEqual(new Set(['a-n1', 'a-n2']));
    await until('all but one have not asked for a while', async () => {
      await call('/', session(0));
      const again = await lb.bound();
      return again.every(({ client, idleMs }) => (client === session(0) ? idleMs === 0 : idleMs > 100));
    });
  });

  it('leads clients from one server to another, whatever their number, and leaves the others where they are', async () => {
    await calls(300, session);
    const [moved, left] = ['a-n1', 'a-n2'].map((server) =>
      lb.bound().then((all) => all.filter((one) => one.server === server)),
    );
    expect((await moved!).length + (await left!).length).toBe(300);
    await lb.bind(...(await moved!).map(({ client }) => ({ client, server: 'a-n2' })));
    expect(await calls(300, session)).toEqual({ n2: 300 });
    await lb.bind();
    expect(await calls(300, session)).toEqual({ n2: 300 });
  });

  it('says nothing to HAProxy that a client could have made up, and knows no other servers', async () => {
    expect(await call('/', 'x;disable server clients/a-n1')).toMatch(/^n[12]$/);
    expect(await lb.bound()).toEqual([]);
    for (const bad of [
      { client: 'x;disable server clients/a-n1', server: 'a-n1' },
      { client: 'x', server: 'a-n9' },
    ])
      await expect(lb.bind(bad)).rejects.toMatchObject({ code: 'LB_REFUSED' });
    expect((await lb.members()).every(({ admin }) => admin === 'ready')).toBe(true);
  });
});

describe('admit', () => {
  it('brings the server back at its share, and again at full weight', async () => {
    await lb.isolate('a-n1');
    await lb.admit('a-n1', 25);
    await lb.admit('a-n1', 25);
    expect(await member('a-n1')).toMatchObject({ admin: 'ready', weight: 25 });
    expect(await spread(100)).toEqual({ n1: 20, n2: 80 });
    await lb.admit('a-n1', 100);
    expect(await member('a-n1')).toMatchObject({ admin: 'ready', weight: 100 });
    expect(await spread(100)).toEqual({ n1: 50, n2: 50 });
  });

  it('at 0 the server stands by: it keeps the clients that are bound to it', async () => {
    const bound = await calls(20, session);
    await lb.admit('a-n1', 0);
    expect(await member('a-n1')).toMatchObject({ admin: 'ready', up: true, weight: 0 });
    expect(await spread(20)).toEqual({ n2: 20 });
    expect(await calls(20, session)).toEqual(bound);
  });

  it('leaves HAProxy’s own checks working', async () => {
    await lb.isolate('a-n1');
    await backends.get('n1')!.stop();
    await lb.admit('a-n1', 100);
    await until('a-n1 is down', async () => (await member('a-n1'))?.up === false);
    expect(await calls(20)).toEqual({ n2: 20 });
    backends.set('n1', await start('n1'));
    await until('a-n1 is up', async () => (await member('a-n1'))?.up === true);
  });

  it('fails no request of clients that call all the while', async () => {
    const answers: string[] = [];
    const end = new AbortController();
    const clients = Array.from({ length: 8 }, async (_, i) => {
      while (!end.signal.aborted) answers.push(await call('/', session(i)));
    });
    const more = () =>
      until(
        '50 more answers',
        (
          (seen) => () =>
            answers.length > seen + 50
        )(answers.length),
      );
    for (const act of [
      () => lb.drain('a-n1'),
      () => lb.isolate('a-n1'),
      () => lb.admit('a-n1', 25),
      () => lb.admit('a-n1', 100),
    ]) {
      await more();
      await act();
    }
    await more();
    end.abort();
    await Promise.all(clients);
    expect(new Set(answers)).toEqual(new Set(['n1', 'n2']));
  });

  it('gives more than asked for, not nothing, where the full weight is too small for a share', async () => {
    await balancer.stop();
    balancer = await startHaproxy(HOST, {
      'a-n1': `${ADDRESS.n1} weight 1`,
      'a-n2': `${ADDRESS.n2} weight 1`,
    });
    await lb.admit('a-n1', 25);
    expect(await member('a-n1')).toMatchObject({ admin: 'ready', weight: 100 });
  });
});

describe('add and remove', () => {
  it('add makes a server known without traffic, checked once admitted', async () => {
    await lb.add('a-n3', ADDRESS.n3);
    await lb.add('a-n3', ADDRESS.n3);
    expect(await member('a-n3')).toEqual({
      server: 'a-n3',
      address: ADDRESS.n3,
      admin: 'maint',
      up: true,
      weight: 100,
      current: 0,
    });
    expect(Object.keys(await calls(20))).not.toContain('n3');
    await lb.admit('a-n3', 100);
    expect(await spread(99)).toEqual({ n1: 33, n2: 33, n3: 33 });
    await backends.get('n3')!.stop();
    backends.delete('n3');
    expect(Object.keys(await calls(30)).toSorted()).toEqual(['n1', 'n2']);
    expect(await member('a-n3')).toMatchObject({ up: false });
  });

  it('add to an empty pool works', async () => {
    await balancer.stop();
    balancer = await startHaproxy(HOST, {});
    await lb.add('a-n3', ADDRESS.n3);
    await lb.admit('a-n3', 50);
    expect(await member('a-n3')).toMatchObject({ admin: 'ready', weight: 50 });
  });

  it('add refuses a name that is taken by another address', async () => {
    await expect(lb.add('a-n1', ADDRESS.n3)).rejects.toMatchObject({
      code: 'LB_REFUSED',
      message: expect.stringContaining('Already exists a server with the same name in backend.'),
    });
    expect(await member('a-n1')).toMatchObject({ address: ADDRESS.n1, admin: 'ready' });
  });

  it('remove forgets an isolated server, added or from the configuration file', async () => {
    await lb.add('a-n3', ADDRESS.n3);
    for (const server of ['a-n3', 'a-n1']) {
      await lb.isolate(server);
      await lb.remove(server);
      await lb.remove(server);
    }
    expect((await lb.members()).map(({ server }) => server)).toEqual(['a-n2']);
  });

  it('remove is to be tried again while the server still has connections', async () => {
    const answer = call('/wait');
    await until('it waits', () => waiting.length === 1);
    const server = `a-${waiting[0]!.at}`;
    const socket = connect(9999, HOST).end(`set server mcp/${server} state maint\n`);
    await once(socket.resume(), 'close');
    await expect(lb.remove(server)).rejects.toMatchObject({
      code: 'VERIFY_FAILED',
      message: expect.stringContaining('Server still has connections attached to it'),
    });
    waiting[0]!.response.setHeader('connection', 'close').end();
    await answer;
    await until('it is removed', () => lb.remove(server).then(() => true));
  });

  it('remove refuses a server that takes traffic', async () => {
    await expect(lb.remove('a-n1')).rejects.toMatchObject({
      code: 'LB_REFUSED',
      message: expect.stringContaining('Only servers in maintenance mode can be deleted.'),
    });
  });
});

describe('trouble', () => {
  it.each<[string, (lb: LoadBalancer) => Promise<unknown>]>([
    ['isolate', (it) => it.isolate('a-n9')],
    ['drain', (it) => it.drain('a-n9')],
    ['admit', (it) => it.admit('a-n9', 100)],
  ])('%s of an unknown server is refused in HAProxy’s words', async (_, act) => {
    await expect(act(lb)).rejects.toMatchObject({
      code: 'LB_REFUSED',
      message: expect.stringMatching(/127\.130\.1\.1:9999 refused "set server mcp\/a-n9 .*No such server\./),
    });
  });

  it.each<[string, (lb: LoadBalancer) => Promise<unknown>]>([
    ['members', (it) => it.members()],
    ['load', (it) => it.load()],
  ])('%s of an unknown backend is refused', async (_, look) => {
    await expect(look(haproxy({ ...balancer.config, backend: 'pool' }))).rejects.toMatchObject({
      code: 'LB_REFUSED',
      message: expect.stringMatching(/Can't find backend\.|No such proxy\./),
    });
  });

  it('a dead balancer is unreachable', async () => {
    await balancer.process.kill();
    const error = {
      code: 'LB_UNREACHABLE',
      message: expect.stringMatching(/127\.130\.1\.1:9999.*connection refused/),
    };
    await expect(lb.isolate('a-n1')).rejects.toMatchObject(error);
    await expect(lb.members()).rejects.toMatchObject(error);
  });

  it('a hung balancer is unreachable after a second', async () => {
    balancer.process.signal('SIGSTOP');
    await expect(lb.isolate('a-n1')).rejects.toMatchObject({
      code: 'LB_UNREACHABLE',
      message: expect.stringContaining('no answer within 1000 ms'),
    });
  });

  it('a connection that closes without a word is no success', async () => {
    const server = createServer((socket) => socket.end()).listen(9999, '127.130.1.2');
    await once(server, 'listening');
    await expect(
      haproxy({ ...balancer.config, runtime: '127.130.1.2:9999' }).isolate('a-n1'),
    ).rejects.toMatchObject({
      code: 'LB_UNREACHABLE',
      message: expect.stringContaining('connection closed before the answer'),
    });
    server.close();
  });
});
