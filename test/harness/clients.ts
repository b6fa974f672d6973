import { startLoad } from '../../sandbox/load';
import { until } from './until';

/** MCP clients that call all the while. */
export interface TestClients {
  /** Once every one of them has called on, all that went wrong for them so far. */
  troubles(): Promise<{ failures: Record<string, number>; sessionsLost: number }>;
  stop(): Promise<unknown>;
}

/** What {@link TestClients.troubles} gives where they noticed nothing. */
export const NONE = { failures: {}, sessionsLost: 0 };

/** Twenty clients of this endpoint, two calls a second each, once all of them have a session. */
export async function testClients(url: string): Promise<TestClients> {
  const load = startLoad({ url, clients: 20, ratePerClient: 2, timeoutMs: 5_000 });
  const callOn = (calls: number) => {
    const { ok } = load.snapshot();
    return until(`${calls} more calls are answered`, () => load.snapshot().ok > ok + calls);
  };
  await callOn(40);
  return {
    async troubles() {
      await callOn(40);
      const { failures, sessionsLost } = load.snapshot();
      return { failures, sessionsLost };
    },
    stop: () => load.stop(),
  };
}
