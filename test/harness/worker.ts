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
   * @param lies whether its runs claim what they have not done, see mortal-worker.ts
   * @param death the point at which it kills itself, see mortal-worker.ts
   * @param policies in place of the sandbox's
   * @param health of nodes, in place of the sandbox's
   * @param region where it stands; in none where it is left out
   * @param only it does nothing but what has to be done from there
   */
  start(options?: {
    death?: string;
    lies?: boolean;
    policies?: Partial<Config['policies']>;
    health?: Partial<Config['health']['node']>;
    region?: string;
    only?: boolean;
  }): TestProcess;
  /** The calls that changed something, of all workers since {@link forget}, as `isolate a-n1`, in their order. */
  effects(): string[];
  forget(): void;
  /** Kills those of the workers that live. */
  stop(): Promise<void>;
  /** After a test: kills the workers, but for those that would only be started again as they are; the next start makes use of these, or kills them. */
  rest(): Promise<void>;
  close(): Promise<void>;
}

/** @param sandbox one without workers of its own */
export function testWorkers(sandbox: Sandbox): TestWorkers {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-workers-'));
  const calls = join(folder, 'calls');
  let started: { worker: TestProcess; kind: string; alive: boolean }[] = [];
  let resting: typeof started = [];
  writeFileSync(calls, '');
  const kill = async (all: typeof started) =>
    void (await Promise.all(all.map(({ worker }) => worker.kill())));
  const stop = async () => {
    const all = [...started, ...resting];
    started = resting = [];
    await kill(all);
  };
  return {
    start(options: Parameters<TestWorkers['start']>[0] = {}) {
      const { death = '', lies = false, policies, health, region = '', only = false } = options;
      const kind = JSON.stringify(options);
      const again = resting.find((one) => one.kind === kind && one.alive);
      void kill(resting.filter((one) => one !== again));
      resting = [];
      if (again) {
        started.push(again);
        return again.worker;
      }
      const file = join(folder, 'switchover.yaml');
      const config = loadConfig(sandbox.configPath);
      Object.assign(config.policies, policies);
      Object.assign(config.health.node, health);
      writeFileSync(file, stringify(config));
      const where = { REGION: region, ONLY: only ? 'yes' : '', ...(lies ? { LIE: '1' } : {}) };
      const env = { ...sandbox.env, SWITCHOVER_CONFIG: file, DEATH: death, CALLS: calls, ...where };
      const worker = startProcess(process.execPath, [MAIN], env);
      const one = { worker, kind, alive: true };
      void worker.exited.then(() => (one.alive = false));
      started.push(one);
      return worker;
    },
    effects: () =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Call)
        .filter(({ call }) =>
          /isolate|drain|admit|bind|add|remove|handOver|promote|follow|release|reinit|switch|holdSentinels|watch|shift|\.(start|stop|kill|place|run)$/.test(
            call,
          ),
        )
        .filter(({ call }) => !call.startsWith('client.') && call !== 'releases.look')
        .map(
          ({ call, args }) =>
            `${call.split('.')[1]} ${args.filter((arg) => typeof arg !== 'object').join(' ')}`,
        ),
    forget: () => writeFileSync(calls, ''),
    stop,
    async rest() {
      const goesOn = ({ kind }: { kind: string }) => !/"(death|lies|region|only)"/.test(kind);
      resting = [...resting, ...started.filter(goesOn)];
      const others = started.filter((one) => !goesOn(one));
      started = [];
      await kill(others);
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
