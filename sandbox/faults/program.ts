import { SwitchoverError } from '../../core/errors';
import { boot } from '../boot';
import { until } from '../conditions';
import { allParts } from '../parts';
import type { Context } from '../parts/part';
import type { Supervisor } from '../supervisor';

const REAP_MS = 5_000;

/** Kills a program; it is gone (or already another process) when this returns. @returns one sentence of what was done */
export async function kill(supervisor: Supervisor, program: string): Promise<string> {
  const { pid } = await supervisor.info(program);
  if (!(await supervisor.signal(program, 'KILL'))) {
    throw new SwitchoverError('SANDBOX', `${program} does not run, so it cannot be killed`);
  }
  await until(async () => {
    if ((await supervisor.info(program)).pid === pid)
      throw new Error(`${program} survives SIGKILL as process ${pid}`);
  }, REAP_MS);
  return `${program} was killed (SIGKILL to process ${pid})`;
}

/** Hangs a program. @returns one sentence of what was done */
export async function hang(supervisor: Supervisor, program: string): Promise<string> {
  if (await supervisor.signal(program, 'STOP')) return `${program} hangs (SIGSTOP)`;
  throw new SwitchoverError('SANDBOX', `${program} does not run, so it cannot hang`);
}

/** Starts what is missing of the part that a program belongs to; the part serves when this returns. */
export async function startPartOf(context: Context, supervisor: Supervisor, program: string): Promise<void> {
  const part = allParts(context).filter(({ programs }) => programs.some(({ name }) => name === program));
  await boot(part, supervisor, context.files.logs, () => {});
}
