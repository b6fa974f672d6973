import type { TestFleet } from '../harness/fleet';
import { testRuns } from '../harness/runs';
import { until } from '../harness/until';
import type { Scenario } from './scenarios';

const region = 'us-east-1';
const brief = { region, interval: '2s', watch: '2s' };

/** Releases that come to a region, in this order: each finds what the one before has left. */
export const DEPLOY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'deploy-planned',
    outcome: 'planned',
    act: (fleet) => runsOf(fleet).start('rolling-deploy', { ...brief, version: '1.1.0' }, 'plan'),
  },
  {
    name: 'deploy-waited-for-rescue',
    outcome: 'succeeded',
    async act(fleet) {
      const run = await runsOf(fleet).start('rolling-deploy', { ...brief, version: '1.1.0', interval: '8s' });
      await until(`${run} watches`, async () =>
        (await fleet.operations.show(run)).steps.some(({ title }) => title.startsWith('Watch')),
      );
      await fleet.break('us-east-1/c/n2', 'kill');
      return run;
    },
  },
  {
    name: 'deploy-rolled-back',
    outcome: 'rolled back',
    act: (fleet) =>
      runsOf(fleet).start('rolling-deploy', { ...brief, version: '1.2.0', healthTimeout: '1s', retries: 0 }),
  },
  {
    name: 'deploy-blue-green-aborted',
    outcome: 'aborted',
    async act(fleet) {
      const run = await runsOf(fleet).start('blue-green-deploy', { region, version: '1.0.0' });
      await runsOf(fleet).abortIn(run, 'Watch 3 nodes of us-east-1 for 5m');
      return run;
    },
  },
  {
    name: 'deploy-blue-green',
    outcome: 'succeeded',
    act: (fleet) =>
      runsOf(fleet).start('blue-green-deploy', { region, version: '1.0.0', periods: ['2s', '2s', '2s'] }),
  },
  {
    name: 'rollback-without-release-before',
    outcome: 'failed',
    act: (fleet) => runsOf(fleet).start('rollback', brief),
  },
];

const runsOf = (fleet: TestFleet) => testRuns(() => fleet);
