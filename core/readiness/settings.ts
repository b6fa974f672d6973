import type { Config } from '../config';
import { millis } from '../time';

/** What readiness is held against; durations in ms. */
export interface ReadinessSettings {
  everyMs: number;
  backupAgeMs: number;
  lagBytes: number;
  provenWithinMs: number;
}

/** Of the environment file, with what holds where that is silent. */
export function settingsOf({ readiness = {} }: Pick<Config, 'readiness'>): ReadinessSettings {
  const { every = '5m', backupAge = '26h', lagBytes = 16_777_216, provenWithin = '90d' } = readiness;
  return {
    everyMs: millis(every),
    backupAgeMs: millis(backupAge),
    lagBytes,
    provenWithinMs: millis(provenWithin),
  };
}
