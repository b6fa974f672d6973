import type { ComponentRule } from '../../core/config';
import { membersToBring } from '../../core/partition';
import { regionConfig } from '../../core/topology';
import { millis } from '../../core/time';
import { WELL, afterCheck, type Check, type WindowHealth } from '../../core/window';
import type { Deps } from '../deps';
import type { Probe } from '../ports';
import type { Clock } from './loop';
import type { Reporter } from './reporter';

/** A component of the health matrix (REQUIREMENTS H1): how it is asked, how judged, and who answers its failure. */
export interface Component {
  scope: string;
  /** For sentences: `the load balancer of us-east-1`. */
  name: string;
  rule: ComponentRule;
  probe: (timeoutMs: number) => Promise<Probe>;
  /** Left out where no runbook answers it: its changes are noted all the same. */
  runbook?: { id: string; input: Record<string, unknown> };
}

/** What a region's monitor watches besides its nodes. What regions share is watched by each: their reports are one fault. */
export function componentsOf(deps: Deps, region: string): Component[] {
  const { config, prober, sessions, operations, registry, database, cache } = deps;
  const { health } = config;
  const answered = (id: string, input: Record<string, unknown>) =>
    operations.catalogue.some((runbook) => runbook.id === id) ? { runbook: { id, input } } : {};
  const answers = (ask: () => Promise<unknown>) => (timeoutMs: number) => prober.answers(ask, timeoutMs);
  const { url } = regionConfig(config, region).loadBalancer;
  return [
    {
      scope: `lb/${region}`,
      name: `the load balancer of ${region}`,
      rule: health.loadBalancer,
      probe: (timeoutMs) => prober.http(new URL('/health', url).href, timeoutMs),
      ...answered('lb-failover', { region }),
    },
    {
      scope: 'redis/sessions',
      name: 'the session store',
      rule: health.sessions,
      // Where a runbook answers it, it is asked with a write as its clients', which has to reach a standby too.
      probe: answers(() => (cache ? cache.cache.write() : sessions.ping())),
      ...(cache ? answered('redis-failover', {}) : {}),
    },
    ...(registry
      ? [
          {
            scope: 'registry/main',
            name: 'the registry',
            rule: health.registry,
            // Asked as clients ask it: whoever is primary behind their address.
            probe: answers(() => registry.registry.registered()),
            ...answered('registry-failover', {}),
          },
        ]
      : []),
    ...(database
      ? [
          {
            scope: 'database/main',
            name: 'the database',
            rule: health.database,
            // Likewise, with a write.
            probe: answers(() => database.database.write({ again: true })),
            ...answered('database-failover', {}),
          },
          {
            scope: 'members/main',
            name: 'a member of the database',
            rule: health.members,
            probe: answers(async () => {
              const away = await database.database.members().then(membersToBring);
              if (away.length > 0)
                throw new Error(away.map(({ member, said }) => `${member}: ${said}`).join('; '));
            }),
            ...answered('partition-response', {}),
          },
          {
            scope: 'control/main',
            name: 'the control plane of the database',
            rule: health.control,
            probe: answers(async () => {
              const silent = (await database.database.control()).filter(({ ok }) => !ok);
              if (silent.length > 0)
                throw new Error(silent.map(({ server, said }) => `${server}: ${said}`).join('; '));
            }),
            ...answered('control-plane-restart', {}),
          },
        ]
      : []),
  ];
}

/** Checks one component in its interval, one check at a time. */
export class ComponentWatch {
  private dueAt = Date.now();

  constructor(
    private readonly component: Component,
    private readonly clock: Clock,
    private readonly reporter: Reporter,
    public health: WindowHealth = WELL,
  ) {}

  get scope(): string {
    return this.component.scope;
  }

  tick(now: number): void {
    if (now >= this.dueAt) void this.check(now);
  }

  private async check(began: number): Promise<void> {
    const { rule, probe } = this.component;
    const timeout = millis(rule.timeout);
    this.dueAt = Number.POSITIVE_INFINITY;
    const { ok, said, ms } = await probe(timeout);
    this.dueAt = began + millis(rule.interval);
    // A time-out says nothing about the component when this process could not have heard the answer.
    if (!ok && ms >= timeout && this.clock.lateAt >= began) return;
    await this.judge({ ok, said, at: new Date(began).toISOString() });
  }

  private async judge(check: Check): Promise<void> {
    const { scope, name, rule, runbook } = this.component;
    const was = this.health;
    this.health = afterCheck(was, check, rule);
    const { state, cause, faultAt = check.at } = this.health;
    if (state !== was.state) {
      const because = cause === undefined ? {} : { cause };
      this.reporter.changed({ scope, from: was.state, to: state, at: check.at, ...because });
    }
    if (state === 'healthy') return this.reporter.well(scope);
    if (!runbook) return;
    await this.reporter.fault({
      runbook: runbook.id,
      input: runbook.input,
      scope,
      alert: {
        source: 'monitor',
        fingerprint: `failed/${scope}`,
        summary: `${name} has failed: ${cause}`,
        faultAt,
      },
    });
  }
}
