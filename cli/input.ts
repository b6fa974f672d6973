import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { messageOf } from '../core/errors';
import type { Runbook } from '../core/runbook';
import { UsageError } from './errors';

/** The two options that make up a run's input. */
export interface InputOptions {
  /** JSON, `@file` with JSON or YAML, or `-` for standard input. */
  input?: string;
  /** `key=value` each, typed by the runbook's schema; wins over `input`. */
  set?: readonly string[];
}

/**
 * The input of a run as its options say; whether it fits the runbook is not looked at here.
 * @param stdin reads standard input; called for `-` only.
 * @throws UsageError naming the option that cannot be read.
 */
export function readInput(
  runbook: Runbook,
  { input, set = [] }: InputOptions,
  stdin: () => string = () => readFileSync(0, 'utf8'),
): Record<string, unknown> {
  const base = input === undefined ? {} : whole(runbook, input, stdin);
  return { ...base, ...Object.fromEntries(set.map((pair) => setting(runbook, pair))) };
}

/** A command line that starts the runbook with its own example. */
export function exampleCommand({ id, example }: Runbook): string {
  const plain = Object.values(example).every((value) => typeof value !== 'object');
  const input = plain
    ? Object.entries(example).map(([key, value]) => `--set ${key}=${String(value)}`)
    : [`--input '${JSON.stringify(example)}'`];
  return ['./switchover run', id, ...input, '--follow'].join(' ');
}

function whole(runbook: Runbook, text: string, stdin: () => string): Record<string, unknown> {
  const { source, read } = sourceOf(text, stdin);
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    throw new UsageError(`--input: ${source} cannot be read: ${messageOf(error)}`, exampleOf(runbook));
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UsageError(
    `--input: ${source} must be one object, not ${JSON.stringify(value)}`,
    exampleOf(runbook),
  );
}

function sourceOf(text: string, stdin: () => string): { source: string; read: () => unknown } {
  if (text === '-') return { source: 'standard input', read: () => parse(stdin()) };
  if (text.startsWith('@')) {
    const path = text.slice(1);
    return { source: `file ${path}`, read: () => parse(readFileSync(path, 'utf8')) };
  }
  return { source: `the JSON text ${text}`, read: () => JSON.parse(text) };
}

function exampleOf({ id, example }: Runbook): string {
  return `./switchover run ${id} --input '${JSON.stringify(example)}'`;
}

interface FieldSchema {
  type?: string;
}

function setting(runbook: Runbook, pair: string): [string, unknown] {
  const [, key, text] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (key === undefined || text === undefined) {
    throw new UsageError(`--set ${pair}: must be key=value`, exampleCommand(runbook));
  }
  const { properties = {} } = runbook.input as { properties?: Record<string, FieldSchema> };
  const field = properties[key];
  if (!field) {
    const known = Object.keys(properties).join(', ');
    throw new UsageError(
      `--set ${pair}: ${runbook.id} has no input "${key}"; its inputs are ${known}`,
      exampleCommand(runbook),
    );
  }
  const value = typed(field, text);
  if (value !== undefined) return [key, value];
  throw new UsageError(
    `--set ${pair}: must be ${field.type ? `of type ${field.type}` : 'JSON'}, not "${text}"`,
    exampleCommand(runbook),
  );
}

/** The text as the schema's type, or undefined where it is none. */
function typed({ type }: FieldSchema, text: string): unknown {
  if (type === 'string') return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  switch (type) {
    case 'integer':
      return Number.isInteger(value) ? value : undefined;
    case 'number':
    case 'boolean':
      return typeof value === type ? value : undefined;
    default:
      return value;
  }
}
