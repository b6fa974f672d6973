import { stringify } from 'yaml';
import { boot, isAlive, missingOf, type OnProgress } from './boot';
import { connect, type Sandbox } from './client';
import { contextOf } from './context';
import { sharedAddresses } from './layout';
import { allParts } from './parts';
import type { Context, Part } from './parts/part';
import { exclusively, refuseTaken } from './ports';
import { endProcesses } from './processes';
import { DEFAULTS, settle, stateDir, type SandboxOptions } from './settings';
import { claim, discard, savedSettings, writePrivate } from './state';
import { startSupervisor, supervisorFile } from './supervision';
import { supervisorOf, type Supervisor } from './supervisor';
import { isBuilt } from './tools';

export type { OnProgress, Progress } from './boot';
export { connect, type Sandbox, type SandboxUrls } from './client';
export { breakPart, healPart, type Target } from './faults';
export { NODE_FAULTS, type NodeFault } from './faults/node';
export type { SandboxOptions, Settings } from './settings';
export { status, type PartStatus, type SandboxStatus } from './status';

/**
 * Brings a sandbox up, and returns when every part serves. On one that runs it verifies each part and starts what is
 * missing; on one that crashed it first ends what is left of it. Data outlives it until {@link down}.
 * @throws BAD_INPUT for wrong options, or options that do not fit the sandbox that is there
 * @throws PORT_TAKEN when something else holds an address; nothing was started then
 * @throws SANDBOX when a part does not come up; the others are left running, to be looked at
 */
export async function up(options: SandboxOptions = {}, onProgress: OnProgress = () => {}): Promise<Sandbox> {
  const dir = stateDir(options);
  const settings = settle(options, await savedSettings(dir), dir);
  const at = sharedAddresses(settings.block);
  return exclusively(at.lock, async () => {
    const context = contextOf(dir, settings, await claim(dir, settings));
    const parts = allParts(context);
    const chosen = parts.filter(
      ({ wanted, needsBuilt }) => wanted !== false && !(needsBuilt && !isBuilt(needsBuilt)),
    );
    const supervisor = supervisorOf(at, context.secrets);
    if (await supervisor.answers()) await refuseTaken(await missingAddresses(chosen, supervisor));
    else await supervise(context, parts, chosen, supervisor);
    await boot(
      parts.filter(({ wanted }) => wanted !== false),
      supervisor,
      context.files.logs,
      onProgress,
    );
    return connect({ dir });
  });
}

/**
 * Ends every process of a sandbox and removes all its files. Does nothing where there is none.
 * @returns how many processes there were
 * @throws PORT_TAKEN while an `up` is at work · BAD_INPUT where the state directory is not a sandbox's
 */
export async function down(options: SandboxOptions = {}): Promise<{ dir: string; processes: number }> {
  const dir = stateDir(options);
  const block = (await savedSettings(dir))?.block ?? options.block ?? DEFAULTS.block;
  return exclusively(sharedAddresses(block).lock, async () => {
    const processes = await endProcesses(dir);
    await discard(dir);
    return { dir, processes };
  });
}

/** Without a supervisor, what is left of an earlier life of this sandbox is in the way. */
async function supervise(
  context: Context,
  parts: Part[],
  chosen: Part[],
  supervisor: Supervisor,
): Promise<void> {
  await endProcesses(context.dir);
  await refuseTaken([context.at.supervisor, ...addressesOf(chosen, new Set())]);
  const files = Object.assign({}, ...parts.map((part) => part.files)) as Record<string, string>;
  const programs = parts.flatMap((part) => part.programs);
  files[context.files.supervisor] = supervisorFile(context, programs);
  files[context.files.config] = stringify(context.config);
  await Promise.all(Object.entries(files).map(([path, content]) => writePrivate(path, content)));
  await startSupervisor(context, supervisor);
}

async function missingAddresses(parts: readonly Part[], supervisor: Supervisor): Promise<string[]> {
  return addressesOf(parts, new Set((await supervisor.list()).filter(isAlive).map(({ name }) => name)));
}

function addressesOf(parts: readonly Part[], running: ReadonlySet<string>): string[] {
  return parts.flatMap((part) => missingOf(part, running)).flatMap(({ listens }) => listens);
}
