import { once } from 'node:events';
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
  type ListResourceRecordSetsCommandInput,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import type { DnsConfig } from '../../core/config';
import { weightProblems, type DnsRecord } from '../../core/dns';
import { SwitchoverError, messageOf } from '../../core/errors';
import type { Dns } from '../ports';
import { answersOf } from './nameserver';
import { nameOf, trouble } from './trouble';

/** Keys of an AWS user; without them the SDK looks in its own places. */
export interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Longest wait for the API, ms, however often the SDK tries within it. */
const TIMEOUT_MS = 5_000;
/** Tries of a call that was throttled or not answered; Route 53 takes five calls a second of a whole account. */
const TRIES = 3;
/** Characters that Route 53 takes as the comment of a change. */
const COMMENT = 256;

/** What Route 53 calls "not now" with a status that says otherwise. */
const NOT_NOW = [
  'Throttling',
  'ThrottlingException',
  'PriorRequestNotComplete',
  'PriorChangeRequestNotComplete',
  'RequestTimeout',
];

/** Without it the SDK tells everybody who runs Node 20, which is supported here, that releases to come will not. */
const SILENCE = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/**
 * A name with one weighted record set of type A a region, in Route 53. The zone is found once; each `look` and `insync` is one call,
 * `shift` two.
 *
 * Traps:
 * - What `look` tells may not be answered yet: a change takes up to a minute until every nameserver has it (`insync`).
 * - A change whose answer was lost may have been made. It can be sent again: it says what the record sets are to be.
 * - Sets of weight 0 are answered where all others are unhealthy, and where all weights are 0 all are, equally often.
 *
 * @throws DNS_UNREACHABLE within 5 s, also where it is throttled or a change before is not complete; DNS_REFUSED with Route 53's own
 * words; BAD_INPUT from `shift` for weights that the name cannot have.
 */
export function route53(config: DnsConfig, keys?: Keys): Dns {
  process.env[SILENCE] ??= 'true';
  const { endpoint, region } = config;
  const name = absolute(config.name);
  const client = new Route53Client({
    ...(endpoint ? { endpoint } : {}),
    ...(region ? { region } : {}),
    ...(keys ? { credentials: keys } : {}),
    maxAttempts: TRIES,
  });
  let found: Promise<string> | undefined;
  const zone = (): Promise<string> => {
    found ??= findZone(client, config.zone).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  const read = async (): Promise<ResourceRecordSet[]> => setsOf(client, await zone(), name);
  const viewOf = (sets: readonly ResourceRecordSet[]) => ({
    name,
    ttlS: Math.max(...sets.map(({ TTL = 0 }) => TTL)),
    records: sets.map((set) => toRecord(name, set)),
  });

  return {
    look: async () => viewOf(await read()),

    async shift(weights, key) {
      const sets = await read();
      const wrong = weightProblems(viewOf(sets), weights);
      if (wrong.length > 0) throw new SwitchoverError('BAD_INPUT', wrong.join('; '), wrong);
      const Changes = sets
        .filter(({ SetIdentifier = '' }) => weights[SetIdentifier] !== undefined)
        .map((set) => ({
          Action: 'UPSERT' as const,
          ResourceRecordSet: { ...set, Weight: weights[set.SetIdentifier!]! },
        }));
      const HostedZoneId = await zone();
      const ChangeBatch = { Comment: key.slice(0, COMMENT), Changes };
      const { ChangeInfo } = await bounded(`change ${name}`, (abortSignal) =>
        client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch }), { abortSignal }),
      );
      return ChangeInfo?.Id ?? '';
    },

    async insync(change) {
      const { ChangeInfo } = await bounded(`get change ${change}`, (abortSignal) =>
        client.send(new GetChangeCommand({ Id: change }), { abortSignal }),
      );
      return ChangeInfo?.Status === 'INSYNC';
    },

    answers: () => Promise.all(config.nameservers.map((server) => answersOf(server, name))),
  };
}

