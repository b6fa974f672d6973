import { quantileSorted } from 'simple-statistics';

/** What a series of measurements comes to; of `n` samples, all in milliseconds. */
export interface Summary {
  n: number;
  p50: number;
  p95: number;
  min: number;
  max: number;
}

/**
 * Sums up samples in milliseconds, to a tenth of one.
 * Quantiles lie between samples where they must; of fewer than 20 samples the p95 leans on the largest alone.
 * @throws Error where there is no sample
 */
export function summarize(samplesMs: readonly number[]): Summary {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  if (sorted.length === 0) throw new Error('nothing was measured: there is no sample to sum up');
  const at = (share: number): number => Math.round(quantileSorted(sorted, share) * 10) / 10;
  return { n: sorted.length, p50: at(0.5), p95: at(0.95), min: at(0), max: at(1) };
}

/** How many times `base` the value is, as a person reads it: `0.4×`, `12×`. */
export function ratio(value: number, base: number): string {
  const times = value / base;
  return `${times < 10 ? times.toFixed(times < 1 ? 2 : 1) : Math.round(times)}×`;
}
