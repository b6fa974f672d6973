import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { catalogue } from '../../operations';
import { build, type Built } from './built';

/** Nothing listens here; a command that would start something fails with TEMPORAL_UNREACHABLE instead of BAD_INPUT. */
const NOWHERE = '127.160.0.99:1';

let cli: Built;
beforeAll(() => {
  cli = build();
  writeFileSync(join(cli.dir, 'list.yaml'), '- node\n');
  writeFileSync(join(cli.dir, 'bad.yaml'), 'environment: Prod!\nregions: {}\n');
});
afterAll(() => cli.remove());

const RUN = ['run', 'node-failover'];

test.each<[string, string[], string]>([
  ['an unknown command', ['rnu'], "unknown command 'rnu' (Did you mean run?)"],
  ['an unknown option', [...RUN, '--folow'], "unknown option '--folow' (Did you mean --follow?)"],
  ['an unknown sandbox command', ['sandbox', 'upp'], "unknown command 'upp' (Did you mean up?)"],
  ['a missing argument', ['show'], "missing required argument 'run'"],
  ['a missing reason', ['abort', 'x'], "required option '--reason <text>' not specified"],
  ['a mode there is not', [...RUN, '--mode', 'try'], 'Allowed choices are plan, execute, drill'],
  [
    'a duration without unit',
    [...RUN, '--timeout', '10'],
    "option '--timeout <duration>' argument '10' is invalid",
  ],
  ['a count that is none', ['runs', '--limit', 'all'], 'whole number from 1 to 9999'],
  [
    'an input that is not JSON',
    [...RUN, '--input', '{"node": }'],
    '--input: the JSON text {"node": } cannot be read',
  ],
  [
    'an input file there is not',
    [...RUN, '--input', '@none.json'],
    '--input: file none.json cannot be read: ENOENT',
  ],
  [
    'an input that is no object',
    [...RUN, '--input', '@list.yaml'],
    '--input: file list.yaml must be one object, not ["node"]',
  ],
  ['a setting without value', [...RUN, '--set', 'node'], '--set node: must be key=value'],
  [
    'a setting there is not',
    [...RUN, '--set', 'nod=x'],
    '--set nod=x: node-failover has no input "nod"; its inputs are node',
  ],
  ['a value that does not fit', [...RUN, '--set', 'node=n1'], 'input.node: must match pattern'],
  ['no input', RUN, 'input.node: is missing (for example "us-east-1/a/n1")'],
  ['a target that is none', ['sandbox', 'break', 'n1'], '"n1" is no target'],
])('%s is bad input: named, with an example, and nothing is contacted', async (_, args, sentence) => {
  const { status, stdout, stderr } = await cli.run(args, { env: { TEMPORAL_ADDRESS: NOWHERE } });
  expect(stderr).toContain(`error: `);
  expect(stderr).toContain(sentence);
  expect(stderr).toContain('(BAD_INPUT)\n  hint: for example: ./switchover ');
  expect(stdout).toBe('');
  expect(status).toBe(2);
});

test('with --json an error is one line of JSON on standard error', async () => {
  const { status, stdout, stderr } = await cli.run([...RUN, '--set', 'node=n1', '--json']);
  expect(JSON.parse(stderr)).toMatchObject({
    code: 'BAD_INPUT',
    exit: 2,
    hint: expect.stringContaining('--set node=us-east-1/a/n1'),
  });
  expect(stderr.trim()).not.toContain('\n');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});

test('an unknown runbook is refused with the list of those there are', async () => {
  const { status, stderr } = await cli.run(['runbook', 'node-failure']);
  const ids = catalogue.map(({ id }) => id).join(', ');
  expect(stderr).toContain(`"node-failure" is not a runbook; there are ${ids} (UNKNOWN_RUNBOOK)`);
  expect(status).toBe(2);
});

test('without any environment it says how to get one', async () => {
  const { status, stderr } = await cli.run(['runs']);
  expect(stderr).toContain('SWITCHOVER_CONFIG is not set, there is no switchover.yaml here, and no sandbox');
  expect(status).toBe(2);
});

test('check lists every problem of the environment file with its path', async () => {
  const { status, stdout } = await cli.run(['check'], { env: { SWITCHOVER_CONFIG: 'bad.yaml' } });
  expect(stdout).toMatch(/^bad\.yaml: \d+ problems\n/);
  for (const path of ['environment', 'regions', 'sessions', 'health', 'policies', 'escalation', 'server']) {
    expect(stdout).toContain(`✗ ${path}\n`);
  }
  expect(status).toBe(2);
});

test('help goes to standard output, and to standard error where it was not asked for', async () => {
  const asked = await cli.run(['--help']);
  expect(asked).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringContaining('Runbooks and runs:'),
  });
  const unasked = await cli.run([]);
  expect(unasked).toEqual({ status: 2, stdout: '', stderr: asked.stdout });
});

test.each([['--help'], ['runbooks'], ['runbook', 'node-failover'], [...RUN, '--set', 'nod=x']])(
  '%s %s does not load Temporal',
  async (...args) => {
    const probe = join(cli.dir, 'probe.js');
    writeFileSync(
      probe,
      "process.on('exit', () => console.log(Object.keys(require.cache).filter((f) => f.includes('@temporalio')).length, 'of Temporal'));",
    );
    const { stdout } = await cli.run(args, { node: ['--require', probe] });
    expect(stdout).toMatch(/^0 of Temporal$/m);
  },
);

test('what is no terminal gets no escape codes, not even in CI', async () => {
  for (const args of [['runbook', 'node-failover'], ['runbooks'], ['--help'], ['rnu']]) {
    const { stdout, stderr } = await cli.run(args, { env: { CI: 'true', TERM: 'xterm-256color' } });
    expect(stripVTControlCharacters(stdout + stderr)).toBe(stdout + stderr);
  }
});

test('a runbook is shown with what it takes and how to start it', async () => {
  const { stdout } = await cli.run(['runbook', 'node-failover']);
  expect(stdout).toContain('inputs     node (string, required): the node as region/zone/name');
  expect(stdout).toContain('./switchover run node-failover --set node=us-east-1/a/n1 --follow');
});
