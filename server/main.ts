import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { ERRORS, SwitchoverError, messageOf } from '../core/errors';
import { catalogue, loadConfig } from '../operations';
import { BoundedOperations, lazyClient } from '../operations/bounded';
import { journalOf } from '../operations/journal';
import { readSecret } from '../operations/secrets';
import type { Alert } from './alerts';
import { buildApp } from './app';
import { readTokens } from './plugins/auth';
import { postgresInbox } from './postgres-inbox';

/** Every call to Temporal is through in milliseconds, or not at all: well before those who sent an alert give up. */
const DEADLINE_MS = 5_000;

/**
 * `node dist/server/main.js`: serves the environment file's fleet until SIGTERM or SIGINT. It starts without Temporal,
 * says so at `/readyz`, and serves as soon as Temporal is there. `LOG_LEVEL` sets what is logged.
 */
async function main(): Promise<void> {
  const logger = pino({
    name: 'server',
    level: process.env['LOG_LEVEL'] ?? 'info',
    redact: ['req.headers.authorization', '*.headers.authorization'],
  });
  const config = loadConfig();
  const tokens = readTokens(config.server.tokens);
  const client = lazyClient();
  const operations = new BoundedOperations(client, config.environment, catalogue, DEADLINE_MS);
  const { namespace } = client.options;
  const inbox =
    config.journal &&
    postgresInbox<Alert>(readSecret(config.journal.url, 'journal.url'), config.environment, (sentence) =>
      logger.warn(sentence),
    );
  const reader = journalOf(config);
  const app = await buildApp({
    config,
    operations,
    tokens,
    namespace,
    reader,
    logger,
    ...(inbox ? { inbox } : {}),
  });

  const stop = async (signal: string) => {
    logger.info(`${signal}: finishing what is being answered`);
    await app.close();
    await client.connection.close();
    await reader?.close();
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void stop(signal));

  await listen(app, config.server.listen);
}

/** @throws PORT_TAKEN */
async function listen(app: FastifyInstance, address: string): Promise<void> {
  const colon = address.lastIndexOf(':');
  try {
    await app.listen({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new SwitchoverError('PORT_TAKEN', `server.listen: ${address} is taken by another process`);
  }
}

main().catch((error: unknown) => {
  const hint = error instanceof SwitchoverError ? `\n${ERRORS[error.code].hint}` : '';
  process.stderr.write(`switchover server: ${messageOf(error)}${hint}\n`);
  process.exitCode = 2;
});
