import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics';

/** Times every request by route, and gives each answer the id under which the log has its request. */
export function installObservation(app: FastifyInstance, { requests }: Metrics): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
    };
    requests.observe(labels, reply.elapsedTime / 1000);
  });
}
