import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { asOf, type ReadinessView } from '../core/readiness';
import type { Forecast } from '../core/run';
import { TASK_QUEUE, bookkeeperId, lookAgain, readiness, readinessId } from '../workflows/messages';

/** Sees to it that readiness is evaluated all the while, and that the journal's books are kept where there is a journal. */
export async function keepReady(
  { workflow }: Client,
  { environment, journal }: { environment: string; journal?: unknown },
): Promise<void> {
  const common = { taskQueue: TASK_QUEUE, workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  await workflow.start('readiness', {
    ...common,
    workflowId: readinessId(environment),
    args: [],
    staticSummary: `Whether the runbooks of ${environment} could be carried out`,
  });
  if (journal === undefined) return;
  await workflow.start('bookkeeper', {
    ...common,
    workflowId: bookkeeperId(environment),
    args: [],
    staticSummary: `Keeps the journal of ${environment}: runs, steps, audit`,
  });
}

/** How the runbooks stand, as it was last evaluated; null where it never was. Out of date, nothing is known any more. */
export async function readinessOf(client: Client, environment: string): Promise<ReadinessView | null> {
  try {
    const view = await client.workflow.getHandle(readinessId(environment)).query(readiness);
    return view && asOf(view, new Date().toISOString());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Has everything looked at now; takes as long as the slowest look. Null where nobody evaluates. */
export async function readinessAgain(client: Client, environment: string): Promise<ReadinessView | null> {
  try {
    return await client.workflow.getHandle(readinessId(environment)).executeUpdate(lookAgain);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** How often what is foreseen is asked for, ms. */
const EVERY_MS = 30_000;

/**
 * What a run begun now is expected to come to, kept in this process: a fault must not wait for anybody to look that up. It is asked for
 * beside all work, and what was known last stands until there is something newer.
 */
export class Foresight {
  private view: ReadinessView | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly ask: () => Promise<ReadinessView | null>) {}

  /** Keeps itself up to date until it is stopped. */
  start(): void {
    const look = () => this.refresh().catch(() => undefined);
    void look();
    this.timer = setInterval(() => void look(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async refresh(): Promise<void> {
    this.view = (await this.ask()) ?? this.view;
  }

  /** At once, from memory; undefined where nobody has evaluated the runbook. */
  of(runbook: string): Forecast | undefined {
    if (!this.view) return undefined;
    const now = asOf(this.view, new Date().toISOString());
    const found = now.runbooks.find((one) => one.runbook === runbook);
    if (!found) return undefined;
    const { forecast, verdict, shortfalls } = found;
    const against = verdict === 'not ready' || verdict === 'unknown' ? shortfalls[0] : undefined;
    return { ...forecast, ...(against ? { doubt: against.says } : {}) };
  }
}
