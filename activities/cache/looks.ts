import { setTimeout as delay } from 'node:timers/promises';
import { follows } from '../../core/cache';
import { SwitchoverError } from '../../core/errors';
import type { Finding } from '../../core/run';
import { beating } from '../beating';
import { proveWrite, type WriteProof } from '../prove-write';
import { cacheOf, type Deps } from '../deps';
import { assessCache, whyNotTakeOver, type CacheAssessment } from './assess';
import { agree, watching } from './sentinels';
import { requireAllowed } from '../require-allowed';

/** How long the clients' address may take to turn to the new primary, and its standbys to copy from it, ms. */
const TURNS_MS = 15_000;
/** How long it may take until everything is as it was, ms. */
const REDUNDANT_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** A proof, and the sessions that are there. */
export interface CacheProof extends WriteProof {
  sessions: number;
}

/** Who follows the primary, and whose machines do not answer. */
export interface CacheWhole {
  standbys: string[];
  away: string[];
}

/** Sees what a change of the session store's primary brought about. */
export function cacheLooks(deps: Deps) {
  return {
    /**
     * Whether the primary has failed, see {@link assessCache}.
     * @throws GUARD_REFUSED where it has, but nobody may take over
     */
    lookAtCache: beating<void, Finding<CacheAssessment>>(async () => {
      const found = await assessCache(cacheOf(deps));
      requireAllowed(found.value.failed ? whyNotTakeOver(found.value) : null, found.sentence);
      return found;
    }),

    /**
     * Writes through the clients' address until a standby has it, and counts the sessions there.
     * @throws SESSIONS_UNREACHABLE where it does not work
     */
    proveCache: beating<void, Finding<CacheProof>>(async () => {
      const { cache } = cacheOf(deps);
      const proof = await proveWrite(() => cache.write(), {
        withinMs: TURNS_MS,
        code: 'SESSIONS_UNREACHABLE',
      });
      const buckets = await deps.sessions.buckets();
      const sessions = buckets.reduce((sum, one) => sum + one.sessions, 0);
      return {
        sentence: `${proof.sentence} and is on a standby too; ${sessions} sessions are there`,
        value: { ...proof.value, sessions },
      };
    }),

    /**
     * Waits until every other member follows the primary and every Sentinel watches it, those left out whose machines do not answer.
     * @throws VERIFY_FAILED naming those that do not
     */
    awaitCacheWhole: beating<{ primary: string }, Finding<CacheWhole>>(async ({ primary }) => {
      const { cache } = cacheOf(deps);
      for (const end = Date.now() + REDUNDANT_MS; ; await delay(LOOK_EVERY_MS)) {
        const view = await cache.look();
        const others = view.members.filter(({ member }) => member !== primary);
        const lagging = others.filter((one) => !one.dark && !follows(one, primary));
        const [away, standbys] = [true, false].map((dark) =>
          others.filter((one) => (one.dark ?? false) === dark).map(({ member }) => member),
        ) as [string[], string[]];
        if (lagging.length === 0 && standbys.length > 0 && agree(view, primary)) {
          const gone = away.length > 0 ? `, the machine of ${away.join(' and ')} does not answer` : '';
          return {
            sentence: `${standbys.join(' and ')} follow ${primary}${gone}; ${watching(view, primary)}`,
            value: { standbys, away },
          };
        }
        if (Date.now() > end) {
          const missing = [
            ...lagging.map(({ member, said }) => `${member}: ${said}`),
            ...view.sentinels.map(({ sentinel, said }) => `${sentinel}: ${said}`),
          ];
          throw new SwitchoverError('VERIFY_FAILED', `not whole yet: ${missing.join('; ')}`);
        }
      }
    }),
  };
}
