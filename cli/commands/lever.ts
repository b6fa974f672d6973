import { withSession } from '../session';
import { print } from '../terminal';
import { whoAmI } from '../who';

/** Engages or releases the safety lever in this person's name and prints what follows from it. */
export async function lever(engaged: boolean, { reason }: { reason: string }): Promise<number> {
  const sentence = await withSession(({ operations }) =>
    operations.moveLever({ engaged, by: whoAmI(), reason }),
  );
  print(process.stdout, [sentence]);
  return 0;
}
