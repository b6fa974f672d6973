import { setTimeout as delay } from 'node:timers/promises';
import { judgeCache, type CacheVerdict, type CacheView, type ClientsView } from '../../core/cache';
import { whyNot } from '../../core/guards';
import type { Finding, Refusal } from '../../core/run';
import type { CacheSystems } from '../deps';
import type { Cache } from '../ports';

/** What was seen of a session store whose primary is said to have failed, and what that comes to. */
export interface CacheAssessment extends CacheVerdict {
  view: CacheView;
  clients: ClientsView;
}

/**
 * How long it may be unclear whether the primary has failed, ms: a standby takes 2 s to notice that it hears nothing, and one that
 * nobody reaches may be well while this process was held up.
 */
const UNCLEAR_MS = 8_000;
const AGAIN_MS = 100;

/**
 * Looks until it is clear: the primary takes its clients' writes, or it has failed and somebody may take over. What is still
 * unclear after {@link UNCLEAR_MS} counts as not failed.
 */
export async function assessCache({ cache }: CacheSystems): Promise<Finding<CacheAssessment>> {
  for (const end = Date.now() + UNCLEAR_MS; ; await delay(AGAIN_MS)) {
    const [view, clients] = await Promise.all([cache.look(), clientsOf(cache)]);
    const assessment = { ...judgeCache(view, clients), view, clients };
    const clear = clients.ok || (assessment.failed && !whyNotTakeOver(assessment));
    if (clear || Date.now() > end) return { sentence: assessment.said, value: assessment };
  }
}

/** Why nobody must be let take over, or null. */
export function whyNotTakeOver(ask: {
  primary?: string | undefined;
  candidate?: string | undefined;
  view: CacheView;
}): Refusal | null {
  const { primary, candidate, view } = ask;
  const others = view.members.filter(({ member }) => member !== primary);
  return whyNot('take over cache', {
    primary: primary ?? 'the primary',
    candidate,
    writable: others.filter(({ role }) => role === 'primary').map(({ member }) => member),
    silent: others.filter(({ reachable }) => !reachable).map(({ member }) => member),
  });
}

/** What clients get that write. */
export function clientsOf(cache: Cache): Promise<ClientsView> {
  return cache.write().then(
    (ms) => ({ ok: true, said: `a write took ${ms} ms` }),
    (error: Error) => ({ ok: false, said: error.message }),
  );
}
