import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** A real process that a test started. */
export interface TestProcess {
  pid: number;
  /** Everything it has printed so far, both streams. */
  output(): string;
  /** Sends a signal; does nothing when the process is gone. */
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process has ended, with its exit code, or null when a signal ended it. */
  exited: Promise<number | null>;
  /** Kills it, also when it is stopped, and waits for its end. */
  kill(): Promise<void>;
}

/**
 * Starts a process that cannot outlive the test: the kernel kills it when the test's process ends, however that ends.
 * The environment is `env` and PATH, nothing else.
 */
export function startProcess(command: string, args: string[], env: NodeJS.ProcessEnv = {}): TestProcess {
  const child: ChildProcess = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve).once('error', reject);
  });
  if (child.pid === undefined)
    throw new Error(`${command} could not be started: is setpriv (util-linux) installed?`);
  return {
    pid: child.pid,
    output: () => output,
    signal: (name) => void child.kill(name),
    exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
