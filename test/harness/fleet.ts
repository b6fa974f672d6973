import type { Client } from '@temporalio/client';
import { isOver, type RunReport, type RunState } from '../../core/run';
import { Operations, catalogue, connect as connectTemporal } from '../../operations';
import {
  breakPart,
  connect,
  down,
  healPart,
  up,
  type DatabaseFault,
  type DatabasePart,
  type RedisFault,
  type RedisPart,
  type RegionFault,
  type Sandbox,
  type SandboxOptions,
} from '../../sandbox';
import { until } from './until';

/** How long a condition may take on a busy machine, ms. */
const LIMIT_MS = 100_000;

/** A sandbox of its own for a test file, and what tests ask of it. */
export interface TestFleet {
  sandbox: Sandbox;
  operations: Operations;
  client: Client;
  /** Injects a real fault into a node, see `switchover sandbox break`. */
  break: (node: string, fault: string) => Promise<string>;
  heal: (node: string) => Promise<string>;
  /** The same fault for this share of a zone's nodes at once. */
  breakZone: (zone: string, fault: string, share: number) => Promise<string>;
  healZone: (zone: string) => Promise<string>;
  breakRegion: (region: string, fault: RegionFault) => Promise<string>;
  healRegion: (region: string) => Promise<string>;
  /** What the workers of one region send to another one is lost. */
  breakWay: (from: string, to: string) => Promise<string>;
  healWay: (from: string, to: string) => Promise<string>;
  breakBalancer: (region: string, fault: 'kill' | 'hang') => Promise<string>;
  healBalancer: (region: string) => Promise<string>;
  breakRegistry: (fault: 'kill' | 'hang') => Promise<string>;
  healRegistry: () => Promise<string>;
  breakDatabase: (part: DatabasePart, fault: DatabaseFault) => Promise<string>;
  healDatabase: () => Promise<string>;
  breakRedis: (part: RedisPart, fault: RedisFault) => Promise<string>;
  healRedis: () => Promise<string>;
  killWorker: (region: string) => Promise<string>;
  /** Stays so, unlike one that is killed. */
  stopWorker: (region: string) => Promise<string>;
  /** The run that works on this scope, once there is one; a path alone is a node's. */
  runOn: (scope: string) => Promise<string>;
  /** The run's report once it is in this state. */
  reaches: (run: string, state: RunState) => Promise<RunReport>;
  close: () => Promise<void>;
}

/** Brings up a sandbox on this block; `close` leaves nothing of it behind. */
export async function testFleet(options: SandboxOptions & { block: number }): Promise<TestFleet> {
  await down(options);
  await up({
    monitoring: false,
    server: false,
    database: false,
    backups: false,
    sentinel: false,
    dns: false,
    // On a busy machine a node that is well may be late by more than production allows.
    probeTimeout: '1500ms',
    ...options,
  });
  const sandbox = await connect(options);
  const client = await connectTemporal(sandbox.temporalAddress);
  const operations = new Operations(client, 'sandbox', catalogue);
  return {
    sandbox,
    operations,
    client,
    break: (node, fault) => breakPart(options, { kind: 'node', node }, fault),
    heal: (node) => healPart(options, { kind: 'node', node }, true),
    breakZone: (zone, fault, share) => breakPart(options, { kind: 'zone', zone }, fault, { share }),
    healZone: (zone) => healPart(options, { kind: 'zone', zone }, true),
    breakRegion: (region, fault) => breakPart(options, { kind: 'region', region }, fault),
    healRegion: (region) => healPart(options, { kind: 'region', region }),
    breakWay: (from, to) => breakPart(options, { kind: 'way', from, to }, 'cut'),
    healWay: (from, to) => healPart(options, { kind: 'way', from, to }),
    breakBalancer: (region, fault) => breakPart(options, { kind: 'lb', region }, fault),
    healBalancer: (region) => healPart(options, { kind: 'lb', region }),
    breakRegistry: (fault) => breakPart(options, { kind: 'registry' }, fault),
    healRegistry: () => healPart(options, { kind: 'registry' }),
    breakDatabase: (part, fault) => breakPart(options, { kind: 'database', part }, fault),
    healDatabase: () => healPart(options, { kind: 'database', part: 'primary' }),
    breakRedis: (part, fault) => breakPart(options, { kind: 'redis', part }, fault),
    healRedis: () => healPart(options, { kind: 'redis', part: 'primary' }),
    killWorker: (region) => breakPart(options, { kind: 'worker', region }, 'kill'),
    stopWorker: (region) => breakPart(options, { kind: 'worker', region }, 'stop'),
    runOn: (scope) =>
      until(
        `a run works on ${scope}`,
        async () => {
          const { locks } = await operations.coordination();
          return (locks[scope] ?? locks[`node/${scope}`])?.run;
        },
        LIMIT_MS,
      ),
    reaches: async (run, state) => {
      const report = await until(
        `${run} is ${state}`,
        async () => {
          let seen: RunReport | undefined;
          for await (seen of operations.follow(run, { signal: AbortSignal.timeout(LIMIT_MS) }))
            if (seen.state === state || isOver(seen.state)) return seen;
          throw new Error(`it is ${seen?.state}: ${seen?.sentence}`);
        },
        LIMIT_MS,
      );
      if (report.state === state) return report;
      const vain = report.steps.filter((step) => step.state !== 'done');
      const why = vain.map((step) => `\n${step.title}: ${step.state}, ${step.sentence ?? ''}`).join('');
      throw new Error(`${run} is ${report.state} and not ${state}: ${report.sentence}${why}`);
    },
    close: async () => {
      await client.connection.close();
      await down(options);
    },
  };
}
