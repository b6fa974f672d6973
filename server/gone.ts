import type { FastifyReply } from 'fastify';

/**
 * Aborted when the answer is out or its client has gone. `request.signal` will not do: it watches the request, which
 * closes as soon as its body was read.
 */
export function gone({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  if (raw.destroyed) controller.abort();
  else raw.once('close', () => controller.abort());
  return controller.signal;
}
