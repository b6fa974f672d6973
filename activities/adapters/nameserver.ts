import { Resolver, lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ServerAnswers } from '../../core/dns';
import { messageOf } from '../../core/errors';
import { trouble } from './trouble';

/** How often a nameserver is asked, and how long it may take, ms. */
const ASKS = 20;
const ANSWER_MS = 1_000;

/** Asks one nameserver for a name's addresses, several times at once and past every cache. Never throws. */
export async function answersOf(server: string, name: string): Promise<ServerAnswers> {
  const asked = { server, asked: ASKS };
  try {
    const resolver = new Resolver({ timeout: ANSWER_MS, tries: 1 });
    resolver.setServers([await numeric(server)]);
    const questions = Array.from({ length: ASKS }, () => resolver.resolve4(name, { ttl: true }));
    const results = await Promise.allSettled(questions);
    const records = results.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const failed = results.filter((one) => one.status === 'rejected');
    const addresses: Record<string, number> = {};
    for (const { address } of records) addresses[address] = (addresses[address] ?? 0) + 1;
    const why = failed.length > 0 ? `; ${silence(failed[0]!.reason)}` : '';
    return {
      ...asked,
      addresses,
      ...(records.length > 0 ? { ttlS: Math.max(...records.map(({ ttl }) => ttl)) } : {}),
      said: `${ASKS - failed.length} of ${ASKS} answered${why}`,
    };
  } catch (error) {
    return { ...asked, addresses: {}, said: messageOf(error) };
  }
}

/** The server's address: the resolver takes no names. */
async function numeric(server: string): Promise<string> {
  const { hostname, port } = new URL(`tcp://${server}`);
  return isIP(hostname) ? server : `${(await lookup(hostname, 4)).address}:${port}`;
}

function silence(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === 'ETIMEOUT') return `no answer within ${ANSWER_MS} ms`;
  return code === 'ENOTFOUND' ? 'there is no such name' : trouble(error, ANSWER_MS);
}
