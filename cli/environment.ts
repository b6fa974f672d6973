import { existsSync } from 'node:fs';
import { SwitchoverError } from '../core/errors';
import { colorsOf } from './colors';
import type { Sandbox } from '../sandbox';

const DEFAULT_FILE = 'switchover.yaml';

/**
 * Settles which environment a command works with and returns its file: what `SWITCHOVER_CONFIG` names; else this user's
 * sandbox, whose secrets and Temporal address are then put into the process's environment where they are not set, which
 * is said on standard error; else `switchover.yaml` in the working folder.
 * @throws BAD_CONFIG where there is none of them
 */
export async function chooseEnvironment(): Promise<string> {
  const named = process.env['SWITCHOVER_CONFIG'];
  if (named) return named;
  const sandbox = await findSandbox();
  if (!sandbox && existsSync(DEFAULT_FILE)) return DEFAULT_FILE;
  if (!sandbox) {
    throw new SwitchoverError(
      'BAD_CONFIG',
      `no environment to work with: SWITCHOVER_CONFIG is not set, there is no ${DEFAULT_FILE} here, and no sandbox (start one with: ./switchover sandbox up)`,
    );
  }
  for (const [name, value] of Object.entries(sandbox.env)) process.env[name] ??= value;
  const { dim } = colorsOf(process.stderr);
  process.stderr.write(`${dim(`Sandbox in ${sandbox.dir} (SWITCHOVER_CONFIG is not set)`)}\n`);
  return sandbox.configPath;
}

async function findSandbox(): Promise<Sandbox | undefined> {
  const { connect } = await import('../sandbox/client.js');
  try {
    return await connect();
  } catch (error) {
    if (error instanceof SwitchoverError && error.code === 'SANDBOX') return undefined;
    throw error;
  }
}
