import { testRuns } from '../harness/runs';
import type { TestFleet } from '../harness/fleet';
import type { Scenario } from './scenarios';

const region = 'us-east-1';
const by = 'grace';
const reason = 'recording';

/** The ways in which runs on a region end; they go on from each other's fleet, which needs a name, data stores and a worker a region. */
export const REGION_SCENARIOS: readonly Scenario[] = [
  {
    name: 'region-split-refused',
    outcome: 'refused',
    async act(fleet) {
      await fleet.breakWay('eu-central-1', region);
      const run = await start(fleet, 'region-failover', { region });
      await fleet.reaches(run, 'refused');
      await fleet.healWay('eu-central-1', region);
      return run;
    },
  },
  {
    name: 'region-serves',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'region-failover', { region }),
  },
  {
    name: 'region-failover-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'region-failover', { region }, 'plan'),
  },
  {
    name: 'region-not-left',
    outcome: 'succeeded',
    act: (fleet) => approved(fleet, 'region-failback'),
  },
  {
    name: 'region-recovered',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.breakRegion(region, 'kill');
      return fleet.runOn(`region/${region}`);
    },
  },
  {
    name: 'region-failback-rejected',
    outcome: 'refused',
    async act(fleet) {
      await fleet.healRegion(region);
      const run = await start(fleet, 'region-failback', { region });
      await fleet.reaches(run, 'waiting for approval');
      await fleet.operations.decide(run, 'reject', { by, reason });
      return run;
    },
  },
  {
    name: 'region-failed-back',
    outcome: 'succeeded',
    act: (fleet) => approved(fleet, 'region-failback'),
  },
  {
    name: 'region-evacuation-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'region-evacuation', { region }, 'plan'),
  },
  {
    name: 'region-evacuation-aborted',
    outcome: 'aborted',
    async act(fleet) {
      const runs = testRuns(() => fleet);
      const run = await runs.start('region-evacuation', { region });
      await runs.abortIn(run, 'Wait until no earlier answer is used');
      return run;
    },
  },
  {
    name: 'region-evacuated',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'region-evacuation', { region }),
  },
  {
    name: 'region-evacuated-by-force',
    outcome: 'succeeded',
    act: (fleet) => testRuns(() => fleet).startForced('region-evacuation', { region: 'ap-southeast-1' }),
  },
];

async function approved(fleet: TestFleet, runbook: string): Promise<string> {
  const run = await start(fleet, runbook, { region });
  await fleet.reaches(run, 'waiting for approval');
  await fleet.operations.decide(run, 'approve', { by, reason });
  return run;
}

function start(
  fleet: TestFleet,
  ...asked: Parameters<ReturnType<typeof testRuns>['start']>
): Promise<string> {
  return testRuns(() => fleet).start(...asked);
}
