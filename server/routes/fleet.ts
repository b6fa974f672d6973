import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from '@sinclair/typebox';
import type { Config } from '../../core/config';
import type { Coordination, Incident, Lock } from '../../core/coordination';
import { nodesOf } from '../../core/topology';
import type { Way } from '../../core/ways';
import type { Deps } from '../deps';
import { refusals } from '../schemas/problem';
import { Time, named, object, oneOf } from '../schemas/schema';

const place = {
  scope: Type.String({ examples: ['zone/us-east-1/a'] }),
  lock: Type.Optional(named<Lock>('Lock')),
  incident: Type.Optional(named<Incident>('Incident')),
};

const WaySchema = object({
  to: Type.String(),
  state: oneOf(['healthy', 'lossy', 'slow']),
  probes: Type.Integer(),
  lost: Type.Integer(),
  p50Ms: Type.Union([Type.Number(), Type.Null()]),
  p95Ms: Type.Union([Type.Number(), Type.Null()]),
});

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
        ways: Type.Array(WaySchema, {
          description: 'from here to other regions, as probed lately; empty where nobody looks',
        }),
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
    'Regions, zones and nodes, each with the run that holds it and its open incident; the ways between regions. Role: viewer.',
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

const LeverSchema = object(
  {
    engaged: Type.Boolean(),
    by: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    since: Type.Optional(Time),
  },
  { description: 'Whether automation is stopped, by whom and why' },
);

const leverSchema = {
  ...about,
  summary: 'The safety lever',
  description: 'While it is engaged automatic runs pause and none is started. Role: viewer.',
  response: { 200: LeverSchema, ...failures },
};

const moveSchema = {
  ...about,
  summary: 'Engage or release the safety lever',
  description:
    'Engaged, automatic runs pause within a second; released, they look again and go on, and faults that came ' +
    'meanwhile get their runs. The name recorded is that of the token. Role: operator.',
  body: object({
    engaged: Type.Boolean({ description: 'true: stop automation' }),
    reason: Type.String({ minLength: 1, examples: ['the monitor is wrong about zone a'] }),
  }),
  response: {
    200: object({ sentence: Type.String({ description: 'what follows' }) }, { description: 'It was moved' }),
    ...refusals('BAD_INPUT'),
    ...failures,
  },
};

const explainSchema = {
  ...about,
  summary: 'Who holds what, and who waits for whom and why',
  description: 'A sentence for each lock, each run that waits, each fault that is kept. Role: viewer.',
  response: {
    200: object({ sentences: Type.Array(Type.String()) }, { description: 'May be empty' }),
    ...failures,
  },
};

/** What there is, and what is being worked on. */
export const fleet: FastifyPluginAsyncTypebox<Deps> = async (app, { config, operations }) => {
  app.get('/topology', { config: { role: 'viewer' }, schema: topologySchema }, async () => {
    const [coordination, ways] = await Promise.all([
      operations.coordination(),
      operations.ways(Object.keys(config.regions)),
    ]);
    return topologyOf(config, coordination, ways);
  });

  app.get('/incidents', { config: { role: 'viewer' }, schema: incidentsSchema }, async () => {
    const { incidents } = await operations.coordination();
    return {
      incidents: Object.values(incidents).sort((a, b) => b.openedAt.localeCompare(a.openedAt)),
    };
  });

  app.get('/coordination', { config: { role: 'viewer' }, schema: explainSchema }, async () => ({
    sentences: await operations.explain(),
  }));

  app.get('/lever', { config: { role: 'viewer' }, schema: leverSchema }, async () => {
    const { lever } = await operations.coordination();
    return { engaged: lever !== undefined, ...lever };
  });

  app.put('/lever', { config: { role: 'operator' }, schema: moveSchema }, async (request) => ({
    sentence: await operations.moveLever({ ...request.body, by: request.caller.name }),
  }));
};

/** A way without where it begins, which is where it is told. */
function leaving({ to, state, probes, lost, p50Ms, p95Ms }: Way): Static<typeof WaySchema> {
  return { to, state, probes, lost, p50Ms, p95Ms };
}

function topologyOf(
  config: Config,
  { locks, incidents }: Coordination,
  ways: readonly Way[],
): Static<typeof TopologySchema> {
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
      ways: ways.filter(({ from }) => from === name).map(leaving),
      zones: Object.keys(zones).map((zone) => zoneOf(name, zone)),
    })),
  };
}
