import { isOver } from '../../core/run';
import { loadConfig } from '../../operations';
import type { TestFleet } from '../harness/fleet';
import { databaseAt, destroyMember } from '../../bench/lib/database';
import { testRuns } from '../harness/runs';
import { until } from '../harness/until';
import type { Scenario } from './scenarios';

const site = 'us-west-1';
const reason = 'recording';

/** Regions that the scenarios have lost. */
let lost: string[] = [];

/** The ways in which runs for a site for disasters end; they go on from each other's fleet, which needs recovery sites and backups. */
export const RECOVERY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'global-nothing-lost',
    outcome: 'succeeded',
    act: (fleet) => agreed(fleet, 'global-failover', { level: 3 }),
  },
  {
    name: 'global-recovered',
    outcome: 'recovered',
    async act(fleet) {
      const { leader, members } = await databaseAt(fleet.sandbox).look();
      // Who is left is the one that did not have to have every acknowledged row.
      const synchronous = members.find(({ agent }) => agent?.synchronous)!.member;
      lost = [leader!, synchronous].map((member) => placeOf(fleet, member));
      await Promise.all(lost.map((region) => fleet.breakRegion(region, 'kill')));
      const run = await agreed(fleet, 'global-failover', { level: 3 });
      await goOn(fleet, run);
      await over(fleet, run);
      // At once: else their monitors go on to have each of their nodes failed over.
      for (const region of lost) await fleet.healRegion(region);
      return run;
    },
  },
  {
    name: 'dr-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'dr-deactivate', { region: site }, 'plan'),
  },
  {
    name: 'dr-deactivated',
    outcome: 'succeeded',
    act: (fleet) => agreed(fleet, 'dr-deactivate', { region: site }),
  },
  {
    name: 'global-level-refused',
    outcome: 'refused',
    async act(fleet) {
      await testRuns(() => fleet).carryOut('backup-full', {}, 'succeeded');
      const { members } = loadConfig(fleet.sandbox.configPath).database!;
      const left = Object.keys(members).find((member) => !lost.includes(placeOf(fleet, member)))!;
      await Promise.all([
        ...lost.map((region) => fleet.breakRegion(region, 'kill')),
        destroyMember(fleet.sandbox, left),
      ]);
      return agreed(fleet, 'global-failover', { level: 2 });
    },
  },
  {
    name: 'global-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'global-failover', { level: 3, region: 'eu-north-1' }, 'plan'),
  },
  {
    name: 'global-restored',
    outcome: 'recovered',
    async act(fleet) {
      const run = await agreed(fleet, 'global-failover', { level: 3, region: 'eu-north-1' });
      await goOn(fleet, run);
      return run;
    },
  },
  {
    name: 'dr-home-not-whole',
    outcome: 'refused',
    async act(fleet) {
      const run = await agreed(fleet, 'dr-deactivate', { region: 'eu-north-1' });
      await over(fleet, run);
      for (const region of lost) await fleet.healRegion(region);
      return run;
    },
  },
  {
    name: 'dr-cold-deactivated',
    outcome: 'succeeded',
    act: (fleet) => agreed(fleet, 'dr-deactivate', { region: 'eu-north-1' }),
  },
];

/** Starts a run, and has as many people agree as it asks for. */
async function agreed(
  fleet: TestFleet,
  runbook: string,
  input: Record<string, string | number>,
): Promise<string> {
  const run = await start(fleet, runbook, input);
  await fleet.reaches(run, 'waiting for approval');
  for (const by of ['grace', 'bob'])
    if ((await fleet.operations.show(run)).state === 'waiting for approval')
      await fleet.operations.decide(run, 'approve', { by, reason });
  return run;
}

function placeOf({ sandbox }: TestFleet, member: string): string {
  return loadConfig(sandbox.configPath).database!.members[member]!.region;
}

/** Returns once the run is over. */
async function over(fleet: TestFleet, run: string): Promise<void> {
  await until(
    `${run} is over`,
    async () => {
      const { state, sentence } = await fleet.operations.show(run);
      if (isOver(state)) return true;
      throw new Error(`it is ${state}: ${sentence}`);
    },
    120_000,
  );
}

/** Says to go on once the run asks about rows that would be given up. */
async function goOn(fleet: TestFleet, run: string): Promise<void> {
  await until(
    `${run} asks`,
    async () => {
      const { state, sentence } = await fleet.operations.show(run);
      if (state === 'needs attention') return true;
      throw new Error(`it is ${state}: ${sentence}`);
    },
    120_000,
  );
  await fleet.operations.decide(run, 'retry', { by: 'grace', reason });
}

function start(
  fleet: TestFleet,
  ...asked: Parameters<ReturnType<typeof testRuns>['start']>
): Promise<string> {
  return testRuns(() => fleet).start(...asked);
}
