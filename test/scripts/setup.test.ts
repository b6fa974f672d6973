import { availableParallelism } from 'node:os';
import fs from 'node:fs';
import { BOOKWORM, Machine } from './machine';
import type { MachineOptions } from './machine';

let machine: Machine;

function fresh(options?: MachineOptions): Machine {
  machine = new Machine(options);
  return machine;
}

afterEach(() => machine.remove());

const INSTALL = 'apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120';
const EVERY_PACKAGE =
  'haproxy redis-server postgresql-15 patroni pgbackrest etcd-server prometheus prometheus-alertmanager supervisor chromium openssl iproute2 nftables procps';
const NPM_CI = 'npm ci --prefix ~/project --include=dev --no-audit --no-fund --fetch-retry-maxtimeout=10000';
const VENV = 'python3 -m venv --clear ~/project/.switchover/venv';
const PIP =
  'pip install --no-input --disable-pip-version-check --no-deps --require-hashes -r scripts/requirements.txt';
const VENV_53 = `${VENV}-route53`;
const PIP_53 = PIP.replace('requirements.txt', 'requirements-route53.txt');
const TSC = 'tsc --project .';

/** A machine on which setup has done everything. */
async function ready(): Promise<Machine> {
  fresh({ programs: BOOKWORM });
  expect(await machine.run('scripts/setup')).toMatchObject({ status: 0 });
  machine.calls();
  return machine;
}

describe('on a fresh machine', () => {
  test('setup installs every part in order, starts no service, and says how long each took', async () => {
    const { status, stdout, stderr } = await fresh().run('scripts/setup');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(machine.calls()).toEqual([
      'apt-get update',
      `${INSTALL} ${EVERY_PACKAGE}`,
      'policy-rc.d 101',
      'create_main_cluster = false',
      VENV,
      PIP,
      VENV_53,
      PIP_53,
      NPM_CI,
      TSC,
    ]);
    expect(
      stderr
        .replaceAll(/\d+\.\d s/g, 'T')
        .split('\n')
        .filter((line) => line.startsWith('✓')),
    ).toEqual([
      `✓ Debian packages (${EVERY_PACKAGE.replaceAll(' ', ', ')})  T`,
      '✓ Temporal server and test server  T',
      '✓ Emulator of Route 53  T',
      '✓ Node packages  T',
      '✓ Build: types checked, compiled  T',
    ]);
    expect(machine.exists('system/usr/sbin/policy-rc.d')).toBe(false);
    expect(fs.readdirSync(machine.path('system/etc/postgresql-common/createcluster.d'))).toEqual([]);
  });

  test('--dry-run prints the commands and changes nothing', async () => {
    const { status, stdout } = await fresh().run('scripts/setup', ['--dry-run']);
    expect(status).toBe(0);
    expect(machine.calls()).toEqual([]);
    expect(machine.exists('project/.switchover')).toBe(false);
    for (const line of ['apt-get update', `${INSTALL} ${EVERY_PACKAGE}`, 'scripts/build'])
      expect(stdout.split('\n').map((printed) => printed.trim())).toContain(line);
  });

  test('two setups at once install once', async () => {
    fresh();
    const both = await Promise.all([machine.run('scripts/setup'), machine.run('scripts/setup')]);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    expect(machine.calls().filter((call) => call.startsWith(INSTALL))).toHaveLength(1);
  });
});

describe('a second run', () => {
  test('does nothing and says what is there', async () => {
    const { status, stderr } = await (await ready()).run('scripts/setup');
    expect({ status, calls: machine.calls() }).toEqual({ status: 0, calls: [] });
    expect(stderr.match(/^✓ .*already there$/gm)).toHaveLength(5);
  });

  test('--quiet says nothing', async () => {
    const outcome = await (await ready()).run('scripts/setup', ['--quiet']);
    expect(outcome).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['the lock', 'project/package-lock.json', [NPM_CI, TSC]],
    ['the Temporal version', 'project/scripts/requirements.txt', [VENV, PIP, TSC]],
    ["the emulator's version", 'project/scripts/requirements-route53.txt', [VENV_53, PIP_53, TSC]],
    ['a source', 'project/core/new.ts', [TSC]],
  ])('does again what depends on %s, and only that', async (_, file, calls) => {
    await ready();
    fs.appendFileSync(machine.path(file), '# changed\n');
    expect(await machine.run('scripts/setup', ['--quiet'])).toMatchObject({ status: 0, stdout: '' });
    expect(machine.calls()).toEqual(calls);
  });

  test('installs a program that went missing', async () => {
    await ready();
    fs.rmSync(machine.path('system/usr/sbin/haproxy'));
    await machine.run('scripts/setup');
    expect(machine.calls()).toContain(`${INSTALL} haproxy`);
  });
});

