import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Config } from '../../core/config';
import { loadConfig } from '../../operations';
import type { Sandbox } from '../../sandbox';
import type { Call } from './mortal-worker';
import { startProcess, type TestProcess } from './process';

const MAIN = join(__dirname, '../../dist/test/harness/mortal-worker.js');

/** Workers of a test file, on its sandbox and without the monitor: only the runs that the test starts are at work. */
export interface TestWorkers {
  /**
   * @param death the point at which it kills itself, see mortal-worker.ts
   * @param policies in place of the sandbox's
   * @param health of nodes, in place of the sandbox's
   */
  start(options?: {
    death?: string;
    policies?: Partial<Config['policies']>;
    health?: Partial<Config['health']['node']>;
  }): TestProcess;
  /** The calls that changed something, of all workers since {@link forget}, as `isolate a-n1`, in their order. */
  effects(): string[];
  forget(): void;
  /** Kills the worker that was started last, if it lives. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** @param sandbox one without workers of its own */
export function testWorkers(sandbox: Sandbox): TestWorkers {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-workers-'));
  const calls = join(folder, 'calls');
  let last: TestProcess | undefined;
  writeFileSync(calls, '');
  const stop = async () => {
    await last?.kill();
  };
  return {
    start({ death = '', policies, health } = {}) {
      const file = join(folder, 'switchover.yaml');
      const config = loadConfig(sandbox.configPath);
      Object.assign(config.policies, policies);
      Object.assign(config.health.node, health);
      writeFileSync(file, stringify(config));
      const env = { ...sandbox.env, SWITCHOVER_CONFIG: file, DEATH: death, CALLS: calls };
      return (last = startProcess(process.execPath, ['--enable-source-maps', MAIN], env));
    },
    effects: () =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Call)
        .filter(({ call }) =>
          /isolate|drain|admit|add|remove|handOver|promote|follow|release|reinit|switch|holdSentinels|watch|shift|\.(start|stop|kill|place|run)$/.test(
            call,
          ),
        )
        .filter(({ call }) => !call.startsWith('client.'))
        .map(
          ({ call, args }) =>
            `${call.split('.')[1]} ${args.filter((arg) => typeof arg !== 'object').join(' ')}`,
        ),
    forget: () => writeFileSync(calls, ''),
    stop,
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
