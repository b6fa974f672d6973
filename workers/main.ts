import { DefaultLogger, NativeConnection, Runtime, type NativeConnectionOptions } from '@temporalio/worker';
import { parseArgs } from 'node:util';
import pino from 'pino';
import { messageOf } from '../core/errors';
import { vantagesOf } from '../activities/region/world';
import { catalogue, connect, loadConfig, temporalOptions } from '../operations';
import { keepReady } from '../operations/readiness';
import { keepTemplates } from '../operations/templates';
import { keepWatch } from '../operations/watch';
import { prebuilt } from './bundle';
import { compose } from './compose';
import { createRegionWorker, createWorker } from './worker';

/**
 * Entry of a worker process: `worker [--region R]`. Runs workflows and activities, and sees to it that every region has its monitor,
 * every schedule its times and every runbook its template.
 * Ends on SIGTERM or SIGINT; what it was doing goes on in another worker at once.
 */
export async function main(): Promise<void> {
  const { values } = parseArgs({ options: { region: { type: 'string' } }, strict: false });
  const here = typeof values['region'] === 'string' ? values['region'] : undefined;
  const log = pino({
    name: 'worker',
    level: process.env['LOG_LEVEL'] ?? 'info',
    base: { region: here, pid: process.pid },
  });
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) =>
      log[level === 'ERROR' ? 'error' : 'warn'](meta ?? {}, message),
    ),
  });

  const config = loadConfig();
  const { connectionOptions, namespace } = temporalOptions();
  // Out of profiles an API key is always a string, never the function that the other kind of connection also takes.
  const connection = await NativeConnection.connect(connectionOptions as NativeConnectionOptions);
  const temporal = await connect();
  const deps = compose(config, { temporal, connection, namespace }, (sentence) => log.warn(sentence), here);
  const worker = await createWorker(deps, connection, namespace, prebuilt());
  const regional = here === undefined ? [] : [await createRegionWorker(deps, connection, namespace, here)];
  const running = Promise.all([worker, ...regional].map((one) => one.run()));
  await deps.operations.keepCoordinated();
  await keepWatch(deps.client, config.environment, vantagesOf(config));
  if (config.health.network) await deps.operations.keepWaysWatched(Object.keys(config.regions));
  await keepReady(deps.client, config);
  deps.foresight.start();
  await deps.operations.keepTime();
  await keepTemplates(deps.client, config.environment, catalogue).catch((error: unknown) =>
    log.warn({ error: messageOf(error) }, 'the start forms of the Temporal UI are not filled in'),
  );
  log.info({ environment: config.environment }, 'ready');
  try {
    await running;
  } finally {
    await deps.close();
    await Promise.all([connection.close(), temporal.connection.close()]);
  }
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(`error: ${messageOf(error)}`);
    process.exitCode = 1;
  });
}
