import { chmod, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskReleases } from '../../../activities/adapters/disk-releases';
import { supervisord } from '../../../activities/adapters/supervisord';
import type { Releases } from '../../../activities/ports';
import { ROOT } from '../../../sandbox/tools';
import { startSupervisord, type TestSupervisord } from '../../harness/supervisord';

/** A node's machine with the program that the sandbox has there, under a real supervisor; it keeps two releases. */
let machine: string;
let supervisor: TestSupervisord;
let releases: Releases;

beforeAll(async () => {
  machine = await mkdtemp(join(tmpdir(), 'machine-'));
  const command = `${join(ROOT, 'sandbox/node-release')} ${machine} 2`;
  supervisor = await startSupervisord('127.130.6.1', { 'n1-release': { command, startsecs: 0 } });
  releases = diskReleases(supervisord(supervisor.config, supervisor.password));
});

beforeEach(async () => {
  for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.10.0']) {
    const folder = join(machine, 'releases', version);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'start'), '');
    await chmod(join(folder, 'start'), 0o755);
  }
  await rm(join(machine, 'history'), { force: true });
  await rm(join(machine, 'current'), { force: true });
  await symlink('releases/1.0.0', join(machine, 'current'));
});

afterAll(async () => {
  await supervisor.stop();
  await rm(machine, { recursive: true });
});

const ALL = ['1.0.0', '1.1.0', '1.2.0', '1.10.0'];

it('tells what is there, the newest last', async () => {
  expect(await releases.look('n1')).toEqual({ current: '1.0.0', before: null, releases: ALL });
});

it('switches the one link, and tells what stood before', async () => {
  expect(await releases.switch('n1', '1.10.0')).toMatchObject({ current: '1.10.0', before: '1.0.0' });
  expect(await readlink(join(machine, 'current'))).toBe('releases/1.10.0');
});

it('keeps the newest two, the current one and the one before it', async () => {
  expect((await releases.switch('n1', '1.1.0')).releases).toEqual(ALL);
  expect(await releases.switch('n1', '1.2.0')).toEqual({
    current: '1.2.0',
    before: '1.1.0',
    releases: ['1.1.0', '1.2.0', '1.10.0'],
  });
});

it('what was given up has never stood: nobody goes back to it', async () => {
  await releases.switch('n1', '1.2.0');
  expect(await releases.switch('n1', '1.0.0')).toMatchObject({ current: '1.0.0', before: null });
  expect(await releases.switch('n1', '1.10.0')).toMatchObject({ current: '1.10.0', before: '1.0.0' });
});

it('done again it changes nothing', async () => {
  const once = await releases.switch('n1', '1.1.0');
  expect(await releases.switch('n1', '1.1.0')).toEqual(once);
});

it('a machine that died between the link and its history tells the truth', async () => {
  await releases.look('n1');
  await rm(join(machine, 'current'));
  await symlink('releases/1.2.0', join(machine, 'current'));
  expect(await releases.look('n1')).toMatchObject({ current: '1.2.0', before: '1.0.0' });
});

it.each(['9.9.9', '..', '1.0.0/../1.1.0'])('%s is no release, and nothing is touched', async (version) => {
  await expect(releases.switch('n1', version)).rejects.toMatchObject({
    code: 'RELEASE_MISSING',
    message: `release ${version} is not on the machine of n1; there are ${ALL.join(', ')}`,
  });
  expect(await readlink(join(machine, 'current'))).toBe('releases/1.0.0');
});

it('orders that come at once are all carried out, each with its own answer', async () => {
  const [seen, switched] = await Promise.all([releases.look('n1'), releases.switch('n1', '1.1.0')]);
  expect(switched.current).toBe('1.1.0');
  expect(seen.releases).toEqual(ALL);
});

it('a node whose supervisor has no such program is named', async () => {
  await expect(releases.look('n2')).rejects.toMatchObject({
    code: 'FLEET_REFUSED',
    message: expect.stringContaining('n2-release'),
  });
});
