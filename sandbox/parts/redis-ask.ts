import { Redis } from 'ioredis';

/** Longest wait for one answer, ms. */
const ANSWER_MS = 500;

/** One question to the Redis or Sentinel at host:port, on a connection of its own. @throws Error where it is not answered */
export async function ask<T>(
  address: string,
  question: (redis: Redis) => Promise<T>,
  password?: string,
): Promise<T> {
  const redis = new Redis(`redis://${address}`, {
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    disconnectTimeout: ANSWER_MS,
  });
  redis.on('error', () => undefined); // connect() says the same
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
