import { ERRORS, SwitchoverError, messageOf } from '../core/errors';
import { colorsOf } from './colors';

/** Bad input on the command line: exit status 2, with an example of what would be right in place of the general hint. */
export class UsageError extends SwitchoverError {
  constructor(
    message: string,
    readonly example: string,
  ) {
    super('BAD_INPUT', message);
  }
}

/** Anything thrown as an error of the table; what nobody foresaw is INTERNAL, with its stack. */
export function toKnown(error: unknown): SwitchoverError {
  if (error instanceof SwitchoverError) return error;
  return new SwitchoverError('INTERNAL', messageOf(error), error instanceof Error ? error.stack : undefined);
}

/**
 * Tells a person, or with `json` a program, what went wrong: what, why, what to do next.
 * @returns the exit status of the command line for it.
 */
export function complain(error: unknown, out: NodeJS.WriteStream, json: boolean): number {
  const known = toKnown(error);
  const { code, message, details } = known;
  const { exit, hint } = ERRORS[code];
  const next = known instanceof UsageError ? `for example: ${known.example}` : hint;
  if (json) {
    out.write(
      `${JSON.stringify({ code, message, hint: next, exit, ...(details === undefined ? {} : { details }) })}\n`,
    );
    return exit;
  }
  const { red, dim } = colorsOf(out);
  out.write(`${red('error:')} ${message} ${dim(`(${code})`)}\n  ${dim('hint:')} ${next}\n`);
  if (code === 'INTERNAL' && typeof details === 'string') out.write(`${dim(details)}\n`);
  return exit;
}
