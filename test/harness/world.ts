import type { Database } from '../../activities/ports';
import type { RunReport, StepRecord, StepState } from '../../core/run';
import { loadConfig } from '../../operations';
import type { Load } from '../../sandbox/load';
import { startWriter, type Writer } from '../../sandbox/load/writes';
import { databaseAt } from '../../bench/lib/database';
import { startLoadByName } from '../../bench/lib/load';
import { testFleet, type TestFleet } from './fleet';
import type { smallSandbox } from './sandbox';
import { until } from './until';

/** More than all health checks and TTLs of a run together, on a busy machine. */
const LONG_MS = 170_000;

/** A fleet of several regions that clients find by its name, for a test file. To be asked inside tests. */
export interface TestWorld {
  readonly fleet: TestFleet;
  /** Clients that go by the fleet's name, once each has an answer, and a writer, once rows are acknowledged; ended after the test. */
  traffic(): Promise<{ load: Load; writer: Writer }>;
  /** The regions to which the clients' own resolvers lead them, in alphabetical order. */
  ledTo(load: Load): string[];
  /** The report of a run that is over, whatever its end. */
  ended(run: string): Promise<RunReport>;
  database(): Database;
}

/** Has regions up during the tests of a file, with a database, Sentinels, a name that is kept for 3 s, and a worker and a monitor each. */
export function useWorld(
  options: ReturnType<typeof smallSandbox>,
  { clients, ...more }: { clients: number; workers?: number; recovery?: boolean; backups?: boolean },
): TestWorld {
  const made = {} as { fleet: TestFleet };
  let load: Load | undefined;
  let writer: Writer | undefined;

  beforeAll(async () => {
    made.fleet = await testFleet({
      ...options,
      workers: 3,
      database: true,
      sentinel: true,
      dns: true,
      dnsTtl: 3,
      dnsChecks: '1s/2',
      // Nine nodes in all: one region and a false alarm on a busy machine would be half of them.
      limits: false,
      ...more,
    });
  });
  afterEach(async () => {
    await Promise.all([load?.stop(), writer?.stop()]);
    load = writer = undefined;
  });
  afterAll(() => made.fleet?.close());

  const config = () => loadConfig(made.fleet.sandbox.configPath);

  /** What is at work, in words. */
  const atWork = async (): Promise<string[]> => {
    const { operations } = made.fleet;
    const open = (await operations.list({ limit: 30 })).filter(({ endedAt }) => endedAt === undefined);
    const reports = await Promise.all(open.map(({ run }) => operations.show(run)));
    return reports.map(({ run, state, sentence }) => `${run} is ${state}: ${sentence}`);
  };

  return Object.assign(made, {
    async traffic() {
      const calls = (load = startLoadByName(config(), { clients, ratePerClient: 2 }));
      const writes = (writer = await startWriter({
        url: made.fleet.sandbox.databaseUrl,
        rate: 100,
        timeoutMs: 5_000,
      }));
      await until('clients are answered', () => calls.snapshot().ok > 10 * clients);
      await until('rows are acknowledged', () => writes.snapshot().acknowledged > 100);
      return { load: calls, writer: writes };
    },
    ledTo({ held }: Load) {
      const byAddress = new Map(
        Object.entries(config().regions).map(([name, { loadBalancer }]) => [
          new URL(loadBalancer.url).hostname,
          name,
        ]),
      );
      return [...new Set(held().map(({ address }) => byAddress.get(address) ?? address))].toSorted();
    },
    ended: (run: string) =>
      until(
        `${run} is over`,
        async () => {
          try {
            return await made.fleet.operations.wait(run, LONG_MS);
          } catch {
            throw new Error((await atWork()).join('\n'));
          }
        },
        LONG_MS,
      ),
    database: () => databaseAt(made.fleet.sandbox),
  });
}

export const titles = (steps: readonly StepRecord[]): string[] => steps.map(({ title }) => title);

/** The first step whose title is like this. */
export const stepLike = ({ steps }: RunReport, title: RegExp): StepRecord =>
  steps.find((step) => title.test(step.title))!;

/** What a run did or would do, runs beneath it included. */
export const deeds = ({ steps }: RunReport, state: StepState): StepRecord[] =>
  steps.flatMap((step) => {
    if (step.nested) return deeds(step.nested, state);
    return step.kind === 'act' && step.state === state ? [step] : [];
  });
