import { createServer, type Server } from 'node:net';
import { SwitchoverError } from '../core/errors';
import { describe, listenerOn } from './proc';
import { sandboxOf } from './processes';

/** How many taken addresses an error names; another sandbox on the block holds dozens. */
const NAMED = 3;

/**
 * Makes sure that nothing listens on these addresses (host:port).
 * @throws PORT_TAKEN naming the first that are taken with the processes that hold them; all are in its details
 */
export async function refuseTaken(addresses: readonly string[]): Promise<void> {
  const bound = await Promise.all(
    addresses.map(async (address) => ({ address, server: await bind(address) })),
  );
  for (const { server } of bound) server?.close();
  const taken = bound.filter(({ server }) => !server).map(({ address }) => address);
  if (taken.length === 0) return;
  const named = taken
    .slice(0, NAMED)
    .map(async (address) => `${address} is held by ${await holder(address)}`);
  const more = taken.length > NAMED ? [`so are ${taken.length - NAMED} more addresses`] : [];
  const sentences = [...(await Promise.all(named)), ...more].join('; ');
  throw new SwitchoverError('PORT_TAKEN', `The sandbox cannot listen where it should: ${sentences}.`, {
    taken,
  });
}

/**
 * Runs `work` while holding `address`. The kernel lets go of it however this process ends, so no lock is ever stale.
 * @param who holds it where it is taken, for the error
 * @throws PORT_TAKEN where another process is at work
 */
export async function exclusively<T>(
  address: string,
  work: () => Promise<T>,
  who = 'Another `sandbox up` or `sandbox down` is at work on this block',
): Promise<T> {
  const lock = await bind(address);
  if (!lock) {
    throw new SwitchoverError('PORT_TAKEN', `${who}, ${await holder(address)}. Wait for it.`);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

/** A server listening on host:port, or undefined where the address is taken. */
function bind(address: string): Promise<Server | undefined> {
  const [host, port] = address.split(':');
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ host, port: Number(port) }, () => resolve(server));
  });
}

async function holder(address: string): Promise<string> {
  const process = await listenerOn(address);
  if (!process) return 'a process that has just ended or is not yours to see (as root, `ss -ltnp` shows it)';
  const dir = sandboxOf(process);
  return `${describe(process)}${dir ? ` of the sandbox in ${dir}` : ''}`;
}
