import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { Outcome } from '../../core/run';
import { coordinatorId } from '../../workflows/messages';
import type { Settings } from '../../sandbox';
import { testFleet, type TestFleet } from '../harness/fleet';
import { until } from '../harness/until';
import { BACKUP_SCENARIOS, DATABASE_SCENARIOS, FLEET_SCENARIOS, REDIS_SCENARIOS } from './fleet-scenarios';
import { REGION_SCENARIOS } from './region-scenarios';
import { SCENARIOS, type Scenario } from './scenarios';
import { ZONE_SCENARIOS } from './zone-scenarios';

/**
 * Records the histories that replay.test.ts replays, on sandboxes of its own: `npm run build && node
 * dist/test/replay/record.js`, from the project's root; with the names of groups after it (`nodes zones fleet database redis regions backups`), only those.
 * To be run when a workflow was changed on purpose, before any version of it is in use; afterwards a change needs
 * `patched`, and the old histories stay.
 */
const FOLDER = join(process.cwd(), 'test/replay/histories');

const GROUPS: Record<string, (fleet: TestFleet) => Promise<void>> = {
  nodes: async (fleet) => {
    await record(fleet, SCENARIOS);
    await save(fleet, coordinatorId('sandbox'), 'coordinator');
    await save(fleet, 'monitor-sandbox-us-east-1', 'monitor');
  },
  zones: (fleet) => record(fleet, ZONE_SCENARIOS),
  fleet: (fleet) => record(fleet, FLEET_SCENARIOS),
  database: (fleet) => record(fleet, DATABASE_SCENARIOS),
  redis: (fleet) => record(fleet, REDIS_SCENARIOS),
  regions: (fleet) => record(fleet, REGION_SCENARIOS),
  backups: (fleet) => record(fleet, BACKUP_SCENARIOS),
};

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  if (wanted.length === 0) await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  for (const group of wanted.length > 0 ? wanted : Object.keys(GROUPS))
    await onFleet(GROUPS[group]!, {
      database: ['database', 'backups', 'regions'].includes(group),
      backups: group === 'backups',
      limits: group !== 'database' && group !== 'regions', // two failovers, one after the other
      sentinel: group === 'redis' || group === 'regions',
      ...(group === 'regions' ? { dns: true, dnsTtl: 3, dnsChecks: '1s/2', workers: 3 } : {}),
    });
}

/** Each group finds the fleet whole: what the other left broken would be in its way. */
async function onFleet(
  work: (fleet: TestFleet) => Promise<void>,
  settings: Partial<Settings>,
): Promise<void> {
  const fleet = await testFleet({ block: 148, ...settings });
  try {
    await work(fleet);
  } finally {
    await fleet.close();
  }
}

async function record(fleet: TestFleet, scenarios: readonly Scenario[]): Promise<void> {
  for (const { name, outcome, act } of scenarios) {
    const run = await act(fleet);
    await until(
      `${run} is over`,
      async () => {
        if ((await fleet.client.workflow.getHandle(run).describe()).status.name !== 'RUNNING') return true;
        throw new Error((await fleet.operations.show(run)).sentence);
      },
      90_000,
    );
    if (outcome !== 'failed') await check(fleet, run, name, outcome);
    await save(fleet, run, name);
  }
}

/** @throws Error with the run's own words where it has not ended as the scenario says */
async function check({ operations }: TestFleet, run: string, name: string, outcome: Outcome): Promise<void> {
  const { state, sentence, steps } = await operations.show(run);
  if (state === outcome) return;
  const told = steps.map((step) => `${step.title}: ${step.state}, ${step.sentence}`).join('\n');
  throw new Error(`${name}: ${run} is ${state}, not ${outcome}: ${sentence}\n${told}`);
}

async function save({ client }: TestFleet, workflow: string, name: string): Promise<void> {
  const history = await client.workflow.getHandle(workflow).fetchHistory();
  const json = historyToJSON(history);
  await writeFile(join(FOLDER, `${name}.json`), json.replaceAll(`${process.cwd()}/`, '')); // stack traces name files
  console.log(`${name}: ${history.events?.length} events of ${workflow}`);
}

void main();
