import { readFile } from 'node:fs/promises';
import type { BreakTask, Injected } from '../../core/drill';
import { messageOf } from '../../core/errors';
import { Supervisor } from '../supervisor';
import { ended, readTask, serving, tell } from './task';

/** How often, and for how long each time, ms, it is looked whether the fault was healed. Together less than whoever ends it waits. */
const LOOKS = 3;
const LOOK_MS = 1_000;

/**
 * Breaks a node, and makes it good by itself when its time is up or it is asked to end: on the node's own machine, so that it does so
 * even where every worker is dead. Told by a line of JSON on its input, a `BreakTask`; `SUPERVISOR_URL`, `SUPERVISOR_PASSWORD`: who
 * starts a killed node again. A fault that was healed meanwhile, by the node or a spare in its place, is left alone.
 */
async function main(): Promise<void> {
  const { key, fault, program, pid, probes, serving: wanted, forMs } = await readTask<BreakTask>();
  if (pid <= 1) throw new Error(`${program} does not run`); // 0 would be this very process and its kin
  const signal = fault === 'hang' ? 'SIGSTOP' : 'SIGKILL';
  process.kill(pid, signal);
  const at = Date.now();
  const injected: Injected = { at, until: at + forMs };
  tell({ key, ...injected });
  await ended(forMs);
  const hung = fault === 'hang' && (await isStopped(pid, program));
  const broken = hung || !(await serve(probes, wanted));
  if (hung) process.kill(pid, 'SIGCONT');
  else if (broken) await supervisor().start(program);
  tell({ key, ...injected, undoneAt: Date.now(), found: broken ? 'still broken' : 'healed' });
}

/** Whether so many serve; asked again where not, as the first to be asked may have been slow for reasons of its own. */
async function serve(probes: readonly string[], wanted: number): Promise<boolean> {
  for (let look = 1; look <= LOOKS; look += 1) if ((await serving(probes, LOOK_MS)) >= wanted) return true;
  return false;
}

/** Whether this very process hangs: another one of its number may be anything. */
async function isStopped(pid: number, program: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state === 'T' && (await supervisor().info(program)).pid === pid;
}

function supervisor(): Supervisor {
  return new Supervisor(process.env['SUPERVISOR_URL'] ?? '', process.env['SUPERVISOR_PASSWORD'] ?? '');
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(messageOf(error));
    process.exit(1);
  },
);
