/** Milliseconds as a person reads them: `840 ms`, `3.2 s`, `4 min 10 s`. */
export function elapsed(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** A time as a person says it: `5 s`, `7.5 s`, `5 min`, `26 h`, `90 days`. */
export function roughly(ms: number): string {
  const minutes = ms / 60_000;
  if (ms < 1_000) return elapsed(ms);
  if (minutes < 1) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (minutes < 120) return `${Math.round(minutes)} min`;
  return minutes < 2_880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} days`;
}
