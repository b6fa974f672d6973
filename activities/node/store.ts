import type { Deps } from '../deps';

/**
 * Whether the session store answers. While it does not, no node opens or continues a session, and a failing MCP call says
 * nothing of the node: to restart it would cure nothing.
 */
export function storeAnswers({ sessions }: Deps): Promise<boolean> {
  return sessions.ping().then(
    () => true,
    () => false,
  );
}
