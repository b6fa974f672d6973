import type { Restored } from '../../core/backup';
import { SwitchoverError } from '../../core/errors';
import type { Deed, Intent } from '../../core/run';
import { databaseProgram } from '../../core/topology';
import { beating } from '../beating';
import { primarySeen, type PrimarySeen } from '../database/acts';
import { fence, lookAgain } from '../database/fence';
import { backupsOf, databaseOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import { requireFenced, type Evidence } from '../fenced';
import { untilInTime } from '../until';

/** A copy that is to become the database. */
export interface Placing {
  /** The member in reserve that gets it. */
  member: string;
  copy: Restored;
  /** All members that there were, and the evidence that each is fenced; a plan has none. */
  others: string[];
  fenced: (Evidence | undefined)[];
  how: Intent;
}

/** How long a member may take until it is the primary, ms: its agent starts it as a standby first. */
const LEAD_MS = 120_000;

/** Has a restored copy become the database at another site, where no member of it is left. */
export function recoveryRestore(deps: Deps) {
  return {
    /**
     * Gives the copy, promoted and stopped, to a member in reserve, and has the control plane forget who the members were.
     * @throws NOT_FENCED without evidence of every member that still holds, or where the one in reserve runs
     */
    placeCopy: beating(async (ask: Placing): Promise<Deed> => {
      const { member, copy, others, fenced, how } = ask;
      if (how.mode === 'plan') return { changed: true, sentence: `would give the copy to ${member}` };
      const systems = databaseOf(deps);
      for (const [i, other] of others.entries())
        await requireFenced(other, fenced[i], () => lookAgain(systems, other));
      const { pid, description } = await systems.fleet.status(databaseProgram(member));
      if (pid !== 0) throw new SwitchoverError('NOT_FENCED', `${member} runs already (${description})`);
      await backupsOf(deps).scratch.swap('swap in', {
        key: how.key,
        place: 'restore',
        copy: copy.key,
        member,
      });
      await systems.database.forgetRoles();
      return { changed: true, sentence: `${member} has the copy of ${copy.backup}` };
    }),

    /** Starts the member that got the copy, and waits until it is the primary. @throws NOT_IN_TIME where it does not get there */
    startReserve: beating(
      async ({ member, how }: { member: string; how: Intent }): Promise<Deed<PrimarySeen>> => {
        const systems = databaseOf(deps);
        const { database, fleet } = systems;
        return ensure(how, {
          look: async () => primarySeen(await database.look()),
          already: ({ primary, timeline }) =>
            primary === member ? `${member} is the primary, on timeline ${timeline}` : null,
          intention: () => `start ${member}`,
          act: async () => {
            if ((await fleet.status(databaseProgram(member))).pid === 0) {
              await fence(systems, member); // a server that outlived its agent
              await fleet.start(databaseProgram(member));
            }
            await untilInTime(
              `${member} is not the primary`,
              LEAD_MS,
              async () => primarySeen(await database.look()).primary === member,
            );
          },
          done: (_, { timeline }) => `${member} was started and is the primary, on timeline ${timeline}`,
        });
      },
    ),
  };
}
