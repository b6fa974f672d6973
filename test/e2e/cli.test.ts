import { stripVTControlCharacters } from 'node:util';
import type { RunReport } from '../../core/run';
import { until } from '../harness/until';
import { build, type Built, type Ended } from '../cli/built';

const BLOCK = '144';
/** Not under the temporary folder of this test, which the user `postgres` could not enter. */
const DIR = `/var/tmp/switchover-cli-test-${process.pid}`;
const NODE = 'us-east-1/a/n1';

let built: Built;
const cli = (...args: string[]): Promise<Ended> =>
  built.run(args, { env: { SWITCHOVER_SANDBOX_DIR: DIR, SWITCHOVER_USER: 'ada' } });

let up: Ended;
beforeAll(async () => {
  built = build({ services: true });
  const without = ['--no-monitoring', '--no-server', '--no-database', '--no-sentinel', '--no-dns'];
  up = await cli('sandbox', 'up', '--block', BLOCK, '--workers', '1', ...without);
});
afterAll(async () => {
  await cli('sandbox', 'down');
  built.remove();
});

test('up says how each part came up, and where everything is', async () => {
  expect(up).toMatchObject({ status: 0, stderr: '' });
  for (const part of ['Redis', 'Temporal', 'HAProxy us-east-1', 'Worker us-east-1']) {
    expect(up.stdout).toMatch(new RegExp(`^✓ ${part} {2}\\d`, 'm'));
  }
  expect(up.stdout).toContain('./switchover sandbox break us-east-1/a/n1 kill');
  expect(stripVTControlCharacters(up.stdout)).toBe(up.stdout);
  expect(await cli('sandbox', 'status')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^sandbox up/),
  });
});

test('a plan says what would change, and changes nothing', async () => {
  const { status, stdout, stderr } = await cli(
    'run',
    'node-failover',
    '--set',
    `node=${NODE}`,
    '--mode',
    'plan',
    '--wait',
  );
  expect(stdout).toMatch(/^planned\n/);
  expect(stdout).toMatch(/\d+ steps would change something/);
  expect(stderr).toBe(`Sandbox in ${DIR} (SWITCHOVER_CONFIG is not set)\n`);
  expect(status).toBe(0);
  expect((await cli('status')).stdout).toContain('18 of 18 nodes answer');
});

test('a node is killed, its run is followed to the end, listed and shown again', async () => {
  // Else the monitor's own run may be over before this one begins.
  expect(await cli('lever', 'engage', '--reason', 'by hand')).toMatchObject({ status: 0 });
  expect((await cli('sandbox', 'break', NODE)).stdout).toContain('was killed');
  const followed = await cli(
    'run',
    'node-failover',
    '--input',
    JSON.stringify({ node: NODE }),
    '--reason',
    'by hand',
    '--follow',
    '--json',
  );
  expect(await cli('lever', 'release', '--reason', 'healed')).toMatchObject({ status: 0 });
  const report = JSON.parse(followed.stdout) as RunReport;
  expect(report).toMatchObject({ state: 'recovered', scope: `node/${NODE}`, actual: { sessionsLost: 0 } });
  expect(followed.status).toBe(0);
  const log = followed.stderr.split('\n').filter((text) => /^\d\d:\d\d:\d\d\.\d{3}Z/.test(text));
  expect(log.filter((text) => text.includes('✓ Take it out of the load balancer'))).toHaveLength(1);
  expect(log.at(-1)).toContain(`recovered: ${report.sentence}`);

  expect(JSON.parse((await cli('show', report.run, '--json')).stdout)).toEqual(report);
  const shown = await cli('show', report.run);
  expect(shown.stdout).toContain(`╭─ recovered ─`);
  expect((await cli('watch', report.run)).status).toBe(0);
  const listed = await until('the run is listed as over', async () => {
    const { stdout } = await cli('runs');
    return stdout.includes(`✓ recovered`) && stdout;
  });
  expect(listed).toContain(report.run);

  const late = await cli('pause', report.run, '--reason', 'too late');
  expect(late.stderr).toContain(
    `${report.run} is over (recovered); it takes no decisions (DECISION_REFUSED)`,
  );
  expect(late).toMatchObject({ status: 2, stdout: '' });
});

test('an idempotency key gives the same run, and is refused for another ask', async () => {
  const ask = [
    'run',
    'node-failover',
    '--set',
    'node=eu-central-1/a/n1',
    '--key',
    'deploy-1',
    '--wait',
    '--json',
  ];
  const first = JSON.parse((await cli(...ask)).stdout) as RunReport;
  expect(first).toMatchObject({ state: 'succeeded', by: 'ada' });
  const again = await cli(...ask);
  expect(JSON.parse(again.stdout)).toEqual(first);
  expect(again.stderr).toContain(`Joined a run that is already there: ${first.run}`);
  const other = await cli('run', 'node-failover', '--set', 'node=eu-central-1/b/n1', '--key', 'deploy-1');
  expect(other.stderr).toContain('(KEY_REUSED)');
  expect(other.status).toBe(2);
});

test('what does not exist is bad input', async () => {
  const node = await cli('run', 'node-failover', '--set', 'node=us-east-1/a/n99', '--wait');
  expect(node.stderr).toContain('"us-east-1/a/n99" is not a node');
  expect(node.status).toBe(2);
  const run = await cli('show', 'no-such-run');
  expect(run.stderr).toContain('there is no run "no-such-run"');
  expect(run.status).toBe(2);
});

test('while Temporal is away a run is watched on, and status shows the fleet alone', async () => {
  await cli('sandbox', 'break', 'temporal');
  const status = await cli('status');
  expect(status.stdout).toContain('! locks and incidents are not known');
  expect(status.status).toBe(1);
  const list = await cli('runs');
  expect(list.stderr).toContain('(TEMPORAL_UNREACHABLE)');
  expect(list.status).toBe(1);
  expect((await cli('sandbox', 'heal', 'temporal')).status).toBe(0);
  await until('Temporal answers again', async () => (await cli('runs')).status === 0);
});
