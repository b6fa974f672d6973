import type { BenchOptions } from './benchmark';
import { say } from './sandbox';

/** Measures each of these `repeats` times, turn by turn, so that whatever else the machine does is shared. Throws once `stop` is aborted. */
export async function inTurns<Contender extends { name: string }, Sample>(
  contenders: readonly Contender[],
  { repeats }: BenchOptions,
  stop: AbortSignal,
  measure: (contender: Contender) => Promise<Sample>,
): Promise<Map<Contender, Sample[]>> {
  const results = new Map<Contender, Sample[]>();
  for (let turn = 0; turn < repeats; turn += 1) {
    for (const contender of contenders) {
      stop.throwIfAborted();
      const sample = await measure(contender);
      results.set(contender, [...(results.get(contender) ?? []), sample]);
      say(`${contender.name}, ${turn + 1} of ${repeats}: ${JSON.stringify(sample)}`);
    }
  }
  return results;
}
