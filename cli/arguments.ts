import { InvalidArgumentError } from 'commander';

/** A whole number from 1 on. @throws InvalidArgumentError, which commander completes with the option's name */
export function count(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 to 9999.');
}

/** A whole number from 0 on. @throws InvalidArgumentError */
export function countOrNone(text: string): number {
  return text === '0' ? 0 : count(text);
}

/** A share above 0 and at most 1. @throws InvalidArgumentError */
export function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a share above 0 and at most 1, such as 0.75.');
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** The longest that Node's timers can wait. */
const LONGEST_MS = 2 ** 31 - 1;

/** A duration with its unit, in milliseconds. A bare number is refused: nobody knows its unit. @throws InvalidArgumentError */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const millis = Number(amount) * (UNITS[unit ?? ''] ?? NaN);
  if (millis > 0 && millis <= LONGEST_MS) return millis;
  throw new InvalidArgumentError('It must be a duration such as 90s or 10m, at most 24 days.');
}

/** Gathers an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
