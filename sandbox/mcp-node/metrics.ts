import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** The node's own registry: every series carries the label `node`. */
export interface Metrics {
  registry: Registry;
  /** Counts and times one MCP request; a status of 500 or more counts as an error as well. */
  observe(method: string, status: number, seconds: number): void;
  /** What the node holds now: sessions of its buckets, MCP requests not yet answered. */
  setLoad(sessions: number, inFlight: number): void;
}

/**
 * How often a node looks how late its event loop is, ms. At the library's default of 10 ms a fleet of 72 idle nodes kept two
 * cores half busy with waking up.
 */
const LOOP_LOOK_MS = 500;

/** Creates the metrics of one process. Call once: the default metrics watch the event loop and garbage collection. */
export function createMetrics(nodeId: string, version: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ node: nodeId });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LOOK_MS });
  const registers = [registry];
  const build = new Gauge({
    name: 'mcp_build_info',
    help: '1; its release',
    labelNames: ['version'],
    registers,
  });
  build.set({ version }, 1);
  const labelNames = ['method', 'status'] as const;
  const requests = new Counter({ name: 'mcp_requests_total', help: 'MCP requests', labelNames, registers });
  const errors = new Counter({ name: 'mcp_errors_total', help: 'MCP requests answered with 5xx', registers });
  const duration = new Histogram({
    name: 'mcp_request_duration_seconds',
    help: 'Time to answer an MCP request',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const sessions = new Gauge({
    name: 'mcp_sessions',
    help: 'Sessions of the buckets this node owns',
    registers,
  });
  const inFlight = new Gauge({
    name: 'mcp_requests_in_flight',
    help: 'MCP requests not yet answered',
    registers,
  });
  return {
    registry,
    observe(method, status, seconds) {
      requests.inc({ method, status });
      duration.observe(seconds);
      if (status >= 500) errors.inc();
    },
    setLoad(owned, unanswered) {
      sessions.set(owned);
      inFlight.set(unanswered);
    },
  };
}
