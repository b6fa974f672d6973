import { SwitchoverError, messageOf } from '../core/errors';
import { until } from './conditions';
import { allProcesses, describe, type Process } from './proc';

/** Every process of a sandbox inherits this variable; its value, the state directory, proves whose the process is. */
export const MARKER = 'SWITCHOVER_SANDBOX';

/** How long processes get to end by themselves before they are killed, ms. */
const GRACE_MS = 2_000;

/** The state directory of the sandbox that a process carries the mark of; undefined where it carries none. */
export function sandboxOf({ environment }: Process): string | undefined {
  return environment.find((entry) => entry.startsWith(`${MARKER}=`))?.slice(MARKER.length + 1);
}

/**
 * The processes of the sandbox in `dir`: those that carry its mark, and their descendants, because Postgres' children
 * overwrite the memory in which theirs stood. Never the process that asks.
 */
export async function processesOf(dir: string): Promise<Process[]> {
  return families((one) => sandboxOf(one) === dir);
}

/**
 * The processes of one member of the database of the sandbox in `dir`: its Patroni, its PostgreSQL, which is not below
 * Patroni and outlives it, and whatever else was started with a file of the member's folder `home`. A PostgreSQL's processes are
 * known by the folder they work in, its data: one that serves a client names nothing else, and may outlive its postmaster.
 */
export async function memberProcesses(dir: string, home: string): Promise<Process[]> {
  return families(
    (one) => one.folder === `${home}/data` || (sandboxOf(one) === dir && one.command.includes(`${home}/`)),
  );
}

/** The living processes that `isHead` chooses, with all their descendants. Never the process that asks. */
async function families(isHead: (one: Process) => boolean): Promise<Process[]> {
  const all = await allProcesses();
  const found = new Set(all.filter(isHead).map(({ pid }) => pid));
  found.delete(process.pid);
  let before: number;
  do {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  } while (found.size > before);
  return all.filter(({ pid, alive }) => alive && found.has(pid) && pid !== process.pid);
}

/**
 * Ends every process of the sandbox in `dir` and nothing else. The supervisor goes first and hard, so that it starts
 * nothing while the others end; those get an interrupt (to Postgres: stop fast but cleanly), and SIGKILL after 2 s.
 * @returns how many there were
 * @throws SANDBOX naming the processes that even SIGKILL did not end
 */
export async function endProcesses(dir: string): Promise<number> {
  const found = await processesOf(dir);
  const supervisors = found.filter(({ command }) => command.includes('supervisord'));
  const others = found.filter((one) => !supervisors.includes(one));
  signal(supervisors, 'SIGKILL');
  signal(others, 'SIGINT');
  signal(others, 'SIGCONT'); // a hung one sees the interrupt only when woken
  try {
    await until(() => refuseAny(dir), GRACE_MS);
  } catch {
    signal(await processesOf(dir), 'SIGKILL');
    await until(() => refuseAny(dir), GRACE_MS).catch((error: unknown) => {
      throw new SwitchoverError(
        'SANDBOX',
        `${messageOf(error)} did not end, although killed. Look at them and try again.`,
      );
    });
  }
  return found.length;
}

/** Signals them all; those that have just ended are no error. */
export function signal(processes: readonly Process[], name: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function refuseAny(dir: string): Promise<void> {
  const left = await processesOf(dir);
  if (left.length > 0) throw new Error(left.map(describe).join(', '));
}
