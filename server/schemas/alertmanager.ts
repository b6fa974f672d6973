import { Type, type Static } from '@sinclair/typebox';
import { oneOf } from './schema';

const Labels = (example: Record<string, string>) =>
  Type.Record(Type.String(), Type.String(), { examples: [example] });

const AlertmanagerAlert = Type.Object({
  status: oneOf(['firing', 'resolved']),
  labels: Labels({ alertname: 'NodeDown', node: 'us-east-1/a/n1' }),
  annotations: Type.Optional(Labels({ summary: 'us-east-1/a/n1 does not answer' })),
  startsAt: Type.String({
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$',
    examples: ['2030-01-02T03:04:05.678Z'],
    description: 'a time, RFC 3339',
  }),
  fingerprint: Type.String({ minLength: 1, examples: ['b3a1f0c2d4e5f607'] }),
});

/** What Alertmanager sends to a webhook (version 4), as far as it is used; fields beyond these are let through. */
export const AlertmanagerPayload = Type.Object({
  version: Type.Literal('4', { examples: ['4'], description: 'the version of the payload' }),
  alerts: Type.Array(AlertmanagerAlert, { minItems: 1 }),
});

export type AlertmanagerAlert = Static<typeof AlertmanagerAlert>;
