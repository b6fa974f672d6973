import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import type { Opened } from '../../core/coordination';
import { SwitchoverError } from '../../core/errors';
import { AlertDesk, joining, type Alert, type Verdict } from '../alerts';
import type { Deps } from '../deps';
import { Intake } from '../intake';
import { Lately } from '../lately';
import { problemOf } from '../plugins/problem';
import { AlertmanagerPayload, type AlertmanagerAlert } from '../schemas/alertmanager';
import { refusals, type Problem } from '../schemas/problem';
import { exactly, named, object } from '../schemas/schema';

/** What was answered has this long to be handed over when the server closes. */
const HAND_OVER_MS = 3_000;

/** The answer about an alert that is safe, and not dealt with yet. */
const KEPT: Verdict = {
  kept: 'it is in the journal and is being handed over; GET /api/v1/coordination tells what deals with it',
};

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
const Kept = object({ kept: Type.String({ description: 'why what deals with it is not named' }) });
const Named = { fingerprint: Type.String() };
const Results = object({
  results: Type.Array(
    Type.Union([
      object({ ...Named, ...Taken.properties }),
      object({ ...Named, ...Ignored.properties }),
      object({ ...Named, ...Kept.properties }),
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
    'all of it is to be sent again, as Alertmanager does; what had been handed over then joins. With a journal an alert is kept ' +
    'there until it is dealt with, and answered at once: as the last one of its place was, at most 2 s before, or by ' +
    '`kept` in a storm or where dealing with it takes long. Role: operator.',
  security: [{ bearer: [] }, { basic: [] }],
  body: AlertmanagerPayload,
  response: {
    200: Type.Union([Taken, Ignored, Results], { description: 'Nothing was lost' }),
    202: Kept,
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
export const webhooks: FastifyPluginAsyncTypebox<Deps> = async (app, { operations, metrics, inbox }) => {
  const lately = new Lately<Verdict>();
  const desk = new AlertDesk(operations, metrics, lately);
  const intake = new Intake<Alert, Verdict>({
    inbox,
    lately,
    matterOf: (alert) => desk.matterOf(alert),
    lasting: joining,
    kept: KEPT,
    warn: (error) => app.log.warn({ err: error }, 'an alert that was answered is not dealt with'),
  });
  const take = async (alert: Alert) => desk.dismiss(alert) ?? intake.take(alert);
  app.addHook('onClose', () => intake.close(HAND_OVER_MS));

  app.post('/alertmanager', { config: { role: 'operator' }, schema }, async (request, reply) => {
    const alerts = request.body.alerts.map(fromAlertmanager);
    const [only, ...others] = alerts;
    if (only && others.length === 0) {
      const verdict = await take(only);
      return reply.code('kept' in verdict ? 202 : 200).send(verdict);
    }

    const results = await Readable.from(alerts)
      .map((alert: Alert) => answer(take, alert, request), { concurrency: AT_ONCE })
      .toArray();
    const again = results.some((result) => 'error' in result && result.error.status >= 500);
    return reply.code(again ? 503 : 200).send({ results });
  });
};

async function answer(
  take: (alert: Alert) => Promise<Verdict>,
  alert: Alert,
  { id, log }: Pick<FastifyRequest, 'id' | 'log'>,
): Promise<{ fingerprint: string } & (Verdict | { error: Problem })> {
  const { fingerprint } = alert;
  try {
    return { fingerprint, ...(await take(alert)) };
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
