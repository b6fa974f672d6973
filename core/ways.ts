/**
 * The ways from one region to another (REQUIREMENTS H5): what is lost on them and how long they take, by probes in a window. Pure rules;
 * who probes is activities/monitor/ways.ts.
 */
import { elapsed } from './report';

/** From when on a way is not well. */
export interface WayRule {
  /** Probes that are remembered. */
  of: number;
  /** More than this share of them lost, 0 to 1, and more than one: it is lossy. */
  loss: number;
  /** Nineteen of twenty took less; above this, ms, it is slow. */
  slowMs: number;
}

/** How a way is, with what that rests on. */
export interface WayHealth {
  state: 'healthy' | 'lossy' | 'slow';
  /** Milliseconds of the last probes, oldest first; null: lost. */
  recent: (number | null)[];
}

/** What the probes of a window come to; milliseconds, null where every one was lost. */
export interface WayFigures {
  probes: number;
  lost: number;
  p50Ms: number | null;
  p95Ms: number | null;
}

/** A way as it was seen lately. */
export interface Way extends WayFigures {
  from: string;
  to: string;
  state: WayHealth['state'];
}

export const UNPROBED: WayHealth = { state: 'healthy', recent: [] };

/** The health after one more probe; null: it was lost. Never mutates. */
export function afterProbe(now: WayHealth, ms: number | null, rule: WayRule): WayHealth {
  const recent = [...now.recent, ms].slice(-rule.of);
  const { probes, lost, p95Ms } = figuresOf(recent);
  // One lost probe is no loss to speak of, however few there were.
  if (lost > 1 && lost / probes > rule.loss) return { state: 'lossy', recent };
  return { state: p95Ms !== null && p95Ms > rule.slowMs ? 'slow' : 'healthy', recent };
}

export function figuresOf(recent: readonly (number | null)[]): WayFigures {
  const answered = recent.filter((ms) => ms !== null).toSorted((a, b) => a - b);
  const at = (share: number) => answered[Math.ceil(share * answered.length) - 1] ?? null;
  return {
    probes: recent.length,
    lost: recent.length - answered.length,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
  };
}

/** `3 of 20 probes lost, p50 12 ms, p95 40 ms` */
export function wayInWords({ probes, lost, p50Ms, p95Ms }: WayFigures): string {
  const took = p50Ms === null || p95Ms === null ? [] : [`p50 ${elapsed(p50Ms)}`, `p95 ${elapsed(p95Ms)}`];
  return [`${lost} of ${probes} probes lost`, ...took].join(', ');
}
