import type { NativeConnection } from '@temporalio/worker';
import { lookAtWorld } from '../../activities/readiness/looks';
import type { Config } from '../../core/config';
import { evaluate, type Readiness } from '../../core/readiness';
import { catalogue, loadConfig } from '../../operations';
import { compose } from '../../workers/compose';
import type { TestFleet } from './fleet';

/**
 * How the runbooks stand on a test's real fleet, as a worker of it would find it now; by runbook.
 * @param readiness in place of the sandbox's
 */
export async function readinessOn(
  { sandbox, client }: TestFleet,
  readiness: NonNullable<Config['readiness']> = {},
): Promise<Record<string, Readiness>> {
  Object.assign(process.env, sandbox.env);
  const config = { ...loadConfig(sandbox.configPath), readiness };
  // Nothing is started through it, so that it may be a client's connection.
  const connection = client.connection as unknown as NativeConnection;
  const deps = compose(config, { temporal: client, connection, namespace: 'default' });
  try {
    const seen = await lookAtWorld(deps, undefined, '2000-01-01T00:00:00.000Z');
    const { runbooks } = evaluate(catalogue, config, seen);
    return Object.fromEntries(runbooks.map((one) => [one.runbook, one]));
  } finally {
    await deps.close();
  }
}

/** What stands against a runbook beside that nobody has proven it: `not ready: no node of … serves`. */
export function against({ shortfalls }: Readiness): string[] {
  return shortfalls
    .filter(({ says }) => !says.startsWith('no run or drill'))
    .map(({ verdict, says }) => `${verdict}: ${says}`);
}
