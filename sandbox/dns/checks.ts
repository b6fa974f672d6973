import { connect } from 'node:net';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { HealthCheck } from '@aws-sdk/client-route-53';

/** A check that is being made, and what it came to. */
interface Watch {
  check: HealthCheck;
  /** Taken for healthy until enough checks in a row say otherwise. */
  healthy: boolean;
  /** Checks in a row that said the opposite. */
  against: number;
  end: AbortController;
}

/** How long an endpoint may take, ms: Route 53's 2 s for the answer. */
const TIMEOUT_MS = 2_000;

/**
 * Makes the health checks of Route 53 itself: HTTP (2xx or 3xx) and TCP, to the address of the check. Where Route 53 has checkers in
 * many places here is one, and it checks at an interval of its own; how many checks in a row turn the verdict is the check's.
 */
export class HealthChecks {
  private readonly watches = new Map<string, Watch>();

  /** @param intervalMs between two checks of an endpoint */
  constructor(private readonly intervalMs: number) {}

  /** Makes these from now on, and no others. One that changed keeps its verdict. */
  follow(checks: readonly HealthCheck[]): void {
    const ids = new Set(checks.map(({ Id }) => Id));
    for (const [id, { end }] of this.watches) {
      if (ids.has(id)) continue;
      end.abort();
      this.watches.delete(id);
    }
    for (const check of checks) {
      const known = this.watches.get(check.Id!);
      if (known) known.check = check;
      else this.begin(check);
    }
  }

  /** The verdict, as Route 53 gives it: a check that is disabled is passed, an inverted one is turned round. */
  healthy(id: string): boolean {
    const watch = this.watches.get(id);
    if (!watch) return true;
    const { Disabled, Inverted } = watch.check.HealthCheckConfig!;
    const passed = Disabled === true || watch.healthy;
    return Inverted === true ? !passed : passed;
  }

  private begin(check: HealthCheck): void {
    const watch: Watch = { check, healthy: true, against: 0, end: new AbortController() };
    this.watches.set(check.Id!, watch);
    void this.watch(watch);
  }

  private async watch(watch: Watch): Promise<void> {
    const { signal } = watch.end;
    while (!signal.aborted) {
      if (watch.check.HealthCheckConfig!.Disabled !== true) note(watch, await passes(watch.check));
      await pause(this.intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function note(watch: Watch, passed: boolean): void {
  watch.against = passed === watch.healthy ? 0 : watch.against + 1;
  if (watch.against < (watch.check.HealthCheckConfig!.FailureThreshold ?? 3)) return;
  watch.healthy = passed;
  watch.against = 0;
}

async function passes({ HealthCheckConfig: config }: HealthCheck): Promise<boolean> {
  const { IPAddress: host = '', Port: port = 80, Type: type, ResourcePath: path = '/' } = config!;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const look =
    type === 'TCP' ? connects(host, port, signal) : answers(`http://${host}:${port}${path}`, signal);
  return look.catch(() => false);
}

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal, redirect: 'manual', headers: { connection: 'close' } });
  await response.body?.cancel();
  return response.status >= 200 && response.status < 400;
}

async function connects(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  const socket = connect({ host, port, signal });
  await once(socket, 'connect').finally(() => socket.destroy());
  return true;
}
