import { runbook } from './engine/runbook';
import { work } from './proxies';

/**
 * A region's load balancer has failed (REQUIREMENTS F12).
 *
 * What holds between any two steps:
 * - nothing is touched while it answers anybody: its runtime API, or the clients at its address;
 * - its successor is started only once no process is left that could be it: two can listen on one address, and would share the
 *   clients while each is told half of what runbooks say;
 * - the successor gives traffic to nobody until it is told to.
 *
 * What the old one had been told died with it: who was in maintenance, and at which weight. A copy of that would be as old as the
 * last look before the death, and wrong about just those nodes that a run was moving then. So nothing is copied. Admitted is who
 * is proven healthy now, by a health check and a real MCP call, and is in no other run's hands: a run that took a node or
 * a zone out brings it back itself, and one that is healthy without a run has no reason to be out that a machine knows of.
 *
 * Undone, it ends with exactly one load balancer too, never with the hung one.
 */
export const lbFailover = runbook<{ region: string }>('lb-failover', async (run, { region }) => {
  const seen = await run.look('Confirm it from both sides', () => work.lookAtBalancer({ region }));
  if (!seen.failed) return run.succeeded(`${seen.said}: there is nothing to fail over`);
  const { active, standby } = seen;
  const near = run.near(region);
  run.mark('faultAt', run.firstSeenAt);
  const fenced = await run.act({
    title: `Fence ${active}`,
    act: (how) => near.work.fenceBalancer({ region, how }),
    undo: { title: 'Have one load balancer', act: (how) => near.work.haveOneBalancer({ region, how }) },
  });
  run.mark('isolatedAt', fenced.at);
  await run.act({
    title: `Start ${standby}`,
    act: (how) => near.work.startBalancer({ region, program: standby, how }),
  });
  const admitted = await run.act({
    title: 'Admit the nodes that are proven healthy',
    act: (how) => near.work.admitProven({ region, how }),
  });
  const nodes = (admitted.after ?? admitted.before)?.proven ?? [];
  const proof = await run.watch('Prove it through the load balancer', () =>
    near.work.watchBalancer({ region, nodes }),
  );
  run.mark('provenAt', proof?.provenAt);
  return run.recovered(
    `${standby} is the load balancer of ${region} in place of ${active}, with ${nodes.length} nodes`,
  );
});
