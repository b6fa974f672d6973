import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { OUTCOMES } from '../../core/run';
import { DRILL_SCENARIOS } from './drill-scenarios';
import { FLEET_SCENARIOS } from './fleet-scenarios';
import { SCENARIOS } from './scenarios';

/** Histories of real runs (record.ts) against the workflows as they are built now. */
const FOLDER = join(__dirname, 'histories');
const names = readdirSync(FOLDER).map((file) => file.replace('.json', ''));
const workflowBundle = { codePath: join(__dirname, '../../dist/workers/workflows.js') };

const json = (name: string) => readFileSync(join(FOLDER, `${name}.json`), 'utf8');

async function replay(text: string): Promise<Error | undefined> {
  const histories = [{ workflowId: 'recorded', history: historyFromJSON(JSON.parse(text)) }];
  for await (const { error } of Worker.runReplayHistories({ workflowBundle }, histories)) return error;
  throw new Error('nothing was replayed');
}

beforeAll(() => Runtime.install({ logger: new DefaultLogger('ERROR') }));

it('there is a history of every outcome', () => {
  const recorded = [...SCENARIOS, ...FLEET_SCENARIOS, ...DRILL_SCENARIOS]
    .filter(({ name }) => names.includes(name))
    .map(({ outcome }) => outcome);
  expect(new Set(recorded)).toEqual(new Set(Object.keys(OUTCOMES)));
});

it.each(names)('%s replays', async (name) => {
  expect(await replay(json(name))).toBeUndefined();
});

it('a history that these workflows did not make is found out', async () => {
  const other = json('recovered-by-restart').replaceAll('restartNode', 'rebootNode');
  expect(await replay(other)).toBeInstanceOf(DeterminismViolationError);
});
