import { execFile, execFileSync } from 'node:child_process';
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

/** What the compiled program finds beside its `dist`; `.switchover` holds the Temporal server that setup installed. */
const BESIDE = ['node_modules', 'package.json', 'package-lock.json', '.switchover'];

/**
 * Compiles without checking types: that is another job's.
 * @param services also what a sandbox needs: the MCP node and the workflow bundle.
 */
export function build({ services = false } = {}): Built {
  const dir = mkdtempSync(join(tmpdir(), 'switchover-cli-'));
  const dist = join(dir, 'dist');
  for (const name of BESIDE) symlinkSync(join(ROOT, name), join(dir, name));
  tool('tsc', ['--project', ROOT, '--noCheck', '--outDir', dist]);
  if (services) {
    const node = join(ROOT, 'sandbox/mcp-node/main.ts');
    tool('esbuild', [
      node,
      '--bundle',
      '--platform=node',
      `--outfile=${join(dist, 'mcp-node.js')}`,
      '--log-level=error',
    ]);
    execFileSync(process.execPath, [join(dist, 'workers/bundle.js')]);
  }
  const basic = { PATH: process.env['PATH'], HOME: dir, SWITCHOVER_SANDBOX_DIR: join(dir, 'no-sandbox') };
  return {
    dir,
    run: (args, { env = {}, stdin = '', node = [] } = {}) =>
      new Promise((settle) => {
        const child = execFile(
          process.execPath,
          [...node, join(dist, 'cli/main.js'), ...args],
          { cwd: dir, env: { ...basic, ...env } },
          (_, stdout, stderr) => settle({ status: child.exitCode, stdout, stderr }),
        );
        child.stdin?.end(stdin);
      }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function tool(name: string, args: readonly string[]): void {
  execFileSync(join(ROOT, 'node_modules/.bin', name), args, { stdio: 'pipe' });
}
