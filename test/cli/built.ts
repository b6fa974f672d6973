import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What a command line left behind. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The command line, compiled into a folder of its own from the sources as they are. */
export interface Built {
  /** A folder for the test's files; removed with the rest. */
  dir: string;
  /** Runs `switchover …args` to its end. The caller's environment reaches it only where `env` says so. */
  run(
    args: readonly string[],
    given?: { env?: Record<string, string>; stdin?: string; node?: string[] },
  ): Promise<Ended>;
  remove(): void;
}

const ROOT = resolve(__dirname, '../..');

/** Compiles without checking types: that is another job's. */
export function build(): Built {
  const dir = mkdtempSync(join(tmpdir(), 'switchover-cli-'));
  for (const name of ['node_modules', 'package.json', 'package-lock.json'])
    symlinkSync(join(ROOT, name), join(dir, name));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const { status, stdout } = spawnSync(tsc, ['--project', ROOT, '--noCheck', '--outDir', join(dir, 'dist')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`tsc ended with status ${status}: ${stdout}`);
  const main = join(dir, 'dist/cli/main.js');
  const basic = { PATH: process.env['PATH'], HOME: dir, SWITCHOVER_SANDBOX_DIR: join(dir, 'no-sandbox') };
  return {
    dir,
    run: (args, { env = {}, stdin = '', node = [] } = {}) =>
      new Promise((settle) => {
        const child = execFile(
          process.execPath,
          [...node, main, ...args],
          { cwd: dir, env: { ...basic, ...env } },
          (_, out, err) => settle({ status: child.exitCode, stdout: out, stderr: err }),
        );
        child.stdin?.end(stdin);
      }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
