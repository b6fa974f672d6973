import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
/** The database on a busy machine takes longest, some 20 s. */
const START_MS = 60_000;
/** A part that was running already has had its time to become ready. */
const VERIFY_MS = 5_000;
/** How old what the supervisor says may be, ms. */
const ROLL_MS = 500;

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
  const alive = await running(supervisor);
  const roll = new Roll(supervisor);

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
    const missing = missingOf(part, alive);
    try {
      if (missing.length > 0) report(part, 'starting');
      await startPart(part, missing, supervisor, roll, logs);
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

/** The programs for which the supervisor holds a process. */
export async function running(supervisor: Supervisor): Promise<Set<string>> {
  return aliveOf(await supervisor.list());
}

function aliveOf(infos: readonly ProgramInfo[]): Set<string> {
  return new Set(infos.filter(({ statename }) => ALIVE.includes(statename)).map(({ name }) => name));
}

/** The programs of a part that should run and do not. */
export function missingOf(part: Part, alive: ReadonlySet<string>): Program[] {
  return part.programs.filter((program) => !alive.has(program.name) && !standsBy(part, program, alive));
}

/** Whether a program of a part is not to be started: it stands by, or another one runs in its place. */
export function standsBy({ programs }: Part, program: Program, alive: ReadonlySet<string>): boolean {
  if (program.standby || program.task) return true;
  return programs.some(({ name, standsInFor }) => standsInFor === program.name && alive.has(name));
}

async function startPart(
  part: Part,
  missing: readonly Program[],
  supervisor: Supervisor,
  roll: Roll,
  logs: string,
): Promise<void> {
  if (missing.length > 0 || part.startsLater) await part.prepare?.(missing);
  if (missing.length > 0) {
    // The supervisor starts one at a time; a whole part waiting in its queue would outlast the time-out of a call.
    for (const { name } of missing) await supervisor.start(name);
  }
  const startedAt = performance.now();
  const look = async (): Promise<void> => {
    try {
      if (missing.length > 0) await part.settle?.(missing);
      await part.ready();
    } catch (error) {
      await refuseDead(part, roll, startedAt, logs);
      throw error;
    }
  };
  await until(look, missing.length > 0 ? START_MS : VERIFY_MS).catch(async (error: unknown) => {
    if (error instanceof Hopeless) throw error;
    const [only, ...others] = part.programs;
    const said = only && others.length === 0 ? await lastWords(logs, only.name) : `Logs are in ${logs}.`;
    throw new SwitchoverError('SANDBOX', `${part.name} does not serve: ${messageOf(error)}. ${said}`);
  });
}

/** Waiting is hopeless once a process of the part has ended since it was started and nobody starts it again. */
async function refuseDead(part: Part, roll: Roll, startedAt: number, logs: string): Promise<void> {
  if (performance.now() - startedAt < ROLL_MS) return; // most are ready before
  const infos = await roll.since(startedAt);
  const alive = aliveOf(infos);
  for (const program of part.programs) {
    if (standsBy(part, program, alive)) continue;
    const { name, restarts } = program;
    const statename = infos.find((info) => info.name === name)?.statename;
    if (statename !== 'FATAL' && (statename !== 'EXITED' || restarts)) continue;
    const said = await lastWords(logs, name);
    throw new Hopeless(`${part.name} does not start: process ${name} ended. ${said}`);
  }
}

/** What the supervisor says of all programs, asked once for all parts that wait: its answer is long. */
class Roll {
  private askedAt = -Infinity;
  private infos: Promise<ProgramInfo[]> = Promise.resolve([]);

  constructor(private readonly supervisor: Supervisor) {}

  /** As it was after this moment, `performance.now()`. */
  since(moment: number): Promise<ProgramInfo[]> {
    const now = performance.now();
    if (this.askedAt < moment || now - this.askedAt > ROLL_MS) {
      this.askedAt = now;
      this.infos = this.supervisor.list();
    }
    return this.infos;
  }
}

/** Where to look, and what the program logged last. */
async function lastWords(logs: string, program: string): Promise<string> {
  const log = join(logs, `${program}.log`);
  const lines = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n');
  return `Its log ${log} ends: ${lines.at(-1)?.slice(-300) || '(nothing)'}`;
}
