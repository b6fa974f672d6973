/**
 * m-of-n health of a component that is checked in turn (the health matrix, REQUIREMENTS H1): failed once so many of the
 * last checks failed, well again once so many succeeded since. What was seen before a change does not count after it, so
 * that a window which is true of both does not flap.
 */
export interface WindowRule {
  /** Checks that are remembered. */
  of: number;
  /** So many failed ones among them and the component has failed. */
  failures: number;
  /** So many good ones among those since its failure and it is well again. */
  successes: number;
}

/** A component's health with what it rests on. */
export interface WindowHealth {
  state: 'healthy' | 'failed';
  /** The last checks since the last change of state, oldest first: whether they succeeded. */
  recent: boolean[];
  /** ISO time of the first failed check of this failure. */
  faultAt?: string;
  /** What the last failed check said. */
  cause?: string;
}

/** One check. */
export interface Check {
  ok: boolean;
  /** ISO time at which it began. */
  at: string;
  said: string;
}

export const WELL: WindowHealth = { state: 'healthy', recent: [] };

/** The health after one more check. Never mutates. */
export function afterCheck(now: WindowHealth, { ok, at, said }: Check, rule: WindowRule): WindowHealth {
  const recent = [...now.recent, ok].slice(-rule.of);
  const failures = recent.filter((good) => !good).length;
  const fault = ok ? {} : { faultAt: now.faultAt ?? at, cause: said };
  if (now.state === 'healthy') {
    if (failures >= rule.failures) return { ...now, ...fault, state: 'failed', recent: [] };
    return failures === 0 ? { state: 'healthy', recent } : { ...now, ...fault, recent };
  }
  if (recent.length - failures >= rule.successes) return WELL;
  return { ...now, ...fault, recent };
}
