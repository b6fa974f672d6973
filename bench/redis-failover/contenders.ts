import { Redis } from 'ioredis';
import { loadConfig } from '../../operations';
import { breakPart, type Sandbox, type Settings, type Target } from '../../sandbox';
import { SENTINEL_VARIABLE } from '../../sandbox/environment';
import { runSince, withOperations } from '../lib/runs';
import { until } from '../lib/until';

/** Somebody who changes the primary of the session store, or makes it take writes again after it was killed. */
export interface Contender {
  name: string;
  settings: Partial<Settings>;
  /** What is done to the store; returns once it is begun. */
  act: (sandbox: Sandbox) => Promise<unknown>;
  /** How Switchover's run ended, where one is at work. `since`: started no earlier. */
  outcome?: (sandbox: Sandbox, since: Date) => Promise<string>;
}

export const PRIMARY: Target = { kind: 'redis', part: 'primary' };
/** The same for all: three members under three Sentinels, and a small fleet beside them. */
const FLEET = { nodesPerZone: 1, sparesPerZone: 0, server: false, monitoring: false, sentinel: true };
/** Sentinel's own default, ms. */
const DEFAULT_MS = 30_000;

const ended = async (sandbox: Sandbox, since: Date): Promise<string> =>
  (await runSince(sandbox, 'redis/sessions', since)).state;
const kill = ({ dir }: Sandbox): Promise<string> => breakPart({ dir }, PRIMARY, 'kill');

/** The primary is killed; nobody reports it. The first is Switchover. */
export const KILLED: readonly Contender[] = [
  {
    name: 'Switchover, Sentinel at 30 s',
    settings: { ...FLEET, workers: 1, sentinelDownAfter: DEFAULT_MS },
    act: kill,
    outcome: ended,
  },
  {
    name: 'Sentinel alone, 1 s (the tightest that is safe)',
    settings: { ...FLEET, workers: 0, sentinelDownAfter: 1_000 },
    act: kill,
  },
  {
    name: 'Sentinel alone, 30 s (its default)',
    settings: { ...FLEET, workers: 0, sentinelDownAfter: DEFAULT_MS },
    act: kill,
  },
];

/** The primary hands over by plan. The first is Switchover. */
export const PLANNED: readonly Contender[] = [
  {
    name: 'Switchover, redis-switchover',
    settings: { ...FLEET, workers: 1, sentinelDownAfter: DEFAULT_MS },
    act: (sandbox) =>
      withOperations(sandbox, (operations) =>
        operations.start({ runbook: 'redis-switchover', input: {}, by: 'bench' }),
      ),
    outcome: ended,
  },
  {
    name: 'SENTINEL FAILOVER, bare',
    settings: { ...FLEET, workers: 0, sentinelDownAfter: DEFAULT_MS },
    act: sentinelFailover,
  },
];

/** Asks the first Sentinel for a failover of a primary that is well, as an operator would, and returns once all are told of the new one. */
async function sentinelFailover({ configPath, env }: Sandbox): Promise<void> {
  const { name, sentinels } = loadConfig(configPath).sessions.sentinel!;
  const redis = new Redis(`redis://${Object.values(sentinels)[0]}`, {
    password: env[SENTINEL_VARIABLE]!,
    enableReadyCheck: false,
  });
  try {
    const primary = async () => String(await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name));
    const before = await primary();
    await redis.call('SENTINEL', 'FAILOVER', name);
    await until('the Sentinels have another primary', async () => (await primary()) !== before);
  } finally {
    redis.disconnect();
  }
}
