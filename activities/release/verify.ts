import { sleep } from '@temporalio/activity';
import { SwitchoverError } from '../../core/errors';
import { millis } from '../../core/time';
import { place, type Deps } from '../deps';

/** How a node proves itself after its start (REQUIREMENTS D1). */
export interface Proving {
  /** How long it may take until it is healthy, e.g. `5s`. */
  within: string;
  /** How often it may have that time again. */
  retries: number;
}

/**
 * Waits until a node is healthy, answers real MCP calls, and tells in both that it runs this release.
 * @throws NODE_UNHEALTHY where its process ends, or where it is not in time, with every retry; RELEASE_UNFIT where it tells another release
 */
export async function proveRelease(
  deps: Deps,
  id: string,
  version: string,
  { within, retries }: Proving,
): Promise<string> {
  let last = 'never probed';
  for (let tries = 0; tries <= retries; tries += 1) {
    for (const end = Date.now() + millis(within); Date.now() < end;) {
      const seen = await look(deps, id, version);
      if (seen.ok) return seen.said;
      last = seen.said;
      await sleep(millis(deps.config.health.node.suspiciousInterval));
    }
  }
  throw new SwitchoverError(
    'NODE_UNHEALTHY',
    `${id} with ${version} is not healthy within ${within}, ${retries + 1} times in a row: ${last}`,
  );
}

async function look(deps: Deps, id: string, version: string): Promise<{ ok: boolean; said: string }> {
  const { node, fleet, mcpUrl } = place(deps, id);
  const health = await deps.prober.health(node.address);
  if (!health.ok) {
    const { state, description } = await fleet.status(node.program);
    if (state !== 'running' && state !== 'starting')
      throw new SwitchoverError(
        'NODE_UNHEALTHY',
        `${id} with ${version} ended again: ${state}, ${description}`,
      );
    return health;
  }
  const mcp = await deps.prober.mcp(mcpUrl);
  const told = [health, mcp].find((one) => one.ok && one.version !== undefined && one.version !== version);
  if (told)
    throw new SwitchoverError('RELEASE_UNFIT', `${id} was to run ${version}, and tells ${told.version}`);
  return mcp;
}
