import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { bookOf, note, noteRun, type Books, type Missed } from '../core/missed';
import { call } from './proxies';
import { missedRuns, schedulesChanged, tickEnded } from './messages';

/** The events after which a new history is begun. */
const FULL = 500;

/**
 * The timekeeper of an environment, for ever: it keeps the schedules as they are planned, and writes down which runs were due and have
 * not been, whoever or whatever kept them from it. People are told once.
 */
export async function timekeeper(
  { everyMs }: { everyMs: number },
  books: Books = {},
  news: Missed[] = [],
): Promise<void> {
  let changed = true;
  setHandler(missedRuns, () => books, { description: 'Runs that were due and have not been, by schedule.' });
  setHandler(schedulesChanged, () => void (changed = true), { description: 'Plan the schedules again.' });
  setHandler(tickEnded, ({ schedule, missed }) => {
    if (missed) news.push(...note(books, [missed]));
    else noteRun(books, schedule);
  });
  const full = () => workflowInfo().historyLength >= FULL || workflowInfo().continueAsNewSuggested;
  while (!full()) {
    const plan = changed;
    changed = false;
    // What fails is done in the next round: one that cannot be done must not keep the others from it.
    if (plan) await call.keepSchedules().catch(() => (changed = true));
    news.push(...(await look(books).catch(() => [])));
    const telling = news.splice(0);
    if (telling.length > 0) await call.tellMissed({ missed: telling }).catch(() => news.unshift(...telling));
    setCurrentDetails(pageOf(books));
    const untold = news.length;
    await condition(() => changed || news.length > untold, everyMs);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof timekeeper>({ everyMs }, books, news);
}

/** Looks at every schedule and writes down what was missed. @returns what people are to be told */
async function look(books: Books): Promise<Missed[]> {
  const known = Object.entries(books).map(
    ([name, { since, latest }]) => [name, { since, known: latest.map(({ at }) => at) }] as const,
  );
  const found = await call.lookForMissed({ books: Object.fromEntries(known) });
  for (const name of Object.keys(books)) if (!found.some((one) => one.name === name)) delete books[name];
  return found.flatMap(({ name, since, missed }) => {
    const told = note(books, missed);
    bookOf(books, name, since).since = since;
    return told;
  });
}

function pageOf(books: Books): string {
  const lines = Object.entries(books).flatMap(([name, { count, latest }]) => {
    const last = latest.at(-1);
    return last ? [`- **${name}**: ${count} missed, the last one of ${last.at}: ${last.why}`] : [];
  });
  return lines.length > 0 ? lines.join('\n') : 'No run was missed.';
}
