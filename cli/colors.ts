import { createColors } from 'picocolors';
import type { Colors } from 'picocolors/types';

/**
 * The colours of a stream: none where it is no terminal, whatever `CI` says, or where nobody wants them (NO_COLOR).
 * The trap: a stream that is no terminal has neither `isTTY` nor `hasColors`, whatever its type says.
 */
export function colorsOf(out: Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'hasColors'>>): Colors {
  return createColors(out.isTTY === true && (out.hasColors?.() ?? false));
}
