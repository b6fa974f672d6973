import { isAfter, type Restored, type Swap } from '../../core/backup';
import { judgeDatabase } from '../../core/database';
import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import type { Deed, Finding, Intent } from '../../core/run';
import { beating } from '../beating';
import { fence, lookAtFence } from '../database/fence';
import { backupsOf, databaseOf, type DatabaseSystems, type Deps } from '../deps';
import { ensure } from '../ensure';
import { requireAllowed } from '../require-allowed';

/** What is to be put where. */
export interface SwapPlan {
  swap: Swap;
  copy: Restored;
  /** The other members, which will be made to follow. */
  others: string[];
}

const PLACE = 'restore';

/** Puts a restored copy in the database's place. */
export function backupSwap(deps: Deps) {
  const copyAt = async (): Promise<Restored | null> => (await backupsOf(deps).scratch.copies())[PLACE];

  return {
    /**
     * The copy that is there, and whose data it will replace: those of the primary, or of who was it last. One that is stopped is
     * started, to be asked.
     * @throws GUARD_REFUSED where it must not be put there
     */
    lookForSwap: beating<void, Finding<SwapPlan>>(async (_, tell) => {
      const { database } = databaseOf(deps);
      const { scratch } = backupsOf(deps);
      const [view, copy] = await Promise.all([database.look(), copyAt()]);
      requireAllowed(
        whyNot('put copy in place', { copy: copy?.backup, to: copy?.to, control: view.leader !== undefined }),
      );
      await scratch.start(PLACE, tell);
      const { lastCommitAt } = await scratch.inspect(PLACE);
      if (lastCommitAt !== null && isAfter(lastCommitAt, copy!.to!))
        throw new SwitchoverError(
          'BACKUP_DAMAGED',
          `the copy has something of ${lastCommitAt}, after ${copy!.to}`,
        );
      const names = view.members.map(({ member }) => member);
      const member = view.leader ?? judgeDatabase(view).primary ?? names[0]!;
      return {
        sentence: `the copy of ${copy!.backup} as of ${copy!.to} can take the place of the data of ${member}; what was committed since then will be in the data that are kept beside it alone`,
        value: {
          swap: { place: PLACE, copy: copy!.key, member },
          copy: copy!,
          others: names.filter((name) => name !== member),
        },
      };
    }),

    /** Ends the copy's waiting: it begins a timeline of its own, by which it is told from the database it came from, and stops. */
    promoteCopy: beating(async ({ how }: { how: Intent }, tell): Promise<Deed> => {
      if (how.mode === 'plan')
        return { changed: true, sentence: 'would have the copy begin a timeline of its own, and stop it' };
      const { scratch } = backupsOf(deps);
      await scratch.start(PLACE, tell); // it may be stopped already, by a worker that died then
      const timeline = await scratch.promote(PLACE);
      await scratch.stop(PLACE);
      return { changed: true, sentence: `the copy has begun timeline ${timeline}, and is stopped` };
    }),

    /** Ends every process of every member: its standbys first, so that nobody takes over, the one with the data last. */
    stopDatabase: beating(async ({ plan, how }: { plan: SwapPlan; how: Intent }): Promise<Deed<string[]>> => {
      const systems = databaseOf(deps);
      const order = [...plan.others, plan.swap.member];
      return ensure(how, {
        look: () => leftOf(systems, order),
        already: (left) => (left.length === 0 ? `${order.join(', ')} are stopped` : null),
        intention: (left) =>
          `end every process of ${left.join(', ')}: the database takes no writes from here on`,
        act: async (left) => {
          for (const member of left) await fence(systems, member);
        },
        done: (left) => `every process of ${left.join(', ')} was ended`,
      });
    }),

    /**
     * Puts the copy in the place of the member's data, which stay beside it.
     * @throws NOT_FENCED where something of a member is left
     */
    swapIn: beating(async ({ plan, how }: { plan: SwapPlan; how: Intent }): Promise<Deed> => {
      const { member } = plan.swap;
      if (how.mode === 'plan')
        return {
          changed: true,
          sentence: `would put the copy in the place of the data of ${member}, which stay beside it`,
        };
      const systems = databaseOf(deps);
      await requireStopped(systems, [...plan.others, member]);
      const aside = await backupsOf(deps).scratch.swap('swap in', { key: how.key, ...plan.swap });
      await systems.database.forgetRoles();
      return {
        changed: true,
        sentence: `the copy is in the place of the data of ${member}, which are kept in ${aside}`,
      };
    }),

    /**
     * Puts the member's old data back.
     * @throws NOT_FENCED where the member was started: from then on there is no way back, for what it took would be lost
     */
    swapBack: beating(async ({ plan, how }: { plan: SwapPlan; how: Intent }): Promise<Deed> => {
      const { member } = plan.swap;
      const systems = databaseOf(deps);
      await requireStopped(systems, [member]);
      await backupsOf(deps).scratch.swap('swap back', { key: how.key, ...plan.swap });
      await systems.database.forgetRoles();
      return { changed: true, sentence: `the data of ${member} are back in their place` };
    }),
  };
}

/** @throws NOT_FENCED naming those of whom something is left, or may be */
async function requireStopped(systems: DatabaseSystems, members: readonly string[]): Promise<void> {
  const left = await leftOf(systems, members);
  if (left.length === 0) return;
  const names = left.join(' and ');
  throw new SwitchoverError(
    'NOT_FENCED',
    `${names} is not stopped: what it takes or has taken would be lost`,
  );
}

/** Those of these members that are not fenced. */
async function leftOf(systems: DatabaseSystems, members: readonly string[]): Promise<string[]> {
  const seen = await Promise.all(members.map((member) => lookAtFence(systems, member)));
  return members.filter((_, index) => seen[index]!.fenced === null);
}
