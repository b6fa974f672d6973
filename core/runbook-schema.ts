import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { SwitchoverError } from './errors';
import { describe, problems, type Problem } from './schema';
import { NEEDS } from './needs';
import { MODES, type RunRequest } from './run';
import { ScheduleSchema } from './schedule-schema';

const object = <T extends Record<string, TSchema>>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });
const oneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values] });

/** How many people must agree before a run started by this trigger acts. */
const Approval = object({
  quorum: Type.Integer({ minimum: 1, examples: [1] }),
  /** After this long without them the run is refused. */
  timeout: Type.String({ pattern: '^\\d+(s|m|h)$', examples: ['30m'] }),
});

/**
 * A runbook as `runbooks/<id>.yaml` declares it: everything about it but its procedure, which is the workflow of the
 * same name in camel case. No expressions: what has to be computed is code.
 */
export const RunbookSchema = object({
  id: Type.String({ pattern: '^[a-z][a-z0-9-]*$', examples: ['node-failover'] }),
  title: Type.String({ minLength: 1 }),
  /** What it is for and what it does, a paragraph for somebody who has never seen it. */
  what: Type.String({ minLength: 20 }),
  /** Decides whose work goes first: a rescue, work on the fleet by plan, a release, an experiment. */
  kind: oneOf(['failover', 'fleet', 'deploy', 'drill']),
  /**
   * The scope it locks: of this kind, named by this input field, or of this one name (else `main`); where that input is left out it
   * means all of them, `global`. `place`: a region, zone or
   * node, as the field says.
   */
  scope: object({
    kind: oneOf([
      'global',
      'region',
      'zone',
      'node',
      'place',
      'lb',
      'registry',
      'database',
      'control',
      'members',
      'backups',
      'redis',
      'dns',
      'drill',
    ]),
    input: Type.Optional(Type.String()),
    name: Type.Optional(Type.String({ minLength: 1 })),
  }),
  /** Whether it answers that too many nodes of a place of its scope's kind have failed (H4). */
  whenDegraded: Type.Optional(Type.Boolean()),
  /** What has to be well for it to be carried out, see core/readiness; left out: what runbooks of its scope's kind usually need. */
  needs: Type.Optional(Type.Array(oneOf(NEEDS), { minItems: 1, uniqueItems: true })),
  /** The entry of the environment file's `objectives` it is measured against. */
  objective: Type.String({ minLength: 1, examples: ['node'] }),
  /** The input field whose value is part of that entry's name: with `level`, `dr` is the entry `dr-2` at level 2. */
  objectiveInput: Type.Optional(Type.String({ minLength: 1, examples: ['level'] })),
  risk: oneOf(['low', 'medium', 'high']),
  /** What a step that failed for good leads to: a person is asked, or what was done is undone. */
  onFailure: oneOf(['ask', 'undo']),
  /** What a person allows who forces a run of it in the middle; left out where there is nothing graceful to give up. */
  forced: Type.Optional(Type.String({ minLength: 20 })),
  /**
   * What planned work does when a rescue needs its scope: it is undone and ends; or it waits, lends the scope at its next step
   * boundary and goes on once it has it back. Default: it ends.
   */
  whenRescued: Type.Optional(oneOf(['ends', 'waits'])),
  approvals: Type.Partial(
    object({ manual: Approval, alert: Approval, monitor: Approval, schedule: Approval, unknown: Approval }),
  ),
  /** JSON Schema of `input`. */
  input: Type.Object({ type: Type.Literal('object') }, { additionalProperties: true }),
  /** An input that fits, for forms and docs. */
  example: Type.Record(Type.String(), Type.Unknown()),
  /** Alerts that start it: all of `match` must equal the alert's labels; `input` takes its fields from labels. */
  alerts: Type.Array(
    object({
      match: Type.Record(Type.String(), Type.String()),
      input: Type.Record(Type.String(), Type.String()),
    }),
  ),
  /** When it is carried out by itself; the environment file may say otherwise, and adds inputs that only it knows. */
  schedules: Type.Optional(Type.Array(ScheduleSchema)),
});

export type Runbook = Static<typeof RunbookSchema>;

/** Every problem of a runbook's declaration, its own example checked against its own input schema. */
export function runbookProblems(candidate: unknown): Problem[] {
  const found = problems(RunbookSchema, candidate);
  if (found.length > 0) return found;
  const runbook = candidate as Runbook;
  const fields = Object.keys((runbook.input as { properties?: object }).properties ?? {});
  const unknown = [
    runbook.scope.input,
    runbook.objectiveInput,
    ...runbook.alerts.flatMap(({ input }) => Object.keys(input)),
  ].filter((field) => field !== undefined && !fields.includes(field));
  return [
    ...problems(runbook.input, runbook.example, 'example'),
    ...(runbook.schedules ?? []).flatMap(({ cron, calendar, input = {} }, index) => [
      ...(Boolean(cron) === Boolean(calendar)
        ? [{ path: `schedules.${index}`, message: 'must have either cron or calendar' }]
        : []),
      ...Object.keys(input)
        .filter((field) => !fields.includes(field))
        .map((field) => ({ path: `schedules.${index}.input.${field}`, message: 'is not an input' })),
    ]),
    ...unknown.map((field) => ({
      path: `input.properties.${field}`,
      message: `is named by scope or alerts but is not an input; inputs are ${fields.join(', ')}`,
    })),
  ];
}

const EnvelopeSchema = object({
  input: Type.Object(
    {},
    {
      additionalProperties: true,
      description: 'the inputs of the runbook',
      examples: [{ node: 'us-east-1/a/n1' }],
    },
  ),
  mode: Type.Optional(oneOf(MODES)),
  reason: Type.Optional(Type.String()),
  by: Type.Optional(Type.String()),
});

/**
 * The request, if it fits the envelope and the runbook's input schema.
 * @throws SwitchoverError BAD_INPUT, one sentence that names every wrong field; nothing was started.
 */
export function checkRequest<Input>(runbook: Runbook, request: unknown): RunRequest<Input> {
  let found = problems(EnvelopeSchema, request ?? {});
  if (found.length === 0) found = problems(runbook.input, (request as RunRequest).input, 'input');
  if (found.length > 0) throw new SwitchoverError('BAD_INPUT', `${runbook.id}: ${describe(found)}`, found);
  return request as RunRequest<Input>;
}
