import { Readable } from 'node:stream';
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
const AT_ONCE = 4;

/** Codes that speak against the one node; anything else is trouble of a system that all of them need. */
const ITS_OWN: readonly ErrorCode[] = [
  'NODE_UNHEALTHY',
  'FLEET_REFUSED',
  'VERIFY_FAILED',
  'RELEASE_MISSING',
  'RELEASE_UNFIT',
];

/** Does the work for each, a few at once; after a failure no other is begun, and it is thrown once none is under way. */
export async function fewAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const failures: unknown[] = [];
  const careful = async (item: Item) => {
    if (failures.length > 0) return [];
    return work(item).then(
      (result) => [result],
      (error: unknown) => {
        failures.push(error);
        return [];
      },
    );
  };
  const results = await Readable.from(items).map(careful, { concurrency: AT_ONCE }).toArray();
  if (failures.length > 0) throw failures[0];
  return results.flat();
}

/** Does the work for all at once; a failure is thrown once none is under way any more. */
export async function allAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const settled = await Promise.allSettled(items.map(work));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
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
