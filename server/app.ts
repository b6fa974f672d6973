import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { Alert } from './alerts';
import type { AppOptions, Deps } from './deps';
import { Feeds } from './feeds';
import { noInbox } from './inbox';
import { createLinks } from './links';
import { createMetrics } from './metrics';
import { guard } from './plugins/auth';
import { installObservation } from './plugins/observe';
import { installOpenapi } from './plugins/openapi';
import { answerProblem, installProblems } from './plugins/problem';
import { installValidation } from './plugins/validation';
import { decisions } from './routes/decisions';
import { events } from './routes/events';
import { fleet } from './routes/fleet';
import { journal } from './routes/journal';
import { readiness } from './routes/readiness';
import { runbooks } from './routes/runbooks';
import { runs } from './routes/runs';
import { schedules } from './routes/schedules';
import { state } from './routes/state';
import { webhooks } from './routes/webhooks';
import { installSchemas } from './schemas';

/**
 * The server without its socket: everything but listening, ready for `listen` or `inject`. Closing it ends the streams
 * of those who watch runs; the runs go on.
 */
export async function buildApp({
  config,
  operations,
  tokens,
  namespace,
  inbox = noInbox<Alert>(),
  reader,
  logger,
}: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({ ...OPTIONS, ...(logger ? { loggerInstance: logger } : {}) });
  const deps: Deps = {
    config,
    operations,
    tokens,
    inbox,
    feeds: new Feeds(operations),
    links: createLinks(namespace, config.environment, config.server.temporalUi),
    reader,
    metrics: createMetrics(operations, Object.keys(config.regions)),
  };
  installProblems(app);
  installValidation(app);
  installSchemas(app);
  installObservation(app, deps.metrics);
  await installOpenapi(app);
  app.removeContentTypeParser('text/plain');
  app.addHook('preClose', async () => {
    deps.feeds.close();
    // Idle connections are closed at once; one that never sent a request does not count as idle and would hold the server.
    setTimeout(() => app.server.closeAllConnections(), GRACE_MS).unref();
  });

  await app.register(state, deps);
  await app.register(api(deps), { prefix: '/api/v1' });
  await app.register(hooks(deps), { prefix: '/webhooks' });
  return app;
}

/** What is being answered has this long to finish when the server closes. */
const GRACE_MS = 6_000;

const OPTIONS: FastifyServerOptions = {
  genReqId: () => randomUUID(),
  // Errors before there is a route, such as a URL that cannot be decoded.
  frameworkErrors: answerProblem,
  // A HEAD of an event stream would watch the run.
  exposeHeadRoutes: false,
  // Anybody may choose the id of a run started in the Temporal UI.
  routerOptions: { maxParamLength: 1000 },
};

const api = (deps: Deps) => async (app: FastifyInstance) => {
  guard(app, deps.tokens, ['bearer']);
  for (const routes of [runs, decisions, events, runbooks, fleet, readiness, journal, schedules])
    await app.register(routes, deps);
};

const hooks = (deps: Deps) => async (app: FastifyInstance) => {
  // Alertmanager and others can be given a password where they cannot be given a token.
  guard(app, deps.tokens, ['bearer', 'basic']);
  await app.register(webhooks, deps);
};
