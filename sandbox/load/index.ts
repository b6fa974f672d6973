import { EventEmitter, setMaxListeners } from 'node:events';
import { LoadClient } from './client';
import { classify } from './errors';
import { Ledger } from './ledger';
import type { CallRecord, LoadReport } from './ledger';
import { StubResolver, type Held } from './resolver';

export type { CallRecord, LoadReport } from './ledger';
export type { FailureClass } from './errors';
export type { Held } from './resolver';

/** What load to put on a fleet. */
export interface LoadOptions {
  /** The MCP endpoint, best that of a load balancer, e.g. `http://127.1.0.1:8080/mcp`. */
  url: string;
  /**
   * host:port of the nameserver that knows the URL's host, which is a name then, e.g. `127.0.0.23:53` of `fleet.mcp.test`. Each client
   * keeps what it was answered for as long as the TTL says.
   */
  nameserver?: string;
  /** Number of clients, each with its own session; default 20. */
  clients?: number;
  /** Calls a second of each client; default 10. */
  ratePerClient?: number;
  /** Time after which a request has failed, ms; default 2,000. A call that must initialize first makes three requests. */
  timeoutMs?: number;
}

interface LoadEvents {
  /** A call has finished, well or not. */
  call: [CallRecord];
  /** The fleet has lost the session of this client. */
  'session-lost': [client: number];
  /** The URL's name has led this client to an address, its first or another one. */
  moved: [client: number, address: string];
}

/** A load under way. */
export interface Load {
  /** Stops calling, waits for the calls in flight, ends the sessions and closes all connections. Call it once, always. */
  stop(): Promise<LoadReport>;
  /** The report as of now; calls in flight are not in it. */
  snapshot(): LoadReport;
  /** What each client that was answered holds of the URL's name; empty where the URL has an address. */
  held(): Held[];
  readonly events: EventEmitter<LoadEvents>;
}

/**
 * Starts MCP clients that call the tool `count` at a steady rate, until stopped. Each initializes its session first,
 * which is booked only if it fails, as a failed call.
 *
 * The rate is kept whatever the fleet does (an open loop): a client whose call hangs starts the next one on time,
 * so an outage shows with its full weight instead of slowing the load down. A failed call is counted and never
 * retried. A client without a session initializes one within its next call; while that fails, so do its calls.
 */
export function startLoad(options: LoadOptions): Load {
  const { url, nameserver, clients: size = 20, ratePerClient = 10, timeoutMs = 2_000 } = options;
  const events = new EventEmitter<LoadEvents>();
  const ledger = new Ledger(size, Date.now());
  const stopping = new AbortController();
  setMaxListeners(size, stopping.signal);
  const inFlight = new Set<Promise<void>>();
  const follow = (work: Promise<void>): void => {
    inFlight.add(work);
    void work.then(() => inFlight.delete(work));
  };
  const book = (record: CallRecord): void => {
    ledger.record(record);
    events.emit('call', record);
  };

  const resolvers: StubResolver[] = [];
  const nameOf = (number: number) => {
    if (nameserver === undefined) return undefined;
    const resolver = new StubResolver(nameserver);
    resolvers.push(resolver);
    return { resolver, onMoved: (address: string) => void events.emit('moved', number, address) };
  };
  const clients = Array.from({ length: size }, (_, number) => {
    const onLost = (): void => {
      ledger.recordLostSession();
      events.emit('session-lost', number);
    };
    const client = new LoadClient(new URL(url), timeoutMs, onLost, nameOf(number));
    const intervalMs = 1_000 / ratePerClient;
    const opened = timed(number, () => client.open()).then((record) => {
      if (record.failure !== undefined) book(record);
      const call = (): void => follow(timed(number, () => client.count()).then(book));
      pace(intervalMs, (number / size) * intervalMs, stopping.signal, call);
    });
    follow(opened);
    return client;
  });

  return {
    events,
    snapshot: () => ledger.report(Date.now()),
    held: () => resolvers.flatMap(({ cached }) => cached ?? []),
    async stop() {
      stopping.abort();
      await Promise.all(inFlight);
      const report = ledger.report(Date.now());
      await Promise.all(clients.map((client) => client.close()));
      return report;
    },
  };
}

async function timed(client: number, work: () => Promise<unknown>): Promise<CallRecord> {
  const startedAt = Date.now();
  const started = performance.now();
  const finished = () => ({ client, startedAt, latencyMs: performance.now() - started });
  try {
    await work();
    return finished();
  } catch (error) {
    return { ...finished(), failure: classify(error), message: String(error) };
  }
}

/** Runs `tick` every `intervalMs` after a first `offsetMs`, without drift: a late tick does not delay those after it. */
function pace(intervalMs: number, offsetMs: number, stopping: AbortSignal, tick: () => void): void {
  if (stopping.aborted) return;
  const startedAt = performance.now() + offsetMs;
  let ticks = 0;
  let timer = setTimeout(function next() {
    ticks += 1;
    timer = setTimeout(next, startedAt + ticks * intervalMs - performance.now());
    tick();
  }, offsetMs);
  stopping.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
