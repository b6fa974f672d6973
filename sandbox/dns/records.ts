import {
  ListResourceRecordSetsCommand,
  paginateListHealthChecks,
  paginateListHostedZones,
  type HealthCheck,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';

/** A hosted zone with everything in it. */
export interface Zone {
  /** `mcp.test.` */
  name: string;
  sets: readonly ResourceRecordSet[];
}

/** What Route 53 has. */
export interface Records {
  zones: readonly Zone[];
  checks: readonly HealthCheck[];
}

/** Reads everything there is. @throws the SDK's error where the API does not answer */
export async function readRecords(client: Route53Client): Promise<Records> {
  const checks: HealthCheck[] = [];
  for await (const page of paginateListHealthChecks({ client }, {}))
    checks.push(...(page.HealthChecks ?? []));
  const zones: Zone[] = [];
  for await (const page of paginateListHostedZones({ client }, {})) {
    for (const { Id, Name = '' } of page.HostedZones ?? [])
      zones.push({ name: Name, sets: await setsOf(client, Id) });
  }
  return { zones, checks };
}

/** One page: a zone of the sandbox has fewer than the 300 sets of one, and the emulator cannot go on within a name. */
async function setsOf(client: Route53Client, id: string | undefined): Promise<ResourceRecordSet[]> {
  const { ResourceRecordSets = [] } = await client.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: id }),
  );
  return ResourceRecordSets;
}
