import { follows, judgeCache, type CacheView, type ClientsView } from '../../core/cache';
import { whyNot } from '../../core/guards';
import type { Deed, Finding, Intent, Refusal } from '../../core/run';
import { beating } from '../beating';
import { cacheOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import type { Cache } from '../ports';
import { clientsOf } from './assess';
import { memberOf } from './fence';
import { whyNotPast } from './sentinels';
import { until } from '../until';
import { requireAllowed } from '../require-allowed';

/** Who hands over to whom. */
export interface HandOverPlan {
  primary: string;
  to: string;
}

/** The store from both sides. */
interface StoreLook {
  view: CacheView;
  clients: ClientsView;
}

/** How long a hand-over may take, ms: longer than the primary itself tries. */
const HANDED_OVER_MS = 5_000;

/** What a planned change of primary does beyond what a failover does. */
export function cacheHandOver(deps: Deps) {
  return {
    /**
     * Who is the primary, and who is to be it: the member that is named, or the standby that has most.
     * @throws GUARD_REFUSED where there is nobody to hand over, or the store is not whole · UNKNOWN_TARGET
     */
    async lookAtHandOver({ to: named }: { to?: string }): Promise<Finding<HandOverPlan>> {
      const seen = await lookWithClients(cacheOf(deps).cache);
      const { primary, candidate, said } = judgeCache(seen.view, seen.clients);
      const to = named ?? candidate ?? 'a standby';
      if (named) memberOf(seen.view, named);
      const refusal = primary === to ? null : whyNotHandOver(seen, to);
      requireAllowed(refusal);
      return { sentence: said, value: { primary: primary!, to } };
    },

    /**
     * Has the primary hand over. Redis keeps its clients' writes waiting, waits until the other has everything, and changes the
     * roles; where that does not come to pass within 2 s it goes on as it was.
     * @throws GUARD_REFUSED, VERIFY_FAILED
     */
    handOverCache: beating(
      async ({ primary, to, how }: HandOverPlan & { how: Intent }): Promise<Deed<StoreLook>> => {
        const { cache } = cacheOf(deps);
        const isDone = ({ view }: StoreLook): boolean =>
          memberOf(view, to).role === 'primary' && memberOf(view, primary).role === 'standby';
        return ensure(how, {
          look: () => lookWithClients(cache),
          already: (seen) => (isDone(seen) ? `${to} is the primary, ${primary} its standby` : null),
          refuse: (seen) =>
            whyNotHandOver(seen, to) ?? (how.mode === 'plan' ? null : whyNotPast(seen.view, to)),
          intention: () => `have ${primary} hand over to ${to}`,
          act: async (before) => {
            await cache.handOver(primary, to);
            await until(`${primary} has not handed over to ${to}`, HANDED_OVER_MS, async () =>
              isDone({ ...before, view: await cache.look() }),
            );
          },
          done: (before) => {
            const { offset } = memberOf(before.view, primary);
            return `${primary} handed over to ${to} once that had all of its writes (offset ${offset} and on)`;
          },
        });
      },
    ),
  };
}

/** Why the primary must not hand over to this member, or null. */
function whyNotHandOver({ view, clients }: StoreLook, to: string): Refusal | null {
  const { primary, absent } = judgeCache(view, clients);
  const receiver = view.members.find(({ member }) => member === to);
  return whyNot('hand over cache', {
    primary: clients.ok ? primary : undefined,
    to,
    follows: primary !== undefined && receiver !== undefined && follows(receiver, primary),
    absent: absent.filter((member) => member !== to),
  });
}

async function lookWithClients(cache: Cache): Promise<StoreLook> {
  const [view, clients] = await Promise.all([cache.look(), clientsOf(cache)]);
  return { view, clients };
}
