import { schedulesOf } from '../../core/schedules';
import { schedulesPage } from '../render/schedules';
import { withSession } from '../session';
import { lookOf, print } from '../terminal';
import { whoAmI } from '../who';

/** Lists what is carried out by itself, and what this environment does without. */
export async function schedules({ json }: { json?: boolean }): Promise<number> {
  const found = await withSession(async ({ config, operations }) => ({
    schedules: await operations.schedules(),
    off: schedulesOf(operations.catalogue, config).off,
  }));
  const page = () => schedulesPage(found, lookOf(process.stdout));
  print(process.stdout, json ? [JSON.stringify(found, null, 2)] : page());
  return 0;
}

/** Pauses, resumes or carries out a schedule in this person's name, and prints what follows from it. */
export async function move(
  verb: 'trigger' | 'pause' | 'resume',
  name: string,
  { reason }: { reason: string },
): Promise<number> {
  const by = whoAmI();
  const sentence = await withSession(async ({ operations }) => {
    if (verb !== 'trigger') return operations.moveSchedule({ name, paused: verb === 'pause', by, reason });
    const { run, joined } = await operations.triggerSchedule({ name, by, reason });
    return `${joined ? 'joined' : 'started'} ${run}\n  ./switchover watch ${run}`;
  });
  print(process.stdout, sentence.split('\n'));
  return 0;
}
