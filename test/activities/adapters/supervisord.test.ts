import { supervisord } from '../../../activities/adapters/supervisord';
import type { Fleet, ProcessStatus } from '../../../activities/ports';
import { startBackend } from '../../harness/haproxy';
import { startSupervisord, type TestSupervisord } from '../../harness/supervisord';
import { until } from '../../harness/until';

let supervisor: TestSupervisord;
let fleet: Fleet;

beforeAll(async () => {
  supervisor = await startSupervisord('127.130.2.1', {
    steady: { command: 'sleep 600', startsecs: 0 },
    brief: { command: 'sleep 0.1', startsecs: 0 },
    slow: { command: 'sleep 600', startsecs: 60 },
    crash: {
      command: `sh -c 'echo booting; printf "no database\\ngiving \\033[31mup\\n" >&2; exit 3'`,
      startsecs: 1,
    },
    merged: { command: `sh -c 'echo port taken; exit 1'`, startsecs: 1, redirect_stderr: 'true' },
    mute: { command: 'false', startsecs: 1 },
  });
  fleet = supervisord(supervisor.config, supervisor.password);
});

afterEach(() => Promise.all(['steady', 'slow'].map((program) => fleet.stop(program))));

afterAll(() => supervisor.stop());

/** Milliseconds that `act` took. */
async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

async function running(program: string): Promise<ProcessStatus> {
  await fleet.start(program);
  return fleet.status(program);
}

describe('start and status', () => {
  it('runs a stopped process, and does nothing when it runs', async () => {
    expect(await fleet.status('steady')).toMatchObject({ state: 'stopped', pid: 0 });
    const first = await running('steady');
    expect(first).toMatchObject({
      state: 'running',
      description: expect.stringContaining(`pid ${first.pid}`),
    });
    expect(Date.now() - Date.parse(first.startedAt!)).toBeLessThan(5_000);
    expect(await running('steady')).toMatchObject({ pid: first.pid });
  });

  it('restarts a process that was killed', async () => {
    const { pid } = await running('steady');
    process.kill(pid, 'SIGKILL');
    await until('the supervisor has noticed', async () => (await fleet.status('steady')).state === 'exited');
    expect(await running('steady')).toMatchObject({ state: 'running' });
  });

  it('tells with what status a process exited', async () => {
    await fleet.start('brief');
    await until('it has exited', async () => (await fleet.status('brief')).state === 'exited');
    expect(await fleet.status('brief')).toMatchObject({
      pid: 0,
      description: expect.stringContaining('exit status 0'),
    });
  });

  it.each([
    ['crash', /crash did not start: Exited too quickly.*its log ends: no database \| giving .*up$/],
    ['merged', /merged did not start: Exited too quickly.*its log ends: port taken$/],
    ['mute', /mute did not start: Exited too quickly \(process log may have details\)$/],
  ])('refuses a process that ends as it starts, with its last words: %s', async (program, message) => {
    await expect(fleet.start(program)).rejects.toMatchObject({
      code: 'FLEET_REFUSED',
      message: expect.stringMatching(message),
    });
    expect(await fleet.status(program)).toMatchObject({ state: 'failed', pid: 0 });
  });

  it('says so when a process does not get beyond starting', async () => {
    await expect(fleet.start('slow')).rejects.toMatchObject({
      code: 'VERIFY_FAILED',
      message: expect.stringContaining('slow did not start: starting'),
    });
  });
});

describe('stop', () => {
  it('ends a process politely, and does nothing when there is none', async () => {
    const { pid } = await running('steady');
    expect(await timeOf(() => fleet.stop('steady'))).toBeLessThan(1_000);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await fleet.stop('steady');
    expect(await fleet.status('steady')).toMatchObject({ state: 'stopped', pid: 0 });
  });

  it('kills a process that does not obey', async () => {
    const { pid } = await running('steady');
    process.kill(pid, 'SIGSTOP');
    await fleet.stop('steady');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(await running('steady')).toMatchObject({ state: 'running' });
  });

  it('kills one process and no other', async () => {
    const { pid } = await running('steady');
    process.kill(pid, 'SIGSTOP');
    await fleet.kill('steady', pid);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    const next = await running('steady');
    await fleet.kill('steady', pid);
    expect(await fleet.status('steady')).toMatchObject({ state: 'running', pid: next.pid });
  });

  it('leaves alone what was started while it waited', async () => {
    const { pid } = await running('steady');
    process.kill(pid, 'SIGSTOP');
    const stopping = fleet.stop('steady');
    // Stopping for a second, or stopped already where nobody looked meanwhile.
    await until(
      'it is told to stop',
      async () => !(await fleet.status('steady')).description.startsWith('pid'),
    );
    const [started] = await Promise.all([running('steady'), stopping]);
    expect(started).toMatchObject({ state: 'running' });
    expect(started.pid).not.toBe(pid);
    expect(await fleet.status('steady')).toMatchObject({ pid: started.pid });
  });
});

describe('trouble', () => {
  it.each(['status', 'start', 'stop'] as const)('%s of an unknown program is refused', async (verb) => {
    await expect(fleet[verb]('nobody')).rejects.toMatchObject({
      code: 'FLEET_REFUSED',
      message: expect.stringMatching(
        /^supervisor http:\/\/127\.130\.2\.1:9001\/RPC2 on \w+ nobody: BAD_NAME: nobody$/,
      ),
    });
  });

  it('a wrong password is refused, and not told', async () => {
    const stranger = supervisord(supervisor.config, 'guess');
    await expect(stranger.status('steady')).rejects.toMatchObject({
      code: 'FLEET_REFUSED',
      message: expect.stringMatching(/HTTP 401(?!.*guess)/),
    });
  });

  it('something else at the address is no supervisor', async () => {
    const backend = await startBackend('127.130.2.2:9001', (_, response) =>
      response.end('<html>hello</html>'),
    );
    const stranger = supervisord({ ...supervisor.config, url: 'http://127.130.2.2:9001/RPC2' }, '');
    await expect(stranger.status('steady')).rejects.toMatchObject({ code: 'FLEET_UNREACHABLE' });
    await backend.stop();
  });

  it('a hung supervisor is unreachable after a second, a dead one at once', async () => {
    const other = await startSupervisord('127.130.2.3', { steady: { command: 'sleep 600', startsecs: 0 } });
    const theirs = supervisord(other.config, other.password);
    await theirs.start('steady');
    other.process.signal('SIGSTOP');
    await expect(theirs.status('steady')).rejects.toMatchObject({
      code: 'FLEET_UNREACHABLE',
      message: expect.stringContaining('no answer within 1000 ms'),
    });
    await other.stop();
    await expect(theirs.stop('steady')).rejects.toMatchObject({
      code: 'FLEET_UNREACHABLE',
      message: expect.stringContaining('connection refused'),
    });
  });
});

it('tells every program that it knows', async () => {
  expect((await fleet.programs()).sort()).toEqual(['brief', 'crash', 'merged', 'mute', 'slow', 'steady']);
});
