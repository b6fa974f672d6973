import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/** One thing wrong with a piece of input: where, what, and what would be right. */
export interface Problem {
  /** Path of the field, dotted, e.g. `regions.us-east-1.weight`. */
  path: string;
  message: string;
  example?: unknown;
}

type JsonSchema = Record<string, unknown>;

const ajv = new Ajv({ allErrors: true, verbose: true, strict: false, allowUnionTypes: true });
addFormats(ajv, ['date-time']);
const compiled = new WeakMap<object, ValidateFunction>();

/** Every problem of `value` against a JSON Schema; empty when it fits. `root` names the value in paths. */
export function problems(schema: object, value: unknown, root = ''): Problem[] {
  let validate = compiled.get(schema);
  if (!validate) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  const found = (validate.errors ?? []).filter((error) => !['if', 'anyOf', 'oneOf'].includes(error.keyword));
  return (found.length > 0 ? found : (validate.errors ?? [])).map((error) => toProblem(error, root));
}

/** One sentence for a list of problems, each naming its field. */
export function describe(list: readonly Problem[]): string {
  return list
    .map(
      ({ path, message, example }) =>
        `${path}: ${message}${example === undefined ? '' : ` (for example ${JSON.stringify(example)})`}`,
    )
    .join('; ');
}

function toProblem(error: ErrorObject, root: string): Problem {
  const parts = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const named = namedField(error);
  const path = [root, ...parts, named].filter(Boolean).join('.') || '(top level)';
  const schema = (error.parentSchema ?? {}) as JsonSchema & { properties?: Record<string, JsonSchema> };
  const about = named && error.keyword === 'required' ? schema.properties?.[named] : schema;
  const example = (about?.['examples'] as unknown[] | undefined)?.[0];
  return { path, message: sentence(error), ...(example === undefined ? {} : { example }) };
}

/** The field a `required` or `additionalProperties` error is about; other errors are about the value itself. */
function namedField(error: ErrorObject): string | undefined {
  const { missingProperty, additionalProperty } = error.params as Record<string, string | undefined>;
  return missingProperty ?? additionalProperty;
}

function sentence(error: ErrorObject): string {
  const seen = JSON.stringify(error.data)?.slice(0, 80);
  const description: unknown = error.parentSchema?.['description'];
  const wanted = typeof description === 'string' ? `: ${description}` : '';
  switch (error.keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return `is not a known field; known are ${Object.keys((error.parentSchema as { properties?: object }).properties ?? {}).join(', ')}`;
    case 'enum':
      return `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}, not ${seen}`;
    case 'const':
      return `must be ${JSON.stringify(error.params['allowedValue'])}, not ${seen}`;
    default:
      return `${error.message ?? 'is wrong'}, not ${seen}${wanted}`;
  }
}
