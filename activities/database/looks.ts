import { setTimeout as delay } from 'node:timers/promises';
import { follows } from '../../core/database';
import { SwitchoverError } from '../../core/errors';
import type { Finding } from '../../core/run';
import { beating } from '../beating';
import { proveWrite, type WriteProof } from '../prove-write';
import { databaseOf, type Deps } from '../deps';
import { assessDatabase, whyNotStart, whyNotTakeOver, type DatabaseAssessment } from './assess';
import { requireAllowed } from '../require-allowed';

/** How long the clients' address may take to turn to the new primary, ms. */
const TURNS_MS = 15_000;
/** How long the standbys may take until one of them is synchronous again, ms. */
const REDUNDANT_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** Sees what a failover of the database brought about. */
export function databaseLooks(deps: Deps) {
  return {
    /**
     * Whether the primary has failed, see {@link assessDatabase}. The candidate is left out where it may not take over.
     * @throws GUARD_REFUSED where another takes writes already
     */
    lookAtDatabase: beating<void, Finding<DatabaseAssessment>>(async () => {
      const { sentence, value } = await assessDatabase(databaseOf(deps));
      if (!value.failed) {
        const apart = value.apart.map(({ member, said }) => `${member} is not with it (${said})`);
        return { sentence: [sentence, ...apart].join('; '), value };
      }
      requireAllowed(whyNotStart(value.view, value.primary), sentence);
      const refusal = whyNotTakeOver(value, value.view);
      if (!refusal) return { sentence, value };
      return {
        sentence: `${sentence}; ${refusal.sentence}`,
        value: { ...value, candidate: undefined },
      };
    }),

    /** Writes through the clients' address until it works. @throws DATABASE_UNREACHABLE where it does not */
    proveDatabase: beating<void, Finding<WriteProof>>(async () => {
      const { database } = databaseOf(deps);
      return proveWrite(() => database.write(), {
        withinMs: TURNS_MS,
        code: 'DATABASE_UNREACHABLE',
      });
    }),

    /**
     * Waits until every standby follows the primary and, in synchronous mode, one of them is synchronous.
     * @throws VERIFY_FAILED naming those that do not
     */
    awaitRedundant: beating<void, Finding<{ standbys: string[]; synchronous: string[] }>>(async () => {
      const { database } = databaseOf(deps);
      for (const end = Date.now() + REDUNDANT_MS; ; await delay(LOOK_EVERY_MS)) {
        const view = await database.look();
        const standbys = view.members.filter(({ member }) => member !== view.leader);
        const lagging = standbys.filter(({ member }) => !follows(view, member));
        const synchronous = standbys.filter(({ agent }) => agent?.synchronous).map(({ member }) => member);
        if (lagging.length === 0 && (!view.synchronous || synchronous.length > 0)) {
          const names = standbys.map(({ member }) => member);
          const also = synchronous.length > 0 ? `, ${synchronous.join(', ')} synchronously` : '';
          return {
            sentence: `${names.join(' and ')} follow ${view.leader}${also}`,
            value: { standbys: names, synchronous },
          };
        }
        if (Date.now() > end) {
          const why = lagging.map(({ member, said }) => `${member}: ${said}`).join('; ');
          throw new SwitchoverError(
            'VERIFY_FAILED',
            `no redundancy yet: ${why || 'no standby is synchronous'}`,
          );
        }
      }
    }),
  };
}
