import { boot, missingOf, running, type OnProgress } from './boot';
import { sandboxOf, type Sandbox } from './client';
import { contextOf } from './context';
import { restoreAll } from './faults/network';
import { reconnect } from './faults/routes';
import { sharedAddresses } from './layout';
import { allParts } from './parts';
import type { Part } from './parts/part';
import { exclusively, refuseTaken } from './ports';
import { endProcesses } from './processes';
import { DEFAULTS, settle, stateDir, type SandboxOptions } from './settings';
import { claim, discard, savedSettings } from './state';
import { startSupervisor } from './supervision';
import { supervisorOf } from './supervisor';
import { isBuilt } from './tools';

export type { OnProgress, Progress } from './boot';
export { connect, type Sandbox, type SandboxUrls } from './client';
export { breakPart, healPart, type Severity, type Target } from './faults';
export { DATABASE_FAULTS, type DatabaseFault, type DatabasePart } from './faults/database';
export { REDIS_FAULTS, type RedisFault, type RedisPart } from './faults/redis';
export { NODE_FAULTS, type NodeFault } from './faults/node';
export { REGION_FAULTS, type RegionFault } from './faults/region';
export { ZONE_FAULTS, type ZoneFault } from './faults/zone';
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
  const saved = await savedSettings(dir);
  const settings = settle(options, saved, dir);
  const at = sharedAddresses(settings.block);
  return exclusively(at.lock, async () => {
    const context = contextOf(dir, settings, await claim(dir, settings));
    const parts = allParts(context);
    const wanted = parts.filter((part) => part.wanted !== false);
    const supervisor = supervisorOf(at, context.secrets);
    await reconnect(settings.block);
    if (await supervisor.answers()) {
      await refuseTaken(addressesOf(wanted, await running(supervisor)));
    } else {
      await endProcesses(dir); // without a supervisor, what is left of this sandbox is in the way
      await refuseTaken([at.supervisor, ...addressesOf(wanted, new Set())]).catch(async (error: unknown) => {
        if (!saved) await discard(dir);
        throw error;
      });
      await startSupervisor(context, parts, supervisor);
    }
    await boot(wanted, supervisor, context.files.logs, onProgress);
    return sandboxOf(context);
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
    await Promise.all([reconnect(block), restoreAll(block)]);
    const processes = await endProcesses(dir);
    await discard(dir);
    return { dir, processes };
  });
}

/** What must be free for the programs that should run and do not. */
function addressesOf(parts: readonly Part[], alive: ReadonlySet<string>): string[] {
  return parts
    .filter(({ needsBuilt }) => !needsBuilt || isBuilt(needsBuilt))
    .flatMap((part) => missingOf(part, alive))
    .flatMap(({ listens }) => listens);
}
