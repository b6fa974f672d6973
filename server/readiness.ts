import { Gauge, type Registry } from 'prom-client';
import { VERDICTS, type ReadinessView, type Verdict } from '../core/readiness';
import type { RunOperations } from '../operations/bounded';

/** Readiness is asked for at most so often, ms, however often somebody scrapes. */
const FRESH_MS = 15_000;

/** What scrapes are told; of a runbook that is not for this environment nothing. */
const TOLD: readonly Verdict[] = VERDICTS.filter((verdict) => verdict !== 'not here');

/**
 * One gauge a runbook and verdict, 1 for the one that holds: `switchover_runbook_readiness{verdict!="ready"} == 1` is an alert. A
 * scrape does not wait for Temporal longer than it must: what was known is told while it is asked again, `unknown` where it is away.
 */
export function measureReadiness(registry: Registry, operations: RunOperations): void {
  const standing = new Standing(operations);
  const gauge = new Gauge({
    name: 'switchover_runbook_readiness',
    help: 'Whether a runbook could be carried out: 1 for the verdict that holds',
    labelNames: ['runbook', 'verdict'] as const,
    registers: [registry],
    async collect() {
      gauge.reset();
      const verdicts = await standing.verdicts();
      for (const [runbook, now] of Object.entries(verdicts))
        for (const verdict of now === 'not here' ? [] : TOLD)
          gauge.set({ runbook, verdict }, verdict === now ? 1 : 0);
    },
  });
}

/** How the runbooks stand, as it was known a moment ago. */
class Standing {
  private known: Record<string, Verdict> = {};
  private askedAt = 0;

  constructor(private readonly operations: RunOperations) {}

  async verdicts(): Promise<Record<string, Verdict>> {
    if (Date.now() - this.askedAt >= FRESH_MS) {
      const first = this.askedAt === 0;
      this.askedAt = Date.now();
      const asking = this.ask();
      if (first) await asking;
    }
    return this.known;
  }

  private async ask(): Promise<void> {
    const view = await this.operations.readiness().catch(() => null);
    this.known = verdictsOf(view, this.operations);
  }
}

function verdictsOf(view: ReadinessView | null, { catalogue }: RunOperations): Record<string, Verdict> {
  const unknown = catalogue.map(({ id }) => [id, 'unknown'] as const);
  const known = view?.runbooks.map(({ runbook, verdict }) => [runbook, verdict] as const);
  return Object.fromEntries<Verdict>(known ?? unknown);
}
