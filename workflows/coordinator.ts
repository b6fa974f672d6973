import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { nothingOpen, type Coordination } from '../core/coordination';
import { Desk } from './coordination/desk';

/** How often runs with a claim are looked up while there are any: a terminated one gives nothing back by itself. */
const SWEEP = '5s';

/**
 * The one coordinator of an environment: scope locks, open incidents, the limits of automation, the safety lever (DESIGN
 * section 4). What it decides is in core/coordination; this and the folder beside it carry that out.
 */
export async function coordinator(carried: Coordination = nothingOpen()): Promise<void> {
  const desk = new Desk({ ...nothingOpen(), ...carried });
  const full = () => workflowInfo().continueAsNewSuggested;
  while (!full()) {
    await condition(() => desk.busy || full());
    if (await condition(full, SWEEP)) break;
    await desk.freeEnded();
  }
  await condition(() => allHandlersFinished() && desk.idle);
  await continueAsNew<typeof coordinator>(desk.now);
}
