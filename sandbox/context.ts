import { environmentFile } from './environment';
import { sharedAddresses } from './layout';
import type { Context } from './parts/part';
import { stateDir, type SandboxOptions, type Settings } from './settings';
import { filesOf, savedSecrets, savedSettings, type Secrets } from './state';

/** What follows from a sandbox's settings and secrets. */
export function contextOf(dir: string, settings: Settings, secrets: Secrets): Context {
  const at = sharedAddresses(settings.block);
  return { dir, files: filesOf(dir), settings, secrets, at, config: environmentFile(settings) };
}

/** The context of the sandbox that `options` name, running or not; undefined where there is none. */
export async function openContext(options: SandboxOptions): Promise<Context | undefined> {
  const dir = stateDir(options);
  const [settings, secrets] = await Promise.all([savedSettings(dir), savedSecrets(dir)]);
  return settings && secrets && contextOf(dir, settings, secrets);
}
