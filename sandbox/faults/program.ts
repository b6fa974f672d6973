import { SwitchoverError } from '../../core/errors';
import { until } from '../conditions';
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
