import { isAfter, type Restored, type Swap } from '../../core/backup';
import { judgeDatabase, primaryAtWork, type DatabaseView } from '../../core/database';
import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import type { Deed, Finding, Intent } from '../../core/run';
import { beating } from '../beating';
import { fence, lookAtFence } from '../database/fence';
import { backupsOf, databaseOf, type Deps } from '../deps';
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
  const copyAt = async (): Promise<Restored | null> => (await backupsOf(deps).backups.look()).scratch[PLACE];

  return {
    /**
     * The copy that is there, and whose data it will replace: those of the primary, or of who was it last.
     * @throws GUARD_REFUSED where it must not be put there
     */
    lookForSwap: beating<void, Finding<SwapPlan>>(async () => {
      const { database } = databaseOf(deps);
      const [view, copy] = await Promise.all([database.look(), copyAt()]);
      requireAllowed(
        whyNot('put copy in place', { copy: copy?.backup, to: copy?.to, control: view.leader !== undefined }),
      );
      const { lastCommitAt } = await backupsOf(deps).scratch.inspect(PLACE);
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
      const look = async () => {
        const seen = await Promise.all(order.map((member) => lookAtFence(systems, member)));
        return order.filter((_, index) => seen[index]!.fenced === null);
      };
      return ensure(how, {
        look,
        already: (left) => (left.length === 0 ? `${order.join(', ')} are stopped` : null),
        intention: (left) =>
          `end every process of ${left.join(', ')}: the database takes no writes from here on`,
        act: async (left) => {
          for (const member of left) await fence(systems, member);
        },
        done: (left) => `every process of ${left.join(', ')} was ended`,
      });
    }),

    /** Puts the copy in the place of the member's data, which stay beside it. @throws GUARD_REFUSED where somebody takes writes */
    swapIn: beating(async ({ plan, how }: { plan: SwapPlan; how: Intent }): Promise<Deed> => {
      const { member } = plan.swap;
      if (how.mode === 'plan')
        return {
          changed: true,
          sentence: `would put the copy in the place of the data of ${member}, which stay beside it`,
        };
      refuseWriters(await databaseOf(deps).database.look());
      const aside = await backupsOf(deps).scratch.swap('swap in', { key: how.key, ...plan.swap });
      await databaseOf(deps).database.forgetRoles();
      return {
        changed: true,
        sentence: `the copy is in the place of the data of ${member}, which are kept in ${aside}`,
      };
    }),

    /**
     * Puts the member's old data back.
     * @throws GUARD_REFUSED where somebody takes writes: from then on there is no way back, for these would be lost
     */
    swapBack: beating(async ({ plan, how }: { plan: SwapPlan; how: Intent }): Promise<Deed> => {
      refuseWriters(await databaseOf(deps).database.look());
      await fence(databaseOf(deps), plan.swap.member);
      await backupsOf(deps).scratch.swap('swap back', { key: how.key, ...plan.swap });
      await databaseOf(deps).database.forgetRoles();
      return { changed: true, sentence: `the data of ${plan.swap.member} are back in their place` };
    }),
  };
}

function refuseWriters(view: DatabaseView): void {
  const writer = primaryAtWork(view) ?? view.members.find(({ postgres }) => postgres?.writable);
  if (!writer) return;
  const message = `nobody takes writes: ${writer.member} does, and what it took would be lost`;
  throw new SwitchoverError('GUARD_REFUSED', message);
}
