import type { Config } from '../config';
import type { Looked, Shortfall, WorldSeen } from './types';

/** What a rule is asked about: what was seen, and what the environment file says. */
export interface Asked {
  seen: WorldSeen;
  config: Config;
}

/** A rule: everything that stands against what it is about. */
export type Rule = (asked: Asked) => Shortfall[];

export function notReady(says: string, todo: string): Shortfall {
  return { verdict: 'not ready', says, todo };
}

export function warning(says: string, todo: string): Shortfall {
  return { verdict: 'warning', says, todo };
}

export function unknown(says: string, todo: string): Shortfall {
  return { verdict: 'unknown', says, todo };
}

/**
 * What a rule makes of what was looked at. A system that does not answer or refuses cannot be acted on either: not ready. A look that
 * was not finished says nothing: unknown.
 * @param what `the load balancer of us-east-1`
 */
export function about<T>(
  what: string,
  looked: Looked<T>,
  todo: string,
  rule: (value: T) => Shortfall[],
): Shortfall[] {
  if ('value' in looked) return rule(looked.value);
  const { said, code } = looked;
  return code
    ? [notReady(`${what} cannot be used: ${said}`, todo)]
    : [unknown(`${what} was not seen: ${said}`, `look again: \`./switchover check --again\``)];
}

/** Some names as one sentence bears them: `a, b, c and 4 more`. */
export function few(names: readonly string[], most = 3): string {
  return names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
