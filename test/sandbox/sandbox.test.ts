import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ConfigSchema, type Config } from '../../core/config';
import { problems } from '../../core/schema';
import { nodesOf } from '../../core/topology';
import { down, status, up, type PartStatus, type Progress, type SandboxOptions } from '../../sandbox';
import { REGIONS } from '../../sandbox/layout';
import { processesOf } from '../../sandbox/processes';
import { initialize, occupy, smallSandbox, useSandbox } from '../harness/sandbox';
import { until } from '../harness/until';

const options = smallSandbox(1);
const sandbox = useSandbox(options);
const REGION_NAMES = REGIONS.map(({ name }) => name);

/** Brings the sandbox up again. @returns what the progress display was told */
async function upAgain(more: SandboxOptions = {}): Promise<Progress[]> {
  const seen: Progress[] = [];
  await up({ ...options, ...more }, (progress) => seen.push(progress));
  return seen;
}

async function pids(): Promise<Record<string, number>> {
  return Object.fromEntries((await status(options)).parts.map(({ program, pid }) => [program, pid]));
}

async function config(): Promise<Config> {
  return parse(await readFile(sandbox().configPath, 'utf8')) as Config;
}

const partsOf = (seen: readonly Progress[], state: Progress['state']): string[] =>
  seen.filter((progress) => progress.state === state).map(({ part }) => part);

describe('up', () => {
  test('everything runs, spares stand by', async () => {
    const { state, parts, orphans } = await status(options);
    expect({ state, orphans }).toEqual({ state: 'up', orphans: 0 });
    const spares = parts.filter(({ program }) => /s1$|-standby$/.test(program));
    expect(spares.map((part) => part.state)).toEqual(Array(9 + REGIONS.length).fill('standby'));
    const others = parts.filter((part) => !spares.includes(part));
    expect(new Set(others.map((part) => part.state))).toEqual(new Set(['running']));
    expect(others.every(({ pid, uptimeMs }) => pid > 0 && uptimeMs >= 0)).toBe(true);
  });

  test('MCP answers through every load balancer', async () => {
    const answers = await Promise.all(REGION_NAMES.map((region) => initialize(sandbox().urls.mcp[region]!)));
    expect(answers).toEqual([200, 200, 200]);
  });

  test('a load balancer has the nodes of its region under the names that the topology gives them', async () => {
    const csv = await (await fetch(`${sandbox().urls.haproxy['eu-central-1']};csv`)).text();
    const servers = csv.split('\n').flatMap((line) => (line.startsWith('mcp,') ? [line.split(',')[1]] : []));
    expect(servers).toEqual(['a-n1', 'b-n1', 'c-n1', 'BACKEND']);
  });

  test('the environment file is valid, describes what runs, and holds no secret', async () => {
    const { configPath, env } = sandbox();
    const text = await readFile(configPath, 'utf8');
    const parsed = parse(text) as Config;
    expect(problems(ConfigSchema, parsed)).toEqual([]);
    const nodes = REGION_NAMES.flatMap((region) => nodesOf(parsed, region)).map(({ program }) => program);
    expect(Object.keys(await pids())).toEqual(expect.arrayContaining(nodes));
    const secrets = Object.entries(env).filter(([name]) => /TOKEN|PASSWORD|DATABASE|ACCESS_KEY/.test(name));
    expect(secrets).toHaveLength(14);
    for (const [, secret] of secrets) expect(text).not.toContain(secret);
  });

  test('only the owner may read what holds secrets', async () => {
    const files = ['secrets.json', 'supervisord.conf', 'alertmanager.yml', 'settings.json'];
    const modes = await Promise.all(
      files.map(async (file) => (await stat(join(options.dir, file))).mode & 0o777),
    );
    expect(modes).toEqual(files.map(() => 0o600));
  });

  test('again: verifies, starts nothing, is quick', async () => {
    const before = await pids();
    const began = performance.now();
    const seen = await upAgain();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(partsOf(seen, 'starting')).toEqual([]);
    expect(partsOf(seen, 'running')).toHaveLength(12);
    expect(await pids()).toEqual(before);
  });

  test('starts what is missing and leaves the rest alone', async () => {
    const before = await pids();
    process.kill(before['redis']!, 'SIGKILL');
    process.kill(before['us-east-1-b-n1']!, 'SIGKILL');
    await until('both are gone', async () => {
      const now = await pids();
      return now['redis'] === 0 && now['us-east-1-b-n1'] === 0;
    });
    expect((await status(options)).state).toBe('degraded');
    const seen = await upAgain();
    expect(partsOf(seen, 'started').sort()).toEqual(['MCP nodes us-east-1', 'Redis']);
    const { redis, 'us-east-1-b-n1': node, ...others } = await pids();
    expect(before).toMatchObject(others);
    expect([redis, node]).not.toContain(0);
  });

  test('two at the same time: one works, the other is refused', async () => {
    const results = await Promise.allSettled([up(options), up(options)]);
    const refused = results.filter((result) => result.status === 'rejected');
    const message = expect.stringContaining('is at work on this block');
    expect(refused).toMatchObject([{ reason: { code: 'PORT_TAKEN', message } }]);
  });

  test('with other options than the sandbox was made with: refused, naming them', async () => {
    await expect(up({ ...options, nodesPerZone: 3, checks: '500ms/2' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/nodesPerZone is 1, asked for 3; checks is 2s\/3, asked for 500ms\/2/),
    });
  });

  test.each<[SandboxOptions, string]>([
    [{ nodesPerZone: 0 }, 'sandbox.nodesPerZone: must be >= 1'],
    [{ block: 250 }, 'sandbox.block: must be <= 249'],
    [{ workers: 1.5 }, 'sandbox.workers: must be integer'],
    [{ checks: 'often' }, 'sandbox.checks: must match pattern'],
    [{ patroni: 'soon' }, 'sandbox.patroni: must match pattern'],
  ])('with the wrong option %j: says what would be right', async (wrong, message) => {
    const dir = join(tmpdir(), 'switchover-never-made');
    await expect(up({ dir, ...wrong })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(message),
    });
    await expect(stat(dir)).rejects.toThrow('ENOENT');
  });

  test('in a directory that holds something else: refused, nothing touched', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'switchover-foreign-'));
    const file = join(dir, 'thesis.txt');
    await writeFile(file, 'years of work');
    const refusal = { code: 'BAD_INPUT', message: expect.stringContaining(dir) };
    const elsewhere = smallSandbox(2).block;
    await expect(up({ ...options, block: elsewhere, dir })).rejects.toMatchObject(refusal);
    await expect(down({ block: elsewhere, dir })).rejects.toMatchObject(refusal);
    expect(await readFile(file, 'utf8')).toBe('years of work');
    await rm(dir, { recursive: true });
  });
});

