import type { SecretRef } from '../../core/config';
import { SwitchoverError, messageOf } from '../../core/errors';
import type { Problem } from '../../core/schema';
import { checkPage } from '../render/check';
import { chooseEnvironment } from '../environment';
import { lookOf, print } from '../terminal';

/** Checks the environment file and lists every problem, secrets that cannot be read here included. Status 2 where there is one. */
export async function check({ json }: { json?: boolean }): Promise<number> {
  const path = await chooseEnvironment();
  const found = await problemsOf(path);
  const page = checkPage(path, found, lookOf(process.stdout));
  print(process.stdout, json ? [JSON.stringify({ path, problems: found }, null, 2)] : page);
  return found.length === 0 ? 0 : 2;
}

async function problemsOf(path: string): Promise<Problem[]> {
  const { loadConfig } = await import('../../operations/index.js');
  const { readSecret } = await import('../../operations/secrets.js');
  try {
    return secretsIn(loadConfig(path)).flatMap(({ ref, at }) => problemOf(() => readSecret(ref, at), at));
  } catch (error) {
    if (!(error instanceof SwitchoverError)) throw error;
    return (
      (error.details as Problem[] | undefined) ?? [
        { path: '(file)', message: error.message.replace(`${path}: `, '') },
      ]
    );
  }
}

function problemOf(read: () => unknown, path: string): Problem[] {
  try {
    read();
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error).replace(`${path}: `, '') }];
  }
}

/** Every `{env}` or `{file}` of the file, with its path. */
function secretsIn(value: unknown, at = ''): { ref: SecretRef; at: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Object.keys(value);
  if (keys.length === 1 && (keys[0] === 'env' || keys[0] === 'file'))
    return [{ ref: value as SecretRef, at }];
  return Object.entries(value).flatMap(([key, inner]) => secretsIn(inner, at ? `${at}.${key}` : key));
}
