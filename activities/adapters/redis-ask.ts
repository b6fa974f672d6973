import { Redis } from 'ioredis';

/** Longest wait for a whole call, ms: a member that needs longer is no use to its clients. */
export const TIMEOUT_MS = 800;
/** How long the connection to a hung one is kept after that, ms. */
const CLOSE_MS = 100;

/** Nobody has accepted or refused the connection in time; of one that hangs its machine accepts it. */
class NoConnection extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super(`no connection within ${TIMEOUT_MS} ms`);
  }
}

/** Fields of Redis's `INFO`. */
export type Info = Partial<Record<string, string>>;

/**
 * One question on a connection of its own, so that what a server was or said before tells nothing about now. The client's time-outs
 * are for each command and do not bound its handshake.
 * @throws what went wrong on the wire, or what the server answered, within {@link TIMEOUT_MS}
 */
export async function ask<T>(
  url: string,
  password: string | undefined,
  question: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis(url, {
    ...(password !== undefined && { password }),
    lazyConnect: true,
    disconnectTimeout: CLOSE_MS,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let refused: Error | undefined;
  redis.on('error', (error: Error) => (refused = error)); // connect() itself only says that the connection is closed
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const late = new Promise<never>((_, reject) =>
    deadline.addEventListener('abort', () => reject(deadline.reason as Error)),
  );
  try {
    return await Promise.race([redis.connect().then(() => question(redis)), late]);
  } catch (error) {
    if (deadline.aborted && redis.status === 'connecting') throw new NoConnection();
    throw deadline.aborted ? error : (refused ?? error);
  } finally {
    redis.disconnect();
  }
}

/** The fields of an answer to `INFO`. */
export function fieldsOf(text: string): Info {
  return Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}
