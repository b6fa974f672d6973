import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import type { Opened } from '../../core/coordination';
import { SwitchoverError } from '../../core/errors';
import { AlertDesk, type Alert, type Verdict } from '../alerts';
import type { Deps } from '../deps';
import { problemOf } from '../plugins/problem';
import { AlertmanagerPayload, type AlertmanagerAlert } from '../schemas/alertmanager';
import { refusals, type Problem } from '../schemas/problem';
import { exactly, named, object } from '../schemas/schema';

/** Alerts of one payload handed over at the same time. */
const AT_ONCE = 32;

const Taken = exactly<Opened>()(
  object({
    incident: Type.String({ examples: ['INC-20300102-0001'] }),
    run: Type.String(),
    joined: Type.Boolean({ description: 'true: another alert had opened the incident' }),
  }),
);
const Ignored = object({ ignored: Type.String({ description: 'why nothing was started' }) });
const Named = { fingerprint: Type.String() };
const Results = object({
  results: Type.Array(
    Type.Union([
      object({ ...Named, ...Taken.properties }),
      object({ ...Named, ...Ignored.properties }),
      object({ ...Named, error: named<Problem>('Problem') }),
    ]),
  ),
});

const { 503: unreachable, ...refused } = refusals(
  'BAD_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'TEMPORAL_UNREACHABLE',
);

const schema = {
  tags: ['webhooks'],
  summary: 'Alerts of Prometheus Alertmanager',
  description:
    'Each firing alert opens the incident of its scope and starts the runbook whose `alerts` match its labels, or joins. ' +
    'One alert is answered by itself, several by `results` in their order. 503: something could not be handed over and ' +
    'all of it is to be sent again, as Alertmanager does; what had been handed over then joins. Role: operator.',
  security: [{ bearer: [] }, { basic: [] }],
  body: AlertmanagerPayload,
  response: {
    200: Type.Union([Taken, Ignored, Results], { description: 'Nothing was lost' }),
    503: {
      ...unreachable,
      description: 'Send it again',
      content: {
        'application/problem+json': { schema: named<Problem>('Problem') },
        'application/json': { schema: Results },
      },
    },
    ...refused,
  },
};

/** The doors of monitoring systems. */
export const webhooks: FastifyPluginAsyncTypebox<Deps> = async (app, { operations, metrics }) => {
  const desk = new AlertDesk(operations, metrics);

  app.post('/alertmanager', { config: { role: 'operator' }, schema }, async (request, reply) => {
    const alerts = request.body.alerts.map(fromAlertmanager);
    const [only, ...others] = alerts;
    if (only && others.length === 0) return desk.take(only);

    const results = await Readable.from(alerts)
      .map((alert: Alert) => answer(desk, alert, request), { concurrency: AT_ONCE })
      .toArray();
    const again = results.some((result) => 'error' in result && result.error.status >= 500);
    return reply.code(again ? 503 : 200).send({ results });
  });
};

async function answer(
  desk: AlertDesk,
  alert: Alert,
  { id, log }: Pick<FastifyRequest, 'id' | 'log'>,
): Promise<{ fingerprint: string } & (Verdict | { error: Problem })> {
  const { fingerprint } = alert;
  try {
    return { fingerprint, ...(await desk.take(alert)) };
  } catch (error) {
    const problem = problemOf(error, id);
    log.warn({ err: error, code: problem.code, fingerprint }, problem.detail);
    return { fingerprint, error: problem };
  }
}

/** @throws BAD_INPUT where its time is none, such as one in a thirteenth month */
function fromAlertmanager(
  { status, labels, annotations, startsAt, fingerprint }: AlertmanagerAlert,
  index: number,
): Alert {
  const began = new Date(startsAt);
  if (Number.isNaN(began.getTime()))
    throw new SwitchoverError('BAD_INPUT', `body.alerts.${index}.startsAt: "${startsAt}" is no time`);
  return {
    source: 'alertmanager',
    fingerprint,
    summary: annotations?.['summary'] ?? annotations?.['description'] ?? labels['alertname'] ?? fingerprint,
    faultAt: began.toISOString(),
    labels,
    firing: status === 'firing',
  };
}
