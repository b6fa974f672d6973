import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from '@sinclair/typebox';
import type { Config } from '../../core/config';
import type { Coordination, Incident, Lock } from '../../core/coordination';
import { nodesOf } from '../../core/topology';
import type { Deps } from '../deps';
import { refusals } from '../schemas/problem';
import { named, object, oneOf } from '../schemas/schema';

const place = {
  scope: Type.String({ examples: ['zone/us-east-1/a'] }),
  lock: Type.Optional(named<Lock>('Lock')),
  incident: Type.Optional(named<Incident>('Incident')),
};

const TopologySchema = object(
  {
    environment: Type.String(),
    ...place,
    regions: Type.Array(
      object({
        name: Type.String(),
        ...place,
        weight: Type.Integer({ description: 'percent of the world’s traffic' }),
        role: oneOf(['active', 'standby', 'cold']),
        zones: Type.Array(
          object({
            name: Type.String(),
            ...place,
            nodes: Type.Array(
              object({
                id: Type.String({ examples: ['us-east-1/a/n1'] }),
                ...place,
                address: Type.String(),
                spare: Type.Boolean({ description: 'stopped until it replaces another' }),
              }),
            ),
          }),
        ),
      }),
    ),
  },
  { description: 'The fleet as the environment file has it, and what is being worked on where' },
);

const about = { tags: ['fleet'], security: [{ bearer: [] }] };
const failures = refusals('UNAUTHENTICATED', 'FORBIDDEN', 'TEMPORAL_UNREACHABLE');

const topologySchema = {
  ...about,
  summary: 'The fleet',
  description:
    'Regions, zones and nodes, each with the run that holds it and its open incident. Role: viewer.',
  response: { 200: TopologySchema, ...failures },
};

const incidentsSchema = {
  ...about,
  summary: 'Open incidents',
  description: 'Role: viewer.',
  response: {
    200: object({ incidents: Type.Array(named<Incident>('Incident')) }, { description: 'Newest first' }),
    ...failures,
  },
};

/** What there is, and what is being worked on. */
export const fleet: FastifyPluginAsyncTypebox<Deps> = async (app, { config, operations }) => {
  app.get('/topology', { config: { role: 'viewer' }, schema: topologySchema }, async () =>
    topologyOf(config, await operations.coordination()),
  );

  app.get('/incidents', { config: { role: 'viewer' }, schema: incidentsSchema }, async () => {
    const { incidents } = await operations.coordination();
    return {
      incidents: Object.values(incidents).sort((a, b) => b.openedAt.localeCompare(a.openedAt)),
    };
  });
};

function topologyOf(config: Config, { locks, incidents }: Coordination): Static<typeof TopologySchema> {
  const at = (scope: string) => ({
    scope,
    ...(locks[scope] ? { lock: locks[scope] } : {}),
    ...(incidents[scope] ? { incident: incidents[scope] } : {}),
  });
  const zoneOf = (region: string, zone: string) => ({
    name: zone,
    ...at(`zone/${region}/${zone}`),
    nodes: nodesOf(config, region)
      .filter((node) => node.zone === zone)
      .map(({ id, address, spare }) => ({ id, ...at(`node/${id}`), address, spare })),
  });
  return {
    environment: config.environment,
    ...at('global'),
    regions: Object.entries(config.regions).map(([name, { weight, role, zones }]) => ({
      name,
      ...at(`region/${name}`),
      weight,
      role,
      zones: Object.keys(zones).map((zone) => zoneOf(name, zone)),
    })),
  };
}
