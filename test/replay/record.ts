import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { Outcome } from '../../core/run';
import { readinessAgain, readinessOf } from '../../operations/readiness';
import { waysId } from '../../operations/ways';
import { bookkeeperId, coordinatorId, readinessId } from '../../workflows/messages';
import type { Settings } from '../../sandbox';
import { testFleet, type TestFleet } from '../harness/fleet';
import { until } from '../harness/until';
import { DEPLOY_SCENARIOS } from './deploy-scenarios';
import { BACKUP_SCENARIOS, DATABASE_SCENARIOS, FLEET_SCENARIOS, REDIS_SCENARIOS } from './fleet-scenarios';
import { DRILL_SCENARIOS } from './drill-scenarios';
import { RECOVERY_SCENARIOS } from './recovery-scenarios';
import { REGION_SCENARIOS } from './region-scenarios';
import { SCENARIOS, type Scenario } from './scenarios';
import { ZONE_SCENARIOS } from './zone-scenarios';

/**
 * Records the histories that replay.test.ts replays, on sandboxes of its own: `npm run build && node
 * dist/test/replay/record.js`, from the project's root; with the names of groups after it (`nodes entities zones fleet database redis regions recovery backups deploys drills`), only those, and with `group/history` that one alone.
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
  entities: async (fleet) => {
    await until('readiness was evaluated', () => readinessOf(fleet.client, 'sandbox'));
    await readinessAgain(fleet.client, 'sandbox');
    await save(fleet, readinessId('sandbox'), 'readiness');
    await save(fleet, bookkeeperId('sandbox'), 'bookkeeper');
  },
  zones: (fleet) => record(fleet, ZONE_SCENARIOS),
  fleet: (fleet) => record(fleet, FLEET_SCENARIOS),
  database: (fleet) => record(fleet, DATABASE_SCENARIOS),
  redis: (fleet) => record(fleet, REDIS_SCENARIOS),
  regions: async (fleet) => {
    await record(fleet, REGION_SCENARIOS);
    await save(fleet, waysId('sandbox', 'us-east-1'), 'way-monitor');
  },
  recovery: (fleet) => record(fleet, RECOVERY_SCENARIOS),
  backups: (fleet) => record(fleet, BACKUP_SCENARIOS),
  deploys: (fleet) => record(fleet, DEPLOY_SCENARIOS),
  drills: (fleet) => record(fleet, DRILL_SCENARIOS),
};

/** The one history that is recorded; all of a group where it is not set. */
let only: string | undefined;

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  if (wanted.length === 0) await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  for (const one of wanted.length > 0 ? wanted : Object.keys(GROUPS)) {
    const [group = '', history] = one.split('/');
    only = history;
    await onFleet(GROUPS[group]!, {
      database: ['database', 'backups', 'regions', 'recovery'].includes(group),
      backups: group === 'backups' || group === 'recovery',
      limits: !['database', 'regions', 'recovery'].includes(group), // two failovers, one after the other
      sentinel: ['redis', 'regions', 'recovery'].includes(group),
      ...(['regions', 'recovery'].includes(group)
        ? { dns: true, dnsTtl: 3, dnsChecks: '1s/2', workers: 3 }
        : {}),
      ...(group === 'recovery' ? { recovery: true, workers: 4, nodesPerZone: 1 } : {}),
    });
  }
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
    if (only !== undefined && name !== only) continue;
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
