import type { DecisionKind } from '../../core/run';
import { withSession } from '../session';
import { print } from '../terminal';
import { whoAmI } from '../who';

/** Tells a run something in this person's name and prints what follows from it. */
export async function decide(
  kind: DecisionKind,
  run: string,
  { reason, keep }: { reason: string; keep?: boolean },
): Promise<number> {
  const request = { by: whoAmI(), reason, ...(keep ? { keep } : {}) };
  const sentence = await withSession(({ operations }) => operations.decide(run, kind, request));
  print(process.stdout, [sentence]);
  return 0;
}
