import ms, { type StringValue } from 'ms';

/** A checked duration of the environment file or of a runbook (`500ms`, `30m`) in milliseconds. */
export function millis(duration: string): number {
  return ms(duration as StringValue);
}
