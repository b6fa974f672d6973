import type { SecretRef } from '../../core/config';
import { SwitchoverError, messageOf } from '../../core/errors';
import type { Problem } from '../../core/schema';
import type { ReadinessView, Verdict } from '../../core/readiness';
import { chooseEnvironment } from '../environment';
import { toKnown } from '../errors';
import { checkPage } from '../render/check';
import type { Look } from '../render/look';
import { notKnown, readinessPage } from '../render/readiness';
import { withEnvironment } from '../session';
import { lookOf, print } from '../terminal';

export interface CheckOptions {
  json?: boolean;
  /** The file alone. */
  file?: boolean;
  /** Look at everything now. */
  again?: boolean;
}

/** How the runbooks stand, or why nobody knows. */
type Known = { readiness: ReadinessView } | { trouble: string };

/** What the status of a check is where a runbook stands so. */
const STATUS: Record<Verdict, number> = { 'not ready': 5, unknown: 7, warning: 0, ready: 0, 'not here': 0 };
const UNKNOWN = 7;

/**
 * Checks the environment file and lists every problem, secrets that cannot be read here included (status 2); where it has none, tells
 * whether the runbooks could be carried out: 5 where one could not, 7 where that is not known.
 */
export async function check({ json, file, again = false }: CheckOptions): Promise<number> {
  const path = await chooseEnvironment();
  const problems = await problemsOf(path);
  const known = file || problems.length > 0 ? undefined : await readinessIn(path, again);
  const look = lookOf(process.stdout);
  const page = [...checkPage(path, problems, look), ...(known ? standing(known, look) : [])];
  print(process.stdout, json ? [JSON.stringify({ path, problems, ...known }, null, 2)] : page);
  return problems.length > 0 ? 2 : statusOf(known);
}

function standing(known: Known, look: Look): string[] {
  return [
    '',
    ...('readiness' in known ? readinessPage(known.readiness, look) : notKnown(known.trouble, look)),
  ];
}

async function readinessIn(path: string, again: boolean): Promise<Known> {
  try {
    const readiness = await withEnvironment(path, ({ operations }) => operations.readiness(again));
    if (readiness) return { readiness };
    return { trouble: 'nobody has evaluated it yet: start a worker (./switchover worker)' };
  } catch (error) {
    return { trouble: toKnown(error).message };
  }
}

function statusOf(known: Known | undefined): number {
  if (!known) return 0;
  if (!('readiness' in known)) return UNKNOWN;
  const all = known.readiness.runbooks.map(({ verdict }) => STATUS[verdict]);
  return [5, UNKNOWN].find((status) => all.includes(status)) ?? 0;
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
