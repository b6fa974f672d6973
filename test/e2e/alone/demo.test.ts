import { stripVTControlCharacters } from 'node:util';
import { join } from 'node:path';
import type { DemoResult } from '../../../cli/render/demo';
import { build, type Built } from '../../cli/built';
import { startProcess, type TestProcess } from '../../harness/process';
import { until } from '../../harness/until';

/** `./switchover demo`, on a sandbox of this file's own. */
const BLOCK = '24';
/** Not under the temporary folder of this test, which the user `postgres` could not enter. */
const DIR = `/var/tmp/switchover-demo-test-${process.pid}`;
const env = { SWITCHOVER_SANDBOX_DIR: DIR };

let built: Built;
let running: TestProcess | undefined;
beforeAll(() => (built = build({ services: true })));
afterEach(() => running?.kill());
afterAll(async () => {
  await built.run(['sandbox', 'down'], { env });
  built.remove();
});

/** Starts a demo, and ends it with a signal once it has said this. */
async function stopped(args: string[], said: string, signal: NodeJS.Signals): Promise<TestProcess> {
  const program = [join(built.dir, 'dist/cli/main.js'), 'demo', '--block', BLOCK, ...args];
  const demo = startProcess(process.execPath, program, { ...env, HOME: built.dir });
  running = demo;
  await until(`the demo says ${said}`, () => demo.output().includes(said), 120_000);
  demo.signal(signal);
  return demo;
}

test('stopped while a node is down it ends with its clients; the sandbox stays', async () => {
  const demo = await stopped([], 'was killed (SIGKILL', 'SIGINT');
  expect(await demo.exited).toBe(130);
  expect(demo.output()).toContain('24 MCP clients call tools through http://127.25.0.1:8080/mcp');
  expect(demo.output()).toContain(
    `the sandbox still runs. End it: ./switchover sandbox down --block ${BLOCK}`,
  );
});

test('on that sandbox it shows another node recover, and with --exit leaves nothing', async () => {
  const { status, stdout, stderr } = await built.run(['demo', '--block', BLOCK, '--exit', '--json'], { env });
  const result = JSON.parse(stdout) as DemoResult;
  const ms = expect.any(Number);
  expect(result).toMatchObject({
    outcome: 'recovered',
    milliseconds: { outOfBalancer: ms, healed: ms, fullWeight: ms },
    sessionsLost: { clients: 0, report: 0 },
    load: { clients: 24, sessionsLost: 0 },
    run: { state: 'recovered', input: { node: result.node } },
  });
  expect(result.load.ok).toBeGreaterThan(result.load.failed * 10);
  expect(stderr).toContain('✓ Redis (ran already)');
  expect(stderr).toMatch(/ recovered: us-east-1\/\S+ was restarted and serves again\n/);
  expect(stderr).toContain(`and ${DIR} removed.`);
  expect(stripVTControlCharacters(stderr)).toBe(stderr);
  expect(status).toBe(0);
  expect((await built.run(['sandbox', 'status'], { env })).stdout).toMatch(/^sandbox down/);
});

test('stopped during the boot it takes down what is up, with --exit', async () => {
  const demo = await stopped(['--exit', '--json'], '✓ Redis', 'SIGTERM');
  expect(await demo.exited).toBe(143);
  expect(demo.output()).toContain('Stopped.');
  expect((await built.run(['sandbox', 'status'], { env })).stdout).toMatch(/^sandbox down/);
});
