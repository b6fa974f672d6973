import type { Config } from '../core/config';
import type { Operations } from '../operations';
import type { BoundedOperations } from '../operations/bounded';
import { chooseEnvironment } from './environment';

/** What a command works with: the environment, and the operations on its runs. */
export interface Session {
  config: Config;
  operations: Operations & Pick<BoundedOperations, 'readiness'>;
  /** The run in the Temporal UI, where the environment has one. */
  link: (run: string) => string | undefined;
}

/** After this long without an answer Temporal counts as away. */
const DEADLINE_MS = 5000;

/**
 * Opens the environment, works with it, and closes it again. All of Temporal is loaded here and not before.
 * @throws BAD_CONFIG and TEMPORAL_UNREACHABLE, besides what `work` throws.
 */
export async function withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  return withEnvironment(await chooseEnvironment(), work);
}

/** The same for the environment of this file. */
export async function withEnvironment<T>(file: string, work: (session: Session) => Promise<T>): Promise<T> {
  const { catalogue, loadConfig, temporalOptions } = await import('../operations/index.js');
  const { BoundedOperations, lazyClient } = await import('../operations/bounded.js');
  const { createLinks } = await import('../server/links.js');
  const config = loadConfig(file);
  const client = lazyClient();
  try {
    const operations = new BoundedOperations(client, config.environment, catalogue, DEADLINE_MS);
    const links = createLinks(temporalOptions().namespace, config.environment, config.server.temporalUi);
    return await work({ config, operations, link: (run) => links.run(run).ui });
  } finally {
    await client.connection.close();
  }
}
