import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { SwitchoverError } from '../../core/errors';
import { tool } from '../tools';

/** A direction in which every packet is lost; networks such as `127.1.0.0/16`, or one address. */
export interface Cut {
  from: string;
  to: string;
}

const EVERYWHERE = '127.0.0.0/8';

/** Everything that goes to this network. */
export function allTo(network: string): Cut {
  return { from: EVERYWHERE, to: network };
}

/**
 * Loses packets by rules of the kernel's firewall, in a table of the sandbox's own: nobody is refused anything, nobody hears anything.
 * @throws SANDBOX where this user may not
 */
export async function cut(block: number, { from, to }: Cut): Promise<void> {
  const table = tableOf(block);
  await nft(`
    add table ${table}
    add chain ${table} input { type filter hook input priority 0; }
    add rule ${table} input ip saddr ${from} ip daddr ${to} drop
  `);
}

/** Ends what {@link cut} did in this direction; does nothing where nothing was done. */
export async function restore(block: number, { from, to }: Cut): Promise<void> {
  const listed = await nft(`list table ${tableOf(block)}`, ['-a', '-s']).catch(() => '');
  const rule = `ip saddr ${from} ip daddr ${to} drop # handle `;
  const handles = listed
    .split('\n')
    .flatMap((line) => (line.includes(rule) ? [line.split('# handle ')[1]!] : []));
  const deletions = handles.map((handle) => `delete rule ${tableOf(block)} input handle ${handle}`);
  if (deletions.length > 0) await nft(deletions.join('\n'));
}

/** Ends all of it. */
export async function restoreAll(block: number): Promise<void> {
  await nft(`delete table ${tableOf(block)}`).catch(() => undefined);
}

function tableOf(block: number): string {
  return `inet switchover_${block}`;
}

async function nft(script: string, options: readonly string[] = []): Promise<string> {
  const child = spawn(tool('nft'), [...options, '-f', '-']);
  child.stdin.end(script);
  const [said, wrong, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  if (status === 0) return said;
  throw new SwitchoverError('SANDBOX', `the network cannot be cut (only root may): ${wrong.trim()}`);
}
