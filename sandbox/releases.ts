import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { built, requireBuilt } from './tools';
import type { Settings } from './settings';

const BUNDLE = 'mcp-node.js';
/** The program of a release: starts the MCP node as that release. */
const START = 'start';

/** So many releases a node's machine keeps, besides the one that it runs and the one before. */
export const RELEASES_KEPT = 5;

/** The release that every node runs at first. */
export const FIRST_RELEASE = '1.0.0';

/** What the releases set in their node's environment, by version: one is good, one never gets healthy, one fails while it serves. */
function releases({ failsAfter }: Settings): Record<string, Record<string, string>> {
  return {
    [FIRST_RELEASE]: {},
    '1.1.0': {},
    '1.2.0': { DEFECT: 'never-ready' },
    '1.3.0': { DEFECT: 'errors', DEFECT_AFTER_MS: String(failsAfter * 1_000) },
  };
}

/** A node's machine: what is installed there, see sandbox/node-release. */
export function machineOf(dir: string, program: string): string {
  return join(dir, 'machines', program);
}

/** What a node's supervisor starts: the program of its current release. */
export function startOf(dir: string, program: string): string {
  return join(machineOf(dir, program), 'current', START);
}

/** Has every release on each of these nodes' machines, where it is not there yet; what runs is not touched. */
export async function installReleases(
  dir: string,
  settings: Settings,
  programs: readonly string[],
): Promise<void> {
  const all = releases(settings);
  for (const [version, defects] of Object.entries(all)) await store(dir, version, defects);
  await Promise.all(programs.map((program) => install(dir, program, Object.keys(all))));
}

/** A release as somebody has built it, for all machines of the sandbox. */
async function store(dir: string, version: string, defects: Record<string, string>): Promise<void> {
  requireBuilt(BUNDLE);
  const folder = join(dir, 'releases', version);
  await mkdir(folder, { recursive: true });
  await whole(join(folder, BUNDLE), (path) => copyFile(built(BUNDLE), path));
  const environment = Object.entries({ VERSION: version, ...defects }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const start = [
    '#!/bin/sh',
    `${environment.join(' ')} exec '${process.execPath}' '${join(folder, BUNDLE)}'`,
  ];
  await whole(join(folder, START), (path) => writeFile(path, `${start.join('\n')}\n`, { mode: 0o755 }));
}

/** Makes a file that nobody sees half: regions come up beside each other, and nodes of one may start already. */
async function whole(path: string, make: (path: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`;
  await make(unfinished);
  await rename(unfinished, path);
}

async function install(dir: string, program: string, versions: readonly string[]): Promise<void> {
  const machine = machineOf(dir, program);
  await mkdir(join(machine, 'releases'), { recursive: true });
  for (const version of versions)
    await link(join(dir, 'releases', version), join(machine, 'releases', version));
  await link(join('releases', FIRST_RELEASE), join(machine, 'current'));
}

async function link(target: string, path: string): Promise<void> {
  await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
