import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SwitchoverError, messageOf } from '../../core/errors';
import { databaseMembers, sessionMembers } from '../layout';
import { tool } from '../tools';

const run = promisify(execFile);

/**
 * Loses every packet to this host, of connections that are open as well as of new ones. What it sends still leaves.
 * @throws SANDBOX where this user may not
 */
export async function cutOff(host: string): Promise<void> {
  await ip('add', host).catch((error: unknown) => {
    const message = `${host} cannot be cut off (only root may change routes): ${messageOf(error)}`;
    throw new SwitchoverError('SANDBOX', message);
  });
}

/** Ends what {@link cutOff} did to the members of the database and the session store on this block. */
export async function reconnect(block: number): Promise<void> {
  const { stdout } = await run(tool('ip'), ['route', 'show', 'table', 'local', 'type', 'blackhole']);
  const addresses = [
    ...databaseMembers(block).map(({ postgres }) => postgres),
    ...sessionMembers(block).map(({ redis }) => redis),
  ];
  const cut = addresses.map(hostOf).filter((host) => stdout.includes(`blackhole ${host} `));
  for (const host of cut) await ip('del', host);
}

/** The host of host:port. */
export function hostOf(address: string): string {
  return address.slice(0, address.indexOf(':'));
}

async function ip(act: 'add' | 'del', host: string): Promise<void> {
  await run(tool('ip'), ['route', act, 'blackhole', `${host}/32`, 'table', 'local']);
}