describe('a crash', () => {
  const running = (parts: readonly PartStatus[]): number => parts.filter(({ pid }) => pid > 0).length;

  async function supervisorPid(): Promise<number> {
    return Number(await readFile(join(options.dir, 'supervisord.pid'), 'utf8'));
  }

  test('of the supervisor: what it left behind is found, ended, and started anew', async () => {
    const before = Object.values(await pids()).filter((pid) => pid > 0);
    process.kill(await supervisorPid(), 'SIGKILL');
    const crashed = await until('the crash shows', async () => {
      const seen = await status(options);
      return seen.state === 'crashed' && seen;
    });
    expect(crashed.orphans).toBeGreaterThanOrEqual(before.length);
    await upAgain();
    const { state, parts } = await status(options);
    expect(state).toBe('up');
    expect(running(parts)).toBe(before.length);
    const now = new Set((await processesOf(options.dir)).map(({ pid }) => pid));
    expect(before.filter((pid) => now.has(pid))).toEqual([]);
  });

  test('of everything at once, as a machine that lost power: stale files are no obstacle, secrets are kept', async () => {
    const { env } = sandbox();
    for (const { pid } of await processesOf(options.dir)) process.kill(pid, 'SIGKILL');
    await until('all are gone', async () => (await processesOf(options.dir)).length === 0);
    const stale = await supervisorPid();
    await upAgain();
    expect((await status(options)).state).toBe('up');
    expect(await supervisorPid()).not.toBe(stale);
    expect((await up(options)).env).toEqual(env);
  });

  test('of a hung supervisor: it is ended with the rest', async () => {
    const hung = await supervisorPid();
    process.kill(hung, 'SIGSTOP');
    expect((await status(options)).state).toBe('crashed');
    await upAgain();
    expect((await status(options)).state).toBe('up');
    expect(await supervisorPid()).not.toBe(hung);
  });

  test('with an address taken meanwhile: refused before anything starts', async () => {
    const { zones } = (await config()).regions['us-east-1']!;
    const address = zones['c']!.nodes['n1']!;
    for (const { pid } of await processesOf(options.dir)) process.kill(pid, 'SIGKILL');
    await until('all are gone', async () => (await processesOf(options.dir)).length === 0);
    const free = await until('its address is free', () => occupy(address));
    await expect(up(options)).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(
        new RegExp(`${address} is held by process ${process.pid} \\(.*node.*\\)`),
      ),
    });
    expect(await processesOf(options.dir)).toEqual([]);
    free();
    await upAgain();
    expect((await status(options)).state).toBe('up');
  });
});

describe('down', () => {
  test('leaves nothing behind: no process, no file, no address; twice is once', async () => {
    const { parts } = await status(options);
    const { processes } = await down(options);
    expect(processes).toBeGreaterThan(10);
    expect(await processesOf(options.dir)).toEqual([]);
    await expect(stat(options.dir)).rejects.toThrow('ENOENT');
    for (const address of parts.flatMap(({ addresses }) => addresses)) (await occupy(address))();
    expect((await status(options)).state).toBe('down');
    expect(await down(options)).toEqual({ dir: options.dir, processes: 0 });
  });
});
