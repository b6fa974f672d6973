import type { CacheAssessment } from '../activities/cache/assess';
import { follows } from '../core/cache';
import { makeWhole } from './cache';
import type { Run } from './engine/run';
import { runbook } from './engine/runbook';
import { work } from './proxies';

/**
 * The session store's primary has failed (REQUIREMENTS F6).
 *
 * Two can promote here, this run and the Sentinels, and they do not choose alike. A Sentinel goes by what the standbys told it up to
 * 10 s ago (1 s once it holds the primary for down), so it may choose one that lacks a write which `WAIT 1` acknowledged while
 * another one has it. This run asks all standbys at the moment of the promotion, when the old primary can send nothing more: who
 * has most then has every acknowledged write. So the Sentinels are held back first. They are not told to forget the store: a
 * Sentinel learns of standbys from their primary only, and from a dead one it would never learn them again. Their quorum is set out
 * of reach instead, so that they go on watching, and are as they were once it is set back.
 *
 * What holds between any two steps:
 * - nothing is touched while the primary is well for anybody, nor while a standby is silent that may alone have an acknowledged write;
 *   the Sentinels, who ask for less, are left to do what they do;
 * - nobody is promoted but upon the evidence that the old primary is fenced (its supervisor has no process, and nothing answers),
 *   which is seen confirmed right before the act, and while every Sentinel is held back. Where the Sentinels have begun, or one cannot
 *   be held back because it does not answer, they finish, and the run goes on from what they did;
 * - a member that is started is a standby from its first moment, so the old primary comes back beside nobody;
 * - the Sentinels are released as soon as service is proven, before the old primary is brought back: that may take long.
 *
 * Undone, the Sentinels watch as before. The rest is not undone: going back to the old primary would be the very thing that
 * fencing is there to prevent.
 */
export const redisFailover = runbook('redis-failover', async (run) => {
  const seen = await run.look('Confirm it from all sides', () => work.lookAtCache());
  const { primary } = seen;
  if (!seen.failed || primary === undefined) {
    if (primary === undefined || seen.absent.length === 0)
      return run.succeeded(`${seen.said}: there is nothing to fail over`);
    const alone = !seen.view.members.some((member) => follows(member, primary));
    await makeWhole(run, primary, alone);
    return run.recovered(`${seen.said}, and is followed by ${seen.absent.join(' and ')} again`);
  }
  run.mark('faultAt', run.firstSeenAt);
  return run.recovered(await takeOver(run, seen, primary));
});

/**
 * Fence, hold the Sentinels back, promote, prove; see {@link redisFailover}.
 * @param forced a person has said that the primary has to give way although it may be well
 * @returns what came of it
 */
export async function takeOver(
  run: Run,
  seen: CacheAssessment,
  primary: string,
  forced = false,
): Promise<string> {
  const fencing = await run.act({
    title: `Fence ${primary}`,
    act: (how) => work.fenceCache({ primary, ...(forced && { forced }), how }),
  });
  run.mark('isolatedAt', fencing.at);
  const fenced = (fencing.after ?? fencing.before)?.fenced ?? undefined;
  await run.act({
    title: 'Hold the Sentinels back',
    act: (how) => work.holdSentinels({ primary, how }),
    undo: { title: 'Have the Sentinels watch again', act: (how) => work.watchPrimary({ how }) },
  });
  const promotion = await run.act({
    title: 'Promote the standby that has most',
    act: (how) => work.promoteMostAhead({ primary, fenced, how }),
  });
  const successor = (promotion.after ?? promotion.before)?.primary ?? seen.candidate ?? 'the standby';
  const proof = await run.verify('Write through the address of its clients', () => work.proveCache());
  run.mark('provenAt', proof?.provenAt);
  const { away } = await makeWhole(run, successor);
  const old = away.includes(primary) ? 'is fenced, and stays so until it is reached again' : 'follows it now';
  return `${successor} took over from ${primary}, which ${old}`;
}
