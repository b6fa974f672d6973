import { join } from 'node:path';
import {
  ChangeResourceRecordSetsCommand,
  type ChangeAction,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { route53At } from '../../sandbox/dns/client';
import { ensureZone } from '../../sandbox/dns/zone';
import { DNS_KEY_VARIABLES } from '../../sandbox/environment';
import { tool } from '../../sandbox/tools';
import { startProcess, type TestProcess } from './process';
import { until } from './until';

export const KEYS = { accessKeyId: 'test', secretAccessKey: 'secret' };
const ENVIRONMENT = {
  [DNS_KEY_VARIABLES.id]: KEYS.accessKeyId,
  [DNS_KEY_VARIABLES.secret]: KEYS.secretAccessKey,
};

/** A real emulator of Route 53 of one test file, with the hosted zone of the sandbox in it. */
export interface TestRoute53 {
  /** host:port */
  address: string;
  client: Route53Client;
  zone: string;
  /** Makes these record sets what they are here, or takes them away. */
  change(action: ChangeAction, ...sets: ResourceRecordSet[]): Promise<void>;
  stop(): Promise<void>;
}

/** @param host loopback address that no other test file uses; the port is 5000 */
export async function startRoute53(host: string): Promise<TestRoute53> {
  const process = startProcess(tool('moto_server'), ['--host', host, '--port', '5000']);
  const address = `${host}:5000`;
  const client = route53At(address, ENVIRONMENT);
  const zone = await until(`the emulator on ${address} answers`, () => ensureZone(client)).catch(
    async (error: unknown) => {
      await process.kill();
      throw new Error(process.output(), { cause: error });
    },
  );
  return {
    address,
    client,
    zone,
    async change(action, ...sets) {
      const Changes = sets.map((set) => ({ Action: action, ResourceRecordSet: set }));
      await client.send(
        new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } }),
      );
    },
    stop: () => process.kill(),
  };
}

/** Starts the nameserver of the sandbox on port 53 of `host`, in the block of that address; it checks health every 50 ms. */
export function startNameserver(host: string, route53: TestRoute53): TestProcess {
  const main = join(__dirname, '../../dist/sandbox/dns/main.js');
  const block = host.split('.')[1]!;
  const options = ['--listen', `${host}:53`, '--api', route53.address, '--checks', '50', '--block', block];
  return startProcess(process.execPath, [main, ...options], ENVIRONMENT);
}

/** A record set with one address. */
export function recordSet(
  name: string,
  address: string,
  more: Partial<ResourceRecordSet>,
): ResourceRecordSet {
  return { Name: name, Type: 'A', TTL: 5, ResourceRecords: [{ Value: address }], ...more };
}
