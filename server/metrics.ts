import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** The server's own metrics, in a registry of their own so that two servers in one process do not meet. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Histogram({
      name: 'switchover_http_request_duration_seconds',
      help: 'Time to answer a request, by route',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    alerts: new Counter({
      name: 'switchover_alerts_total',
      help: 'Alerts received: opened an incident, joined one, were ignored, or failed and were given back',
      labelNames: ['source', 'result'] as const,
      registers,
    }),
    runs: new Counter({
      name: 'switchover_runs_total',
      help: 'Runs asked for, by the door they came through: started, or joined to one under way',
      labelNames: ['door', 'runbook', 'result'] as const,
      registers,
    }),
  };
}
