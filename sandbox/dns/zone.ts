import {
  CreateHostedZoneCommand,
  ListHostedZonesByNameCommand,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { DNS_ZONE } from '../environment';

/** The id of the sandbox's hosted zone, if the emulator has it. */
export async function zoneId(client: Route53Client): Promise<string | undefined> {
  const { HostedZones = [] } = await client.send(new ListHostedZonesByNameCommand({ DNSName: DNS_ZONE }));
  return HostedZones.find(({ Name }) => Name === DNS_ZONE)?.Id;
}

/** The same, made where it is missing. The emulator would make a second one for a call that is repeated: so it is looked for first. */
export async function ensureZone(client: Route53Client): Promise<string> {
  const found = await zoneId(client);
  if (found) return found;
  const made = await client.send(new CreateHostedZoneCommand({ Name: DNS_ZONE, CallerReference: DNS_ZONE }));
  return made.HostedZone!.Id!;
}
