import { primaryOf, type CacheView } from '../../core/cache';
import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import type { Deed, Intent, Refusal } from '../../core/run';
import { beating } from '../beating';
import { cacheOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import { until } from '../until';

/** How long the Sentinels may take with what they have begun, or have to do alone, ms: their own failover took 2 to 7 s. */
const THEIRS_MS = 20_000;
/** How long a Sentinel may take to believe what it was told, ms. */
const BELIEVE_MS = 5_000;

/** What is done about the Sentinels around a change of primary. */
export function cacheSentinels(deps: Deps) {
  return {
    /**
     * Holds the Sentinels back, so that none of them makes anybody the primary beside this run. Where one has begun to, it is let
     * finish. Where one cannot be reached it cannot be held back: then they are left to do all of it. Either way this returns once
     * they are held back, or have made somebody else the primary.
     * @throws VERIFY_FAILED where they do neither
     */
    holdSentinels: beating(
      async ({ primary, how }: { primary: string; how: Intent }): Promise<Deed<CacheView>> => {
        const { cache } = cacheOf(deps);
        const settled = (view: CacheView): boolean =>
          isHeld(view) || successorOf(view, primary) !== undefined;
        return ensure(how, {
          look: () => cache.look(),
          already: (view) => {
            const now = successorOf(view, primary);
            if (now) return `the Sentinels have made ${now} the primary themselves`;
            return isHeld(view) ? 'all Sentinels are held back: they make nobody the primary' : null;
          },
          intention: () => 'hold the Sentinels back',
          act: () =>
            until(
              'the Sentinels are neither held back nor have they done it themselves',
              THEIRS_MS,
              async () => {
                const view = await cache.look();
                if (settled(view)) return true;
                const theirs = view.sentinels.some(
                  ({ failingOver, primary: seen }) => failingOver || seen === undefined,
                );
                if (!theirs) await cache.holdSentinels();
                return false;
              },
            ),
          done: (_, view) => {
            const now = successorOf(view, primary);
            return now
              ? `the Sentinels could not be held back, and have made ${now} the primary themselves`
              : `all ${view.sentinels.length} Sentinels are held back: they make nobody the primary`;
          },
        });
      },
    ),

    /**
     * Has every Sentinel watch this primary by its usual rules. They learn of its standbys as they are told to, so there has to be
     * one by then.
     * @param primary left out: whoever is it now, or else whom they watch already, for them to go on with
     * @throws SESSIONS_UNREACHABLE, VERIFY_FAILED where one of them does not
     */
    watchPrimary: beating(
      async ({ primary: named, how }: { primary?: string; how: Intent }): Promise<Deed<CacheView>> => {
        const { cache } = cacheOf(deps);
        const primary = named ?? primaryOf(await cache.look());
        if (primary === undefined)
          throw new SwitchoverError('VERIFY_FAILED', 'nobody can tell whom the Sentinels should watch');
        return ensure(how, {
          look: () => cache.look(),
          already: (view) => (agree(view, primary) ? watching(view, primary) : null),
          intention: () => `have the Sentinels watch ${primary}`,
          act: async () => {
            await cache.watch(primary);
            await until(`not every Sentinel watches ${primary}`, BELIEVE_MS, async () =>
              agree(await cache.look(), primary),
            );
          },
          done: (_, view) => watching(view, primary),
        });
      },
    ),
  };
}

/** Whether none of the Sentinels makes anybody the primary, nor is about to. */
export function isHeld({ sentinels }: CacheView): boolean {
  return sentinels.every(({ held, failingOver }) => held && !failingOver);
}

/**
 * Whether every Sentinel watches this primary with a standby that could succeed it, and is free to act. One whose machine does not
 * answer is not asked; the others have to be the most of them, or nobody could be made the primary.
 */
export function agree({ sentinels }: CacheView, primary: string): boolean {
  const there = sentinels.filter(({ dark }) => !dark);
  if (2 * there.length <= sentinels.length) return false;
  return there.every((one) => one.primary === primary && !one.held && one.standbys > 0);
}

/** `2 of 3 Sentinels watch m2; the machine of s1 does not answer` */
export function watching({ sentinels }: CacheView, primary: string): string {
  const dark = sentinels.filter((one) => one.dark).map(({ sentinel }) => sentinel);
  const away = dark.length > 0 ? `; the machine of ${dark.join(' and ')} does not answer` : '';
  return `${sentinels.length - dark.length} of ${sentinels.length} Sentinels watch ${primary}${away}`;
}

/** Who is the primary in place of this one. */
export function successorOf({ members }: CacheView, old: string): string | undefined {
  return members.find(({ member, role }) => member !== old && role === 'primary')?.member;
}

/** Why nobody must be promoted past the Sentinels, or null. */
export function whyNotPast({ sentinels }: CacheView, candidate: string): Refusal | null {
  const free = sentinels.filter(({ held, failingOver }) => !held || failingOver);
  return whyNot('promote past Sentinel', { candidate, watching: free.map(({ sentinel }) => sentinel) });
}
