import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Way } from '../core/ways';
import type { RunOperations } from '../operations/bounded';
import type { ScheduleView } from '../operations/schedules';
import { measureReadiness } from './readiness';

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * The server's own metrics, in a registry of their own so that two servers in one process do not meet.
 * @param operations asked at every scrape for the ways between these regions, and for the readiness and the schedules; what does not answer is left out
 */
export function createMetrics(operations: RunOperations, regions: readonly string[]) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  wayMetrics(() => operations.ways(regions)).forEach((metric) => registry.registerMetric(metric));
  measureReadiness(registry, operations);
  observeSchedules(registry, () => operations.schedules());
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

/** The ways between regions (REQUIREMENTS H5), as the workers of each region saw them last. */
function wayMetrics(ways: () => Promise<Way[]>): Gauge[] {
  const seen = () => ways().catch((): Way[] => []);
  const loss = new Gauge({
    name: 'switchover_way_loss_ratio',
    help: 'Share of the probes from a region to another one that were lost, of the last window',
    labelNames: ['from', 'to'],
    registers: [],
    async collect() {
      const found = await seen();
      this.reset();
      for (const { from, to, probes, lost } of found) if (probes > 0) this.set({ from, to }, lost / probes);
    },
  });
  const latency = new Gauge({
    name: 'switchover_way_latency_seconds',
    help: 'Time that probes from a region to another one took, of the last window',
    labelNames: ['from', 'to', 'quantile'],
    registers: [],
    async collect() {
      const found = await seen();
      this.reset();
      for (const { from, to, p50Ms, p95Ms } of found) {
        if (p50Ms !== null) this.set({ from, to, quantile: '0.5' }, p50Ms / 1_000);
        if (p95Ms !== null) this.set({ from, to, quantile: '0.95' }, p95Ms / 1_000);
      }
    },
  });
  return [loss, latency];
}

/** What was missed is counted where it is written down, so every server tells the same. */
function observeSchedules(registry: Registry, schedules: () => Promise<ScheduleView[]>): void {
  const look = once(() => schedules().catch(() => []));
  const gauge = (name: string, help: string, valueOf: (view: ScheduleView) => number) =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: ['schedule'] as const,
        registers: [],
        async collect() {
          const found = await look();
          this.reset();
          for (const view of found) this.set({ schedule: view.name }, valueOf(view));
        },
      }),
    );
  gauge('switchover_schedule_paused', 'Whether a schedule is paused', ({ paused }) =>
    paused === undefined ? 0 : 1,
  );
  gauge(
    'switchover_schedule_missed_runs',
    'Runs that were due and were not carried out, since the schedule was first kept',
    ({ missed }) => missed.count,
  );
}

/** The metrics of one scrape ask once between them. */
function once<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asked: Promise<Answer> | undefined;
  return () => (asked ??= ask().finally(() => (asked = undefined)));
}
