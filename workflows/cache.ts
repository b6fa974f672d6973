import type { CacheWhole } from '../activities/cache/looks';
import type { Run } from './engine/run';
import { long, work } from './proxies';

/**
 * Makes the session store whole around a primary at work: the Sentinels watch it, which is the net until the rest is done, every
 * other member follows it, and all of that is seen. Those whose machines do not answer are left for later.
 * @param alone nobody follows it yet; then that comes first, for the Sentinels learn of its standbys as they are told to watch it
 */
export async function makeWhole(run: Run, primary: string, alone = false): Promise<CacheWhole> {
  const watch = () =>
    run.act({
      title: `Have the Sentinels watch ${primary}`,
      act: (how) => work.watchPrimary({ primary, how }),
    });
  if (!alone) await watch();
  await run.act({
    title: `Have all others follow ${primary}`,
    act: (how) => work.followCachePrimary({ primary, how }),
  });
  if (alone) await watch();
  const whole = await run.verify('See it whole again', () => long.awaitCacheWhole({ primary }));
  return whole ?? { standbys: [], away: [] };
}
