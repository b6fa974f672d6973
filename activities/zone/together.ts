import { SwitchoverError, type ErrorCode } from '../../core/errors';
import type { Deed, Intent } from '../../core/run';

/** What became of one node in an act on its zone. */
export interface NodeOutcome {
  node: string;
  healthy: boolean;
  changed: boolean;
  sentence: string;
}

/** How many nodes are worked on at once: enough to be quick, few enough that their starts do not starve each other. */
const WINDOW = 8;

/** Codes that speak against the one node; anything else is trouble of a system that all of them need. */
const ITS_OWN: readonly ErrorCode[] = ['NODE_UNHEALTHY', 'FLEET_REFUSED', 'VERIFY_FAILED'];

/** Does the work for each, a window at a time; a failure is thrown once nothing of its window is under way any more. */
export async function inWindows<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let begin = 0; begin < items.length; begin += WINDOW) {
    const settled = await Promise.allSettled(items.slice(begin, begin + WINDOW).map(work));
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason;
      results.push(one.value);
    }
  }
  return results;
}

/** One node's part of an act: what speaks against that node alone is its outcome, everything else is thrown. */
export async function outcomeOf(node: string, part: () => Promise<Deed>): Promise<NodeOutcome> {
  try {
    const { changed, sentence } = await part();
    return { node, healthy: true, changed, sentence };
  } catch (error) {
    if (!(error instanceof SwitchoverError) || !ITS_OWN.includes(error.code)) throw error;
    return { node, healthy: false, changed: true, sentence: error.message };
  }
}

/** The parts of an act as one deed, with what became of each node as its evidence. */
export function together({ mode }: Intent, outcomes: NodeOutcome[], sentence: string): Deed<NodeOutcome[]> {
  const changed = outcomes.some((one) => one.changed);
  return { changed, sentence, ...(mode === 'plan' ? { before: outcomes } : { after: outcomes }) };
}
