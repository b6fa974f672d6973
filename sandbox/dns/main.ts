import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createServer } from 'dns2';
import { messageOf } from '../../core/errors';
import { regionOf } from '../layout';
import { answer } from './answer';
import { HealthChecks } from './checks';
import { route53At } from './client';
import { readRecords, type Zone } from './records';

/** How often the records are read, ms: a change is answered this soon; with Route 53 it is in all places within a minute. */
const POLL_MS = 500;

/**
 * The nameserver of the sandbox, a process of its own: answers over UDP and TCP what Route 53's records say, as Route 53's own
 * nameservers do. What it read last it goes on answering while the API is away or has lost its memory.
 *
 * `node main.js --listen host:port --api host:port --checks MS --block N`; `--checks`: time between two health checks of an endpoint;
 * `--block`: that of the sandbox, by which an asker's address tells its region.
 */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { listen: text, api: text, checks: text, block: text } });
  const { listen = '', api = '', checks: every = '', block = '' } = values;
  const client = route53At(api, process.env);
  const checks = new HealthChecks(Number(every));
  let zones: readonly Zone[] = [];
  const server = createServer({
    udp: true,
    tcp: true,
    handle: (request, send, from) => {
      const address = (
        'remoteAddress' in from ? from.remoteAddress : 'address' in from ? from.address : ''
      ) as string;
      const region = regionOf(Number(block), address);
      const healthy = (id: string): boolean => checks.healthy(id);
      void send(answer(request, zones, { region, healthy, random: Math.random }));
    },
  });
  server.on('requestError', (error) => console.error(`a request that is none: ${error.message}`));
  server.on('error', fail);
  const [host, port] = listen.split(':');
  const at = { address: host ?? '', port: Number(port) };
  await server.listen({ udp: at, tcp: at });

  for (let trouble = ''; ; await pause(POLL_MS)) {
    const before = trouble;
    try {
      const read = await readRecords(client);
      if (read.zones.length === 0) throw new Error('there is no hosted zone');
      zones = read.zones;
      checks.follow(read.checks);
      trouble = '';
    } catch (error) {
      trouble = messageOf(error);
    }
    if (trouble !== before)
      console.log(trouble ? `answers from memory: ${trouble}` : 'answers from the records');
  }
}

function fail(error: Error): never {
  console.error(`The nameserver does not run: ${error.message}`);
  process.exit(1);
}

main().catch(fail);