/** The id of the zone, which may be named by it. A name alone must be that of one zone. */
async function findZone(client: Route53Client, zone: string): Promise<string> {
  if (!zone.includes('.')) return zone;
  const DNSName = absolute(zone);
  const what = `find zone ${DNSName}`;
  const { HostedZones = [] } = await bounded(what, (abortSignal) =>
    client.send(new ListHostedZonesByNameCommand({ DNSName }), { abortSignal }),
  );
  const ids = HostedZones.flatMap(({ Name, Id }) => (Name === DNSName && Id ? [Id] : []));
  if (ids.length === 1) return ids[0]!;
  const why = ids.length === 0 ? 'there is none' : `there are several: name one of ${ids.join(', ')}`;
  throw new SwitchoverError('DNS_REFUSED', `Route 53 on "${what}": ${why}`);
}

/** Every record set of type A of this name, on however many pages. */
async function setsOf(client: Route53Client, zone: string, name: string): Promise<ResourceRecordSet[]> {
  const sets = new Map<string | undefined, ResourceRecordSet>();
  const isOurs = (set: { Name?: string | undefined; Type?: string | undefined }): boolean =>
    set.Name?.toLowerCase() === name && set.Type === 'A';
  const what = `list ${name}`;
  let next: Omit<ListResourceRecordSetsCommandInput, 'HostedZoneId'> | undefined = {
    StartRecordName: name,
    StartRecordType: 'A',
  };
  while (next) {
    const command: ListResourceRecordSetsCommand = new ListResourceRecordSetsCommand({
      HostedZoneId: zone,
      ...next,
    });
    const page = await bounded(what, (abortSignal) => client.send(command, { abortSignal }));
    const fresh = page.ResourceRecordSets?.filter((set) => isOurs(set) && !sets.has(set.SetIdentifier)) ?? [];
    for (const set of fresh) sets.set(set.SetIdentifier, set);
    const goesOn = page.IsTruncated && isOurs({ Name: page.NextRecordName, Type: page.NextRecordType });
    next =
      goesOn && fresh.length > 0
        ? {
            StartRecordName: page.NextRecordName,
            StartRecordType: page.NextRecordType,
            StartRecordIdentifier: page.NextRecordIdentifier,
          }
        : undefined;
  }
  if (sets.size > 0) return [...sets.values()];
  throw new SwitchoverError('DNS_REFUSED', `Route 53 on "${what}": it has no record set of type A`);
}

function toRecord(name: string, set: ResourceRecordSet): DnsRecord {
  const { SetIdentifier: region, Weight: weight, ResourceRecords: values, HealthCheckId: healthCheck } = set;
  if (region !== undefined && weight !== undefined && values) {
    const addresses = values.flatMap(({ Value }) => Value ?? []);
    return { region, weight, addresses, ...(healthCheck ? { healthCheck } : {}) };
  }
  const which = region === undefined ? 'a record set' : `the record set ${region}`;
  throw new SwitchoverError('DNS_REFUSED', `${which} of ${name} is not a weighted one with addresses`);
}

/** One call, ended in time. The SDK's own time-outs are of a try each, and it may be told to pause between two. */
async function bounded<T>(what: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const late = once(deadline, 'abort').then(() => Promise.reject(deadline.reason as Error));
  try {
    return await Promise.race([call(deadline), late]);
  } catch (error) {
    throw failure(what, error);
  }
}

/** What the SDK's errors have, by shape. */
interface AwsError {
  $metadata?: { httpStatusCode?: number };
  /** Why a batch of changes is not taken; Route 53 has two ways to tell, and the SDK knows one of them. */
  messages?: string[];
  Messages?: { Message?: string | string[] };
}

function failure(what: string, error: unknown): SwitchoverError {
  const { $metadata, messages = [], Messages } = error as AwsError;
  const status = $metadata?.httpStatusCode;
  const code = nameOf(error);
  const local = status === undefined && code !== 'CredentialsProviderError';
  if (local || status === 429 || (status ?? 0) >= 500 || NOT_NOW.includes(code)) {
    const why = local ? trouble(error, TIMEOUT_MS) : `${code} (HTTP ${status}): ${messageOf(error)}`;
    return new SwitchoverError('DNS_UNREACHABLE', `Route 53 on "${what}": ${why}`);
  }
  const reasons = [messages, Messages?.Message ?? []].flat(2);
  const words = reasons.join('; ') || messageOf(error);
  return new SwitchoverError('DNS_REFUSED', `Route 53 refused "${what}": ${code}: ${words}`);
}

function absolute(name: string): string {
  return name.toLowerCase().replace(/\.?$/, '.');
}
