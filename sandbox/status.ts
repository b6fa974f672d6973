import { sandboxOf, type SandboxUrls } from './client';
import { running, standsBy } from './boot';
import { openContext } from './context';
import { allParts } from './parts';
import type { Part, Program } from './parts/part';
import { processesOf } from './processes';
import { stateDir, type SandboxOptions } from './settings';
import { supervisorOf, type ProgramInfo, type ProgramState } from './supervisor';
import { isBuilt } from './tools';

/** One process of a sandbox. */
export interface PartStatus {
  part: string;
  program: string;
  /** supervisord's word for it, in lower case; `standby` for a spare that was not called, `not built` without its file. */
  state: Lowercase<ProgramState> | 'standby' | 'not built';
  /** What it listens on. */
  addresses: readonly string[];
  /** 0 when there is none. */
  pid: number;
  uptimeMs: number;
  /** What else is worth knowing of it, such as a replica's lag. */
  note?: string;
}

/** A sandbox as it is. */
export interface SandboxStatus {
  dir: string;
  /** `up`: all that should run runs · `degraded`: something does not · `crashed`: the supervisor is gone · `down`: there is none. */
  state: 'up' | 'degraded' | 'crashed' | 'down';
  parts: PartStatus[];
  /** Absent when it is down. */
  urls?: SandboxUrls;
  /** Processes that a crashed supervisor left behind. */
  orphans: number;
}

/** What the sandbox that `options` name consists of right now. Never throws for a sandbox that is not there. */
export async function status(options: SandboxOptions = {}): Promise<SandboxStatus> {
  const context = await openContext(options);
  if (!context) return { dir: stateDir(options), state: 'down', parts: [], orphans: 0 };
  const { dir, at, secrets } = context;
  const { urls } = sandboxOf(context);
  const supervisor = supervisorOf(at, secrets);
  if (!(await supervisor.answers())) {
    return { dir, state: 'crashed', parts: [], urls, orphans: (await processesOf(dir)).length };
  }
  const infos = new Map((await supervisor.list()).map((info) => [info.name, info]));
  const alive = await running(supervisor);
  const wanted = allParts(context).filter((part) => part.wanted !== false);
  const noted = await Promise.all(wanted.map(async (part) => part.notes?.()));
  const notes = Object.assign({}, ...noted) as Record<string, string>;
  const parts = wanted.flatMap((part) =>
    part.programs
      .filter(({ task }) => !task)
      .map((program) => ({
        ...describe(part, program, infos.get(program.name), alive),
        ...(notes[program.name] ? { note: notes[program.name] } : {}),
      })),
  );
  const well = parts.every(({ state }) => ['running', 'standby', 'not built'].includes(state));
  return { dir, state: well ? 'up' : 'degraded', parts, urls, orphans: 0 };
}

function describe(
  part: Part,
  program: Program,
  info: ProgramInfo | undefined,
  alive: ReadonlySet<string>,
): PartStatus {
  const { pid = 0, start = 0, now = 0, statename = 'UNKNOWN' } = info ?? {};
  const stopped = statename === 'STOPPED';
  // Of two that serve in each other's place one is idle, however it ended; a spare that ended otherwise than by being stopped is not.
  const idle = stopped || (pid === 0 && (!program.standby || program.standsInFor !== undefined));
  const state =
    idle && standsBy(part, program, alive)
      ? 'standby'
      : part.needsBuilt && stopped && !isBuilt(part.needsBuilt)
        ? 'not built'
        : (statename.toLowerCase() as Lowercase<ProgramState>);
  const uptimeMs = pid > 0 ? (now - start) * 1_000 : 0;
  return { part: part.name, program: program.name, state, addresses: program.listens, pid, uptimeMs };
}