describe('Debian packages', () => {
  test('only what is missing or too old is installed', async () => {
    fresh({ programs: { ...BOOKWORM, 'redis-server': 'Redis server v=6.0.16', supervisord: '' } });
    await machine.run('scripts/setup');
    expect(machine.calls()).toContain(`${INSTALL} redis-server supervisor`);
  });

  test.each<[string, MachineOptions, string]>([
    ['root', { root: false }, 'sudo '],
    ['apt', { apt: false }, ''],
  ])('without %s setup prints the line to run, exits 2 and changes nothing', async (_, options, sudo) => {
    const { chromium: _gone, ...programs } = BOOKWORM;
    fresh({ ...options, programs: { ...programs, haproxy: 'HAProxy version 2.2.9' } });
    const { status, stderr } = await machine.run('switchover', ['demo']);
    expect(status).toBe(2);
    expect(stderr).toContain('haproxy 2.6 or later (this machine has 2.2.9), chromium 120 or later.');
    expect(stderr).toContain(
      `\n  ${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends haproxy chromium\n`,
    );
    expect(machine.calls()).toEqual([]);
    expect(machine.exists('project/.switchover')).toBe(false);
  });

  test('without root, but with everything there, setup goes on', async () => {
    expect(await fresh({ root: false, programs: BOOKWORM }).run('scripts/setup')).toMatchObject({
      status: 0,
    });
  });

  test("the machine's own policy comes back, also when the installation fails", async () => {
    fresh().program('system/usr/sbin/policy-rc.d', 'own policy');
    machine.write('offline', '');
    const { status, stderr } = await machine.run('scripts/setup');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /E: Unable to fetch some archives\n✗ Debian packages \(.*\): failed with status 100/,
    );
    expect(stderr).toContain('~/project/.switchover/logs/setup.log');
    expect(fs.readFileSync(machine.path('system/usr/sbin/policy-rc.d'), 'utf8')).toContain('own policy');
  });

  test.each([
    ['in the middle', {}],
    ['at the end', BOOKWORM],
  ])('of a setup killed %s of an installation the next one puts back what was there', async (_, programs) => {
    fresh({ programs }).program('system/usr/sbin/policy-rc.d.before', 'own policy');
    const left = '#!/bin/sh\n# by switchover scripts/setup, only while it installs\nexit 101';
    machine.write('system/usr/sbin/policy-rc.d', left);
    fs.chmodSync(machine.path('system/usr/sbin/policy-rc.d'), 0o755);
    expect(await machine.run('scripts/setup')).toMatchObject({ status: 0 });
    expect(fs.readFileSync(machine.path('system/usr/sbin/policy-rc.d'), 'utf8')).toContain('own policy');
    expect(machine.exists('system/usr/sbin/policy-rc.d.before')).toBe(false);
  });

  test('a repository with too old a version is named, not looped on', async () => {
    fresh().program('debian/prometheus', 'prometheus, version 2.15.2+ds');
    const { status, stderr } = await machine.run('scripts/setup');
    expect(status).toBe(1);
    expect(stderr).toContain('prometheus 2.42 or later (this machine has 2.15.2)');
  });
});

describe('Node and Temporal', () => {
  test.each(['18.20.4', '20.18.3'])('Node %s is refused before anything is done', async (nodeVersion) => {
    const { status, stderr } = await fresh({ nodeVersion }).run('scripts/setup');
    expect(status).toBe(2);
    expect(stderr).toContain(`Node.js ${nodeVersion} is too old, 20.19 or later is needed.`);
    expect(machine.calls()).toEqual([]);
  });

  test('a Temporal on PATH is used, nothing is installed beside it', async () => {
    fresh({ programs: BOOKWORM });
    for (const name of ['temporal', 'temporal-test-server']) machine.program(`bin/${name}`, '');
    await machine.run('scripts/setup');
    expect(machine.calls()).toEqual([VENV_53, PIP_53, NPM_CI, TSC]);
  });

  test('a SWITCHOVER_TEMPORAL_BIN that is no program is refused by name', async () => {
    fresh({ programs: BOOKWORM });
    const env = { SWITCHOVER_TEMPORAL_BIN: machine.path('nowhere') };
    const { status, stderr } = await machine.run('scripts/setup', [], env);
    expect(status).toBe(2);
    expect(stderr).toContain('SWITCHOVER_TEMPORAL_BIN is ~/nowhere, which is no program.');
  });

  test('an index that cannot be reached fails its part, and the next run goes on there', async () => {
    fresh({ programs: BOOKWORM }).write('offline', '');
    const { status, stderr } = await machine.run('scripts/setup');
    expect(status).toBe(1);
    expect(stderr).toMatch(/No matching distribution found\n✗ Temporal server and test server: failed/);
    expect(machine.calls()).toEqual([VENV, PIP]);
    fs.rmSync(machine.path('offline'));
    await machine.run('scripts/setup');
    expect(machine.calls()).toEqual([VENV, PIP, VENV_53, PIP_53, NPM_CI, TSC]);
  });
});

