import { setTimeout as delay } from 'node:timers/promises';
import { SwitchoverError, messageOf, type ErrorCode } from '../core/errors';
import type { Finding } from '../core/run';

/** What clients got of a store. `provenAt`: ISO time. */
export interface WriteProof {
  tries: number;
  /** Milliseconds of the write that went through. */
  ms: number;
  provenAt: string;
}

const AGAIN_MS = 50;

/**
 * Writes through the clients' address until it works: after a failover it takes a moment to turn.
 * @param write one write; returns the milliseconds it took
 * @throws `code` with the last trouble where it does not work within `withinMs`
 */
export async function proveWrite(
  write: () => Promise<number>,
  { withinMs, code }: { withinMs: number; code: ErrorCode },
): Promise<Finding<WriteProof>> {
  for (let [tries, end] = [1, Date.now() + withinMs]; ; tries += 1) {
    try {
      const ms = await write();
      const value = { tries, ms, provenAt: new Date().toISOString() };
      return { sentence: `a write through the clients' address went through, at try ${tries}`, value };
    } catch (error) {
      if (Date.now() > end) throw new SwitchoverError(code, `${messageOf(error)} (${tries} tries)`);
    }
    await delay(AGAIN_MS);
  }
}
