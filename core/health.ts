/**
 * Node health as a pure state machine (REQUIREMENTS H2, H3):
 * Healthy → Suspicious → Down (3 failures) → Restarting → Syncing → Healthy; Maintenance on the side.
 * Probes come in one at a time; a run that heals the node reports its own steps as events.
 */
export type NodeState = 'healthy' | 'suspicious' | 'down' | 'restarting' | 'syncing' | 'maintenance';

/** How many probes it takes; counts, not times. */
export interface HealthRule {
  /** Consecutive failures after which a node is down (H3: 3). */
  failures: number;
  /** Consecutive successes after which a node is healthy again (H2: 2). */
  successes: number;
}

export const DEFAULT_RULE: HealthRule = { failures: 3, successes: 2 };

/** A node's state and how many probes in a row spoke against it. */
export interface NodeHealth {
  state: NodeState;
  /** Consecutive failed probes while healthy or suspicious; successes while recovering. */
  streak: number;
  /** ISO time of the first failed probe of this fault: the start of the RTO clock. */
  faultAt?: string;
  /** What the last failed probe said. */
  cause?: string;
}

/**
 * What happened to a node. `held`: the load balancer was told to keep it out of service: by the run that heals it where
 * it was failing, by an operator where it was not.
 */
export type HealthEvent =
  | { kind: 'ok'; at: string }
  | { kind: 'fail'; at: string; cause: string }
  | { kind: 'held' }
  | { kind: 'released' };

export const HEALTHY: NodeHealth = { state: 'healthy', streak: 0 };

/** The next state. Never mutates; unknown combinations leave the state as it is. */
export function next(now: NodeHealth, event: HealthEvent, rule: HealthRule = DEFAULT_RULE): NodeHealth {
  switch (event.kind) {
    case 'held':
      return held(now);
    case 'released':
      return OUT_OF_SERVICE.has(now.state) ? { ...now, state: 'syncing', streak: 0 } : now;
    case 'ok':
      return succeeded(now, rule);
    case 'fail':
      return failed(now, event, rule);
  }
}

const OUT_OF_SERVICE: ReadonlySet<NodeState> = new Set(['restarting', 'maintenance']);

function held(now: NodeHealth): NodeHealth {
  if (OUT_OF_SERVICE.has(now.state)) return now;
  const failing = now.state === 'suspicious' || now.state === 'down';
  return { ...now, state: failing ? 'restarting' : 'maintenance', streak: 0 };
}

function succeeded(now: NodeHealth, rule: HealthRule): NodeHealth {
  switch (now.state) {
    case 'healthy':
    case 'suspicious':
      return HEALTHY;
    case 'maintenance':
    case 'restarting':
      return now;
    default: {
      const streak = now.state === 'syncing' ? now.streak + 1 : 1;
      return streak >= rule.successes ? HEALTHY : { ...now, state: 'syncing', streak };
    }
  }
}

function failed(now: NodeHealth, event: { at: string; cause: string }, rule: HealthRule): NodeHealth {
  const { at, cause } = event;
  switch (now.state) {
    case 'healthy':
    case 'suspicious': {
      const streak = now.state === 'suspicious' ? now.streak + 1 : 1;
      const state = streak >= rule.failures ? 'down' : 'suspicious';
      return { state, streak, faultAt: now.faultAt ?? at, cause };
    }
    case 'syncing':
      return { state: 'down', streak: rule.failures, faultAt: now.faultAt ?? at, cause };
    default:
      return { ...now, cause };
  }
}

/** From when on the failures of a place's nodes are one failure of the place. */
export interface DegradedRule {
  /** 0 to 1: more than this share of the nodes (H4: 0.3 of a zone). */
  share: number;
  /** And at least so many nodes: in a small place one node is a large share. */
  atLeast: number;
}

/** Whether so many of a place's nodes have failed that the place has (REQUIREMENTS H4). */
export function isDegraded(down: number, of: number, { share, atLeast }: DegradedRule): boolean {
  return down >= atLeast && down / of > share;
}
