import { Type, type Static, type TSchema } from '@sinclair/typebox';

const object = <T extends Record<string, TSchema>>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });
const oneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values] });

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** What becomes of a run that is due while the one before it is still at work. */
export const OVERLAPS = ['skip', 'buffer one', 'buffer all'] as const;

const Span = Type.String({
  pattern: '^\\d+(ms|s|m|h|d)$',
  examples: ['1h'],
  description: 'a duration such as 1h',
});

const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$', examples: ['backup-full'] });

/** One of `cron` and `calendar`, both in UTC. */
const timing = {
  /** Five fields as of cron; of six the last is the year, of seven the first are seconds. */
  cron: Type.Optional(
    Type.String({
      pattern: '^\\S+( \\S+){4,6}$',
      examples: ['0 2 * * *'],
      description: 'minute, hour, day of the month, month, day of the week; UTC',
    }),
  ),
  calendar: Type.Optional(
    object({
      /** Every day where it is left out. */
      days: Type.Optional(Type.Array(oneOf(DAYS), { minItems: 1, examples: [['sun']] })),
      at: Type.Array(
        Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', examples: ['02:00'], description: 'UTC' }),
        { minItems: 1 },
      ),
    }),
  ),
};

const common = {
  /** A run begins up to so much later than it is due, by chance, so that not all begin together. */
  jitter: Type.Optional(Span),
  input: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  mode: Type.Optional(oneOf(['execute', 'drill'])),
};

/** What it takes for a schedule not to surprise anybody is said each time. */
const policy = {
  overlap: oneOf(OVERLAPS),
  /** What was due while Temporal or the scope was not to be had is still begun within this long; then it is missed. */
  catchUp: Span,
  /** Whether a run that ends badly pauses the schedule until a person has looked. */
  pauseOnFailure: Type.Boolean(),
};

/** When a runbook is carried out by itself, as its YAML declares it (REQUIREMENTS U3). */
export const ScheduleSchema = object({ name: Type.Optional(Name), ...timing, ...common, ...policy });
export type Schedule = Static<typeof ScheduleSchema>;

/** What an environment has otherwise; its `cron` or `calendar` is in the place of either of the catalogue's. */
export const ScheduleChangeSchema = object({
  off: Type.Optional(Type.Boolean()),
  ...timing,
  ...common,
  ...Type.Partial(Type.Object(policy)).properties,
});
export type ScheduleChange = Static<typeof ScheduleChangeSchema>;

/** `schedules` of the environment file, by the schedules' names. */
export const ScheduleChangesSchema = Type.Record(Type.String(), ScheduleChangeSchema, {
  additionalProperties: false,
  examples: [{ 'backup-full': { cron: '0 3 * * *' }, 'component-drill': { off: true } }],
});