describe('build, launcher, bench', () => {
  test('a type error fails the build, shows itself, and the next run builds again', async () => {
    await ready();
    fs.appendFileSync(machine.path('project/core/new.ts'), '\n');
    machine.write('type-errors', 'core/new.ts(1,1): error TS2322');
    const { status, stderr } = await machine.run('scripts/build');
    expect(status).toBe(1);
    expect(stderr).toContain('core/new.ts(1,1): error TS2322');
    machine.calls();
    fs.rmSync(machine.path('type-errors'));
    expect(await machine.run('scripts/build')).toMatchObject({ status: 0 });
    expect(machine.calls()).toEqual([TSC]);
  });

  test('the launcher works through a symlink, keeps the working directory, and leaves standard output alone', async () => {
    await ready();
    fs.symlinkSync('switchover', machine.path('project/link'));
    expect(await machine.run('link', ['run', 'a b'])).toEqual({
      status: 0,
      stdout: `node --enable-source-maps ${machine.path('project/dist/cli/main.js')} run a b, in ${machine.dir}\n`,
      stderr: '',
    });
  });

  test.each([
    ['no-such', 'There is no benchmark "no-such".'],
    ['../core', 'There is no benchmark "../core".'],
    [undefined, 'Usage: npm run bench -- NAME [--json]'],
  ])('bench %s lists those that exist and exits 2', async (name, says) => {
    fs.mkdirSync(fresh().path('project/bench/alert-to-action'), { recursive: true });
    machine.write('project/bench/alert-to-action/main.ts', '');
    const { status, stderr } = await machine.run('scripts/bench', name === undefined ? [] : [name]);
    expect(status).toBe(2);
    expect(stderr).toContain(says);
    expect(stderr).toContain('\n  alert-to-action\n');
  });
});

describe('npm test', () => {
  const JEST = `#!/usr/bin/env bash
    echo "jest \${*/#--outputFile=*/--outputFile}" >>"$MACHINE/calls"
    for argument; do [[ $argument != --outputFile=* ]] || cp "$MACHINE/results" "\${argument#*=}" 2>/dev/null; done
    exit 1`;
  /** What every run of jest finds: a fleet that fails. */
  const results = () => {
    const assertionResults = ['passed', 'failed', 'pending'].map((status) => ({ fullName: status, status }));
    const name = machine.path('project/test/e2e/one.test.ts');
    return JSON.stringify({ testResults: [{ name, status: 'failed', assertionResults }] });
  };

  beforeEach(async () => {
    await ready();
    fs.writeFileSync(machine.path('project/node_modules/.bin/jest'), JEST, { mode: 0o755 });
    fs.rmSync(machine.path('bin/node'));
    fs.symlinkSync(process.execPath, machine.path('bin/node'));
  });

  const AGAIN = 'jest --json --outputFile --runInBand test/e2e/one.test.ts';
  const RULES = `jest --json --outputFile --maxWorkers ${availableParallelism() + 1} --testPathIgnorePatterns test/e2e test/sandbox`;
  test.each([
    {
      args: [],
      fleets: [
        'jest --json --outputFile test/e2e/temporal-ui test/sandbox/mcp-node test/sandbox/sandbox',
        'jest --json --outputFile --runInBand test/e2e/alone/node-failover test/e2e/alone/crashes',
      ],
    },
    {
      args: ['--all'],
      fleets: [
        'jest --json --outputFile --testPathPatterns test/e2e test/sandbox --testPathIgnorePatterns test/e2e/alone',
        'jest --json --outputFile --runInBand test/e2e/alone',
      ],
    },
  ])(
    '$args lints, runs the rules and its fleets, what failed of these again, and ends with one plain line of counts and its status',
    async ({ args, fleets }) => {
      machine.write('results', results());
      const { status, stdout } = await machine.run('scripts/test', args);
      expect({ status, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
        status: 1,
        last: '1 passed, 1 failed, 1 skipped',
      });
      expect(machine.calls()).toEqual(['npm run --silent lint', RULES, ...fleets, AGAIN]);
      expect(fs.readdirSync(machine.path('project/.switchover'))).not.toContainEqual(
        expect.stringContaining('test-results'),
      );
    },
  );

  test('with arguments runs jest with them and nothing else', async () => {
    const { stdout, stderr } = await machine.run('scripts/test', ['test/core', '-t', 'a name']);
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
    expect(machine.calls()).toEqual(['jest --json --outputFile test/core -t a name']);
  });
});
