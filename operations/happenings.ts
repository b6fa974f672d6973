import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/**
 * Watches the history of a run's workflow grow. Whoever follows a run asks its worker for the report only when that may have changed:
 * asking it again and again would take from the very worker that carries it out.
 */
export class Happenings {
  private closed = false;
  private call: AbortController | undefined;
  private token: Uint8Array | undefined;
  private pending: Promise<void> | undefined;

  constructor(
    private readonly client: Client,
    private readonly run: string,
  ) {}

  /**
   * Returns once the workflow has moved since the last call, after `withinMs`, or when the signal says so: a workflow that no worker
   * carries on has no news, and who follows it has to find out why.
   * @throws what Temporal's client throws
   */
  async next(withinMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    this.pending ??= this.moved().finally(() => (this.pending = undefined));
    const enough = new AbortController();
    const until = signal ? AbortSignal.any([enough.signal, signal]) : enough.signal;
    const patience = delay(withinMs, undefined, { signal: until }).catch(() => undefined);
    await Promise.race([this.pending, patience]).finally(() => enough.abort());
  }

  close(): void {
    this.closed = true;
    this.call?.abort();
  }

  private async moved(): Promise<void> {
    while (!this.closed && !(await this.read()));
  }

  /** Reads on, waiting for news where everything was read. @returns whether the workflow moved, or is over */
  private async read(): Promise<boolean> {
    const { workflowService, options } = this.client;
    this.call = new AbortController(); // each its own: Temporal's client leaves a listener on it
    const { history, nextPageToken } = await this.client.withAbortSignal(this.call.signal, () =>
      workflowService.getWorkflowExecutionHistory({
        namespace: options.namespace,
        execution: { workflowId: this.run },
        waitNewEvent: true,
        ...(this.token && { nextPageToken: this.token }),
      }),
    );
    this.token = nextPageToken?.length ? nextPageToken : undefined;
    const events = history?.events ?? [];
    return this.token === undefined || events.some((event) => event.workflowTaskCompletedEventAttributes);
  }
}
