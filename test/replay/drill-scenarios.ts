import type { TestFleet } from '../harness/fleet';
import { until } from '../harness/until';
import type { Scenario } from './scenarios';

const by = 'ada';
const reason = 'recording';

const drill = (fleet: TestFleet, node: string, mode: 'plan' | 'execute' = 'execute'): Promise<string> =>
  until('a drill may begin', async () => {
    const { run } = await fleet.operations.start({
      runbook: 'component-drill',
      input: { node },
      mode,
      by,
      reason,
    });
    return run;
  });

/** Drills of a node: planned, passed, and one that proves nothing. */
export const DRILL_SCENARIOS: readonly Scenario[] = [
  {
    name: 'component-drill-planned',
    outcome: 'planned',
    act: (fleet) => drill(fleet, 'us-east-1/a/n1', 'plan'),
  },
  { name: 'component-drill-passed', outcome: 'succeeded', act: (fleet) => drill(fleet, 'us-east-1/a/n1') },
  {
    name: 'component-drill-inconclusive',
    outcome: 'inconclusive',
    async act(fleet) {
      await fleet.breakBalancer('eu-central-1', 'hang');
      return drill(fleet, 'eu-central-1/a/n1');
    },
  },
];
