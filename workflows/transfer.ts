import type { Whereabouts } from '../activities/sessions/acts';
import type { Intent } from '../core/run';
import type { Transfer } from '../core/transfers';
import type { Run } from './engine/run';
import { quick } from './proxies';

/**
 * Moves buckets of sessions and counts them afterwards; undone, those go back that nobody has moved since.
 * @param arriving nodes that the run is bringing into service; `forGood`: nothing goes back, because nobody serves there or
 * another undo sees to it
 * @returns how many sessions were counted where they were moved to, and when; undefined in a plan
 */
export async function transfer(
  run: Run,
  title: string,
  transfers: readonly Transfer[],
  { arriving, forGood = false }: { arriving?: readonly string[]; forGood?: boolean } = {},
): Promise<{ there: number; at: string } | undefined> {
  let seen: Whereabouts | undefined;
  await run.act({
    title,
    act: async (how) => {
      const deed = await quick.transferSessions({ transfers, ...(arriving && { arriving }), how });
      seen = deed.after ?? deed.before;
      return deed;
    },
    ...(!forGood && {
      undo: {
        title: 'Move them back',
        act: (how: Intent) => quick.transferBack({ transfers, movedAt: seen?.movedAt, how }),
      },
    }),
  });
  const lost = seen?.lost ?? 0;
  run.lost('sessions', lost);
  return run.verify('Count them', () => quick.countTransferred({ transfers, lost }));
}
