import { messageOf, SwitchoverError } from '../core/errors';
import { Hopeless, until } from './conditions';
import type { Part, Program } from './parts/part';
import type { ProgramInfo, Supervisor } from './supervisor';
import { isBuilt } from './tools';

/** What a progress display needs to know; `ms` since the boot began. */
export interface Progress {
  part: string;
  state: 'waiting' | 'starting' | 'started' | 'running' | 'skipped' | 'failed';
  ms: number;
  /** Why, where it was skipped or failed. */
  note?: string;
}

export type OnProgress = (progress: Progress) => void;

const ALIVE: readonly string[] = ['RUNNING', 'STARTING', 'STOPPING'];
const START_MS = 30_000;
/** A part that was running already has had its time to become ready. */
const VERIFY_MS = 5_000;

/**
 * Starts what does not run of `parts`, each once those it comes `after` are ready, and waits until all serve.
 * Parts that were not built are skipped. When one fails the others still come up, and the first failure is thrown.
 * @throws SANDBOX naming the part, what it does not do, and its log
 */
export async function boot(
  parts: readonly Part[],
  supervisor: Supervisor,
  logs: string,
  onProgress: OnProgress,
): Promise<void> {
  const began = performance.now();
  const ends = new Map<string, Promise<void>>();
  const report = (part: Part, state: Progress['state'], note?: string): void =>
    onProgress({
      part: part.name,
      state,
      ms: Math.round(performance.now() - began),
      ...(note ? { note } : {}),
    });
  const running = new Set((await supervisor.list()).filter(isAlive).map(({ name }) => name));

  const bring = async (part: Part): Promise<void> => {
    if (part.needsBuilt && !isBuilt(part.needsBuilt))
      return report(part, 'skipped', `dist/${part.needsBuilt} is not built`);
    report(part, 'waiting');
    await Promise.all(part.after.map((name) => ends.get(name) ?? Promise.resolve())).catch(
      (error: unknown) => {
        report(part, 'skipped', 'a part it needs failed');
        throw error;
      },
    );
    const missing = missingOf(part, running);
    try {
      if (missing.length > 0) report(part, 'starting');
      await startPart(part, missing, supervisor, logs);
      report(part, missing.length > 0 ? 'started' : 'running');
    } catch (error) {
      report(part, 'failed', messageOf(error));
      throw error;
    }
  };
  for (const part of parts)
    ends.set(
      part.name,
      Promise.resolve().then(() => bring(part)),
    );
  const results = await Promise.allSettled(ends.values());
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Whether supervisord holds a process for the program. */
export function isAlive({ statename }: ProgramInfo): boolean {
  return ALIVE.includes(statename);
}

/** The programs of a part that should run and do not. */
export function missingOf(part: Part, running: ReadonlySet<string>): Program[] {
  return part.programs.filter(({ name, standby }) => !standby && !running.has(name));
}

async function startPart(
  part: Part,
  missing: readonly Program[],
  supervisor: Supervisor,
  logs: string,
): Promise<void> {
  if (missing.length > 0) {
    await part.prepare?.(missing);
    await Promise.all(missing.map(({ name }) => supervisor.start(name)));
  }
  const look = async (): Promise<void> => {
    try {
      await part.ready();
    } catch (error) {
      await refuseDead(part, supervisor, logs);
      throw error;
    }
  };
  await until(look, missing.length > 0 ? START_MS : VERIFY_MS).catch((error: unknown) => {
    if (error instanceof SwitchoverError) throw error;
    const message = `${part.name} runs but does not serve: ${messageOf(error)}. Logs are in ${logs}.`;
    throw new SwitchoverError('SANDBOX', message);
  });
}

/** Waiting is hopeless once a process of the part has ended and nobody starts it again. */
async function refuseDead({ name, programs }: Part, supervisor: Supervisor, logs: string): Promise<void> {
  for (const program of programs.filter(({ standby }) => !standby)) {
    const { statename } = await supervisor.info(program.name);
    const over = statename === 'FATAL' || (statename === 'EXITED' && !program.restarts);
    if (!over) continue;
    const message = `${name} does not start: its process ended at once. The reason is in ${logs}/${program.name}.log.`;
    throw new Hopeless(new SwitchoverError('SANDBOX', message));
  }
}
