import { runbook } from './engine/runbook';
import { work } from './proxies';

/**
 * The registry's primary has failed (REQUIREMENTS F7, F12).
 *
 * Fence before promote: two primaries would each take writes that the other never sees, and nobody could say afterwards which
 * of them was right. So the order is the invariant, and what holds between any two steps is:
 * - nothing is touched while the primary is well for anybody: for us, for a standby that follows it, or for its clients;
 * - the old primary is fenced only where a standby can take over: one that answers, and of which it is known what it lacks;
 * - a standby is promoted only upon the evidence that its own old primary is fenced (its process is gone, or it calls itself a
 *   standby), which the promotion carries as input and sees confirmed right before it acts; without it the run stops and asks;
 * - a member that is started is a standby from its first moment, so the old primary comes back beside nobody.
 *
 * Nothing is undone: before the promotion the old primary was dead anyway, and after it going back would be the very thing
 * that fencing is there to prevent. What cannot go on asks a person.
 */
export const registryFailover = runbook('registry-failover', async (run) => {
  const seen = await run.look('Confirm it from all sides', () => work.lookAtRegistry());
  const { primary, standby } = seen;
  if (!seen.failed || standby === undefined)
    return run.succeeded(`${seen.said}: there is nothing to fail over`);
  run.mark('faultAt', run.firstSeenAt);
  const fencing = await run.act({
    title: `Fence ${primary}`,
    act: (how) => work.fencePrimary({ primary, how }),
  });
  run.mark('isolatedAt', fencing.at);
  const fenced = (fencing.after ?? fencing.before)?.fenced ?? undefined;
  await run.act({
    title: `Promote ${standby}`,
    act: (how) => work.promoteStandby({ standby, fenced, how }),
  });
  await run.verify('Write through the address of its clients', () => work.proveRegistry());
  const registered = await run.verify('See its nodes registered again', () => work.awaitRegistered());
  run.mark('provenAt', registered?.provenAt);

  await run.act({
    title: `Bring the others in as standbys of ${standby}`,
    act: (how) => work.followPrimary({ primary: standby, how }),
  });
  return run.recovered(`${standby} took over from ${primary}, which follows it now`);
});
