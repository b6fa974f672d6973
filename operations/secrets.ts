import { readFileSync } from 'node:fs';
import type { SecretRef } from '../core/config';
import { SwitchoverError, messageOf } from '../core/errors';

/**
 * The secret that `{env: NAME}` or `{file: PATH}` of the environment file points at, without surrounding blanks.
 * Never put it into an error, a log or a workflow's input.
 * @param what who needs it, for the message, e.g. `server.tokens.0`.
 * @throws BAD_CONFIG where it is not set, cannot be read, or is empty.
 */
export function readSecret(ref: SecretRef, what: string): string {
  const place = 'env' in ref ? `environment variable ${ref.env}` : `file ${ref.file}`;
  const secret = ('env' in ref ? process.env[ref.env] : contents(ref.file, what))?.trim();
  if (secret) return secret;
  throw new SwitchoverError(
    'BAD_CONFIG',
    `${what}: ${place} is ${secret === undefined ? 'not set' : 'empty'}`,
  );
}

function contents(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SwitchoverError('BAD_CONFIG', `${what}: file ${path} cannot be read: ${messageOf(error)}`);
  }
}
