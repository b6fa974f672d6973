import { condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { nothingOpen, type Coordination } from '../core/coordination';
import { Desk } from './coordination/desk';
import type { Letters } from './coordination/mail';

/** How often runs with a claim are looked up while there are any: a terminated one gives nothing back by itself. */
const SWEEP = '5s';

/**
 * The events after which a new history is begun. A worker that takes the coordinator over, after a crash or because a new
 * history could not be begun at once, reads them all before it answers anybody: about 1 ms each on two busy cores.
 */
const FULL = 300;

/**
 * The one coordinator of an environment: scope locks, open incidents, the limits of automation, the safety lever (DESIGN
 * section 4). What it decides is in core/coordination; this and the folder beside it carry that out.
 */
export async function coordinator(carried?: Coordination, letters: Letters = {}): Promise<void> {
  const desk = new Desk({ ...nothingOpen(), ...carried }, letters);
  const full = () => workflowInfo().historyLength >= FULL || workflowInfo().continueAsNewSuggested;
  while (!full()) {
    await condition(() => desk.busy || full());
    if (await condition(full, SWEEP)) break;
    await desk.freeEnded();
  }
  await continueAsNew<typeof coordinator>(...(await desk.close()));
}
