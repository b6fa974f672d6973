import type { FastifyInstance } from 'fastify';
import { SwitchoverError } from '../../core/errors';
import { describe, problems } from '../../core/schema';

const NAMES: Partial<Record<string, string>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
};

interface ObjectSchema {
  properties?: Record<string, { type?: string }>;
}

/**
 * Checks requests the way every other door does: all problems at once, each naming its field, as BAD_INPUT. Answers are
 * not rewritten by their schemas, those describe them only.
 */
export function installValidation(app: FastifyInstance): void {
  app.setValidatorCompiler<ObjectSchema>(({ schema, httpPart = 'body' }) => {
    const root = NAMES[httpPart] ?? httpPart;
    const read = httpPart === 'querystring' ? numbersIn(schema) : (value: object) => value;
    problems(schema, {}); // compiles it now, not at the first request
    return (given: object) => {
      const value = read(given);
      const found = problems(schema, value, root);
      return found.length === 0
        ? { value }
        : { error: new SwitchoverError('BAD_INPUT', describe(found), found) };
    };
  });
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
}

/** A query holds text alone: reads the parameters that the schema calls numbers. Other text is left to be refused. */
function numbersIn({ properties = {} }: ObjectSchema) {
  const names = Object.keys(properties).filter((name) => properties[name]?.type === 'integer');
  return (query: object) => {
    const values: Record<string, unknown> = { ...query };
    for (const name of names) {
      const text = values[name];
      if (typeof text === 'string' && /^-?\d+$/.test(text)) values[name] = Number(text);
    }
    return values;
  };
}
