import { mkdtemp, readFile, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIRST_RELEASE, installReleases, machineOf, startOf } from '../../sandbox/releases';
import { DEFAULTS } from '../../sandbox/settings';
import { Defect } from '../../sandbox/mcp-node/defect';

describe('the machines of a sandbox', () => {
  let dir: string;
  const install = () => installReleases(dir, { ...DEFAULTS, failsAfter: 2 }, ['n1', 'n2']);

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'machines-'));
    await install();
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('have every release, and start with the first one', async () => {
    expect(await readlink(join(machineOf(dir, 'n2'), 'current'))).toBe(`releases/${FIRST_RELEASE}`);
    expect(await readFile(startOf(dir, 'n1'), 'utf8')).toMatch(/^#!\/bin\/sh\nVERSION=1\.0\.0 exec '/);
    const failing = join(machineOf(dir, 'n1'), 'releases/1.3.0/start');
    expect(await readFile(failing, 'utf8')).toContain(
      'VERSION=1.3.0 DEFECT=errors DEFECT_AFTER_MS=2000 exec',
    );
  });

  it('keep what they were switched to when the sandbox comes up again', async () => {
    const current = join(machineOf(dir, 'n1'), 'current');
    await rm(current);
    await symlink('releases/1.1.0', current);
    await install();
    expect(await readlink(current)).toBe('releases/1.1.0');
  });
});

describe('a release', () => {
  it('without a defect never fails', () => {
    const none = new Defect(undefined);
    none.ready();
    expect([none.neverReady, none.failing, none.failsNow(), none.failsNow()]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('that never gets ready says so', () => {
    expect(new Defect({ kind: 'never-ready', afterMs: 0 }).neverReady).toBe(true);
  });

  it('that fails is well until it has been ready for its time, and then fails every second call', () => {
    jest.useFakeTimers();
    const sick = new Defect({ kind: 'errors', afterMs: 1_000 });
    expect(sick.failing).toBe(false);
    sick.ready();
    jest.advanceTimersByTime(999);
    expect([sick.failing, sick.failsNow()]).toEqual([false, false]);
    jest.advanceTimersByTime(1);
    expect([sick.failing, sick.failsNow(), sick.failsNow(), sick.failsNow()]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    jest.useRealTimers();
  });
});
