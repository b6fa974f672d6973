import { runbook } from './engine/runbook';
import { quick } from './proxies';
import { transfer } from './transfer';

/**
 * A region is whole again, but its sessions and its traffic are still as the last failures left them (REQUIREMENTS F1, D6).
 *
 * What holds between any two steps:
 * - every session has one owner that serves;
 * - only buckets move that belong to a serving node of the region and are not there: the fewest that will do.
 */
export const rebalance = runbook<{ region: string }>('rebalance', async (run, { region }) => {
  run.mark('faultAt', run.firstSeenAt);
  const { transfers } = await run.look('Look at where its buckets are', () =>
    quick.lookAtBalance({ region }),
  );
  if (transfers.length > 0) {
    const moved = await transfer(run, 'Move buckets to where they belong', transfers);
    run.mark('provenAt', moved?.at);
  }
  const weights = await run.look('Look at its weights', () => quick.lookAtWeights({ region }));
  await run.act({
    title: 'Give every node its full weight',
    act: (how) => quick.giveFullWeights({ region, how }),
    undo: {
      title: 'Give them the weights they had',
      act: (how) => quick.giveWeights({ region, weights, how }),
    },
  });
  return `sessions and traffic of ${region} are balanced over its nodes`;
});
