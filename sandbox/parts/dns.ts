import { Resolver } from 'node:dns/promises';
import {
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  ListHealthChecksCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import ms, { type StringValue } from 'ms';
import { route53At } from '../dns/client';
import { ensureZone, zoneId } from '../dns/zone';
import { DNS_KEY_VARIABLES, DNS_NAME } from '../environment';
import { balancerAddresses, indexOf, placesOf, type Place } from '../layout';
import { built, flags, requireBuilt, tool } from '../tools';
import { balancerIn } from './haproxy';
import type { Context, Part } from './part';

const ROUTE53 = 'Route 53';
const MAIN = 'sandbox/dns/main.js';

/** The interval that Route 53's records can name, s; the nameserver is told its own. */
const INTERVAL_S = 10;
/** After which the nameserver has not answered, ms. */
const TIMEOUT_MS = 1_000;

/**
 * The API that changes what the nameserver answers: an emulator of Route 53's, which keeps everything in memory. Whoever starts it
 * makes the fleet's name in it; weights that were changed are then as at first.
 */
export function route53(context: Context): Part {
  const { at, settings } = context;
  const [host = '', port = ''] = at.route53.split(':');
  const program = {
    name: 'route53',
    command: () => [tool('moto_server'), ...flags({ host, port })],
    listens: [at.route53],
  };
  return {
    name: ROUTE53,
    after: [],
    wanted: settings.dns,
    programs: [program],
    settle: () => settle(context),
    ready: () => fleetSets(context),
    notes: () => weights(context),
  };
}

/** The nameserver. It starts after the load balancers, else their start would be an outage to its health checks. */
export function dns({ at, settings, secrets }: Context): Part {
  const options = flags({
    listen: at.dns,
    api: at.route53,
    checks: String(ms(settings.dnsChecks.split('/')[0] as StringValue)),
    block: String(settings.block),
  });
  const keys = Object.values(DNS_KEY_VARIABLES).map((variable) => [variable, secrets[variable] ?? '']);
  const program = {
    name: 'dns',
    command: () => [process.execPath, '--enable-source-maps', built(MAIN), ...options],
    environment: Object.fromEntries(keys) as Record<string, string>,
    listens: [at.dns],
  };
  const ask = async (): Promise<{ address: string; ttl: number }[]> => {
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
    resolver.setServers([at.dns]);
    return resolver.resolve4(DNS_NAME, { ttl: true });
  };
  return {
    name: 'DNS',
    after: [ROUTE53, ...placesOf(settings).map(({ name }) => balancerIn(name))],
    wanted: settings.dns,
    programs: [program],
    prepare: async () => requireBuilt(MAIN),
    ready: ask,
    notes: async () => {
      const [answer] = await ask().catch(() => []);
      return answer ? { dns: `${DNS_NAME} is ${answer.address}, for ${answer.ttl} s` } : {};
    },
  };
}

function clientOf({ at, secrets }: Context): Route53Client {
  return route53At(at.route53, secrets);
}

/** Makes what is missing of hosted zone, health checks and record sets; what is there stays as it is. */
async function settle(context: Context): Promise<void> {
  const client = clientOf(context);
  const zone = await ensureZone(client);
  const there = (await setsIn(client, zone)).map(({ SetIdentifier }) => SetIdentifier);
  const missing = placesOf(context.settings).filter(({ name }) => !there.includes(name));
  if (missing.length === 0) return;
  const sets = await Promise.all(missing.map((place) => recordSet(context, client, place)));
  const Changes = sets.map((set) => ({ Action: 'CREATE' as const, ResourceRecordSet: set }));
  await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } }));
}

async function recordSet(
  { settings }: Context,
  client: Route53Client,
  { name, weight }: Place,
): Promise<ResourceRecordSet> {
  const { hostname, port } = new URL(`http://${balancerAddresses(settings.block, indexOf(name)).frontend}`);
  return {
    Name: DNS_NAME,
    Type: 'A',
    SetIdentifier: name,
    Weight: weight,
    TTL: settings.dnsTtl,
    ResourceRecords: [{ Value: hostname }],
    HealthCheckId: await healthCheck(client, hostname, Number(port), settings.dnsChecks),
  };
}

/** The id of the check of this address, made now where there is none. */
async function healthCheck(client: Route53Client, host: string, port: number, rule: string): Promise<string> {
  const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
  const known = HealthChecks.find(({ HealthCheckConfig: config }) => config?.IPAddress === host);
  if (known) return known.Id!;
  const made = await client.send(
    new CreateHealthCheckCommand({
      CallerReference: host,
      HealthCheckConfig: {
        Type: 'HTTP',
        IPAddress: host,
        Port: port,
        ResourcePath: '/health',
        RequestInterval: INTERVAL_S,
        FailureThreshold: Number(rule.split('/')[1]),
      },
    }),
  );
  return made.HealthCheck!.Id!;
}

async function setsIn(client: Route53Client, zone: string): Promise<ResourceRecordSet[]> {
  const { ResourceRecordSets = [] } = await client.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: zone }),
  );
  return ResourceRecordSets.filter(({ Name, Type }) => Name === DNS_NAME && Type === 'A');
}

/** The record sets of the fleet's name. @throws Error where there are none */
async function fleetSets(context: Context): Promise<ResourceRecordSet[]> {
  const client = clientOf(context);
  const zone = await zoneId(client);
  const sets = zone ? await setsIn(client, zone) : [];
  if (sets.length === 0) throw new Error(`${DNS_NAME} has no record sets`);
  return sets;
}

async function weights(context: Context): Promise<Record<string, string>> {
  const sets = await fleetSets(context).catch(() => []);
  const shares = sets.map(({ SetIdentifier, Weight }) => `${SetIdentifier} ${Weight}`);
  return sets.length > 0 ? { route53: shares.join(', ') } : {};
}
