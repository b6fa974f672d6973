import { runbook } from './engine/runbook';
import { quick } from './proxies';
import { transfer } from './transfer';

/**
 * The sessions of a place go to another: a node's to a node, a region's to a region (REQUIREMENTS F8).
 *
 * What holds between any two steps:
 * - every session has one owner: buckets move all in one moment, or not at all;
 * - only who serves receives, by the load balancer, asked again right before the move;
 * - what somebody else has moved meanwhile stays where it is, also when this is undone.
 */
export const sessionMigration = runbook<{ from: string; to: string }>(
  'session-migration',
  async (run, { from, to }) => {
    run.mark('faultAt', run.firstSeenAt);
    const { transfers } = await run.look('Look at its sessions', () => quick.lookAtMigration({ from, to }));
    if (transfers.length === 0) return run.succeeded(`${from} owns no sessions: there is nothing to move`);
    const moved = await transfer(run, `Move them to ${to}`, transfers);
    run.mark('provenAt', moved?.at);
    return `${moved?.there} sessions of ${from} are with ${to}`;
  },
);
