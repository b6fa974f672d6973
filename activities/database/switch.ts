import { compareSuccessor, judgeDatabase, primaryAtWork, type DatabaseView } from '../../core/database';
import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import type { Deed, Finding, Intent, Refusal } from '../../core/run';
import { beating } from '../beating';
import { databaseOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import { primarySeen, type PrimarySeen } from './acts';
import { requireAllowed } from '../require-allowed';

/** Who gives the role of the primary to whom. */
export interface Succession {
  from: string;
  to: string;
}

/** Planned changes of the primary, while it is well. */
export function databaseSwitch(deps: Deps) {
  return {
    /**
     * Who takes over from whom.
     * @param to the member that is wanted; default: the standby that has most, in synchronous mode a synchronous one
     * @throws GUARD_REFUSED where it must not; UNKNOWN_TARGET for a member that there is not
     */
    lookAtSuccession: beating(async ({ to }: { to?: string }): Promise<Finding<Succession>> => {
      const { database } = databaseOf(deps);
      const view = await database.look();
      const { primary: from, candidate, said } = judgeDatabase(view);
      if (from === undefined) throw new SwitchoverError('GUARD_REFUSED', `primary is well: ${said}`);
      if (to !== undefined && !view.members.some(({ member }) => member === to)) {
        const names = view.members.map(({ member }) => member).join(', ');
        throw new SwitchoverError(
          'UNKNOWN_TARGET',
          `to: "${to}" is not a member of the database; there are ${names}`,
        );
      }
      const successor = to ?? candidate;
      if (successor === from)
        return { sentence: `${from} is the primary already`, value: { from, to: from } };
      const refusal = whyNotSwitch(view, { from, to: successor });
      requireAllowed(refusal);
      return {
        sentence: `${successor} can take over from ${from}: ${said}`,
        value: { from, to: successor! },
      };
    }),

    /**
     * Hands the role of the primary over and waits until the other has it. What the primary holds in memory goes to disk before it
     * steps down, so that clients do not wait for that.
     * @throws GUARD_REFUSED where it must not
     */
    switchDatabase: beating(
      async ({ from, to, how }: Succession & { how: Intent }): Promise<Deed<PrimarySeen>> => {
        const { database } = databaseOf(deps);
        return ensure(how, {
          look: async () => primarySeen(await database.look()),
          already: ({ primary, timeline }) =>
            primary === to ? `${to} is the primary, on timeline ${timeline}` : null,
          refuse: ({ view }) => whyNotSwitch(view, { from, to }),
          intention: () => `have ${from} step down for ${to}`,
          act: async () => {
            await database.checkpoint(from);
            await database.switchOver(from, to);
          },
          done: (_, { timeline }) => `${from} stepped down, ${to} is the primary, on timeline ${timeline}`,
        });
      },
    ),
  };
}

function whyNotSwitch(
  view: DatabaseView,
  { from, to }: { from: string; to: string | undefined },
): Refusal | null {
  const { synchronous, ...successor } = compareSuccessor(view, from, to ?? '');
  return whyNot('switch database', {
    primary: from,
    candidate: to,
    well: view.clients.ok && primaryAtWork(view)?.member === from,
    synchronous: { cluster: view.synchronous, candidate: synchronous },
    lagBytes: successor.lagBytes,
    ...successor,
  });
}
