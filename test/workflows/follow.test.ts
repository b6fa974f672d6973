import type { RunReport } from '../../core/run';
import { Operations } from '../../operations';
import { until } from '../harness/until';
import { hangs, useLab } from './lab';
import catalogue from './lab/catalogue';
import { development } from './lab/servers';

/** Following a run, on a server whose histories grow as a real one's. */
const lab = useLab(development);

/** Follows a run that hangs in its first act. */
async function followed() {
  const { client } = lab().env;
  const run = await lab().start({ lines: ['act drain', 'act lead'], script: { 'act drain': hangs() } });
  await run.world.begins('act drain');
  const asked = jest.spyOn(client.workflowService, 'queryWorkflow');
  const waited = jest.spyOn(client.workflowService, 'getWorkflowExecutionHistory');
  const operations = new Operations(client, 'lab', catalogue);
  const reports: RunReport[] = [];
  const over = (async () => {
    for await (const report of operations.follow(run.id)) reports.push(report);
  })();
  // What was there, and then what is to come.
  await until('its history is waited for', () => waited.mock.calls.length >= 2);
  return { operations, run, reports, over, asked };
}

afterEach(() => jest.restoreAllMocks());

it('asks the worker for the report when the run has moved, not again and again', async () => {
  const began = Date.now();
  const { run, reports, over, asked } = await followed();
  expect(reports.map(({ state }) => state)).toEqual(['running']);
  run.world.release('act drain');
  await over;
  expect(reports.at(-1)).toMatchObject({ state: 'succeeded' });
  const { events } = await lab().env.client.workflow.getHandle(run.id).fetchHistory();
  const moves = events!.filter((event) => event.workflowTaskCompletedEventAttributes).length;
  // One before it waits; and in a silence of 2 s one, to see whether anybody is there.
  expect(asked.mock.calls.length).toBeLessThanOrEqual(1 + moves + (Date.now() - began) / 2_000);
});

it('ends when the run is terminated in Temporal', async () => {
  const { run, reports, over } = await followed();
  await lab().env.client.workflow.getHandle(run.id).terminate();
  await over;
  expect(reports.at(-1)).toMatchObject({ state: 'aborted' });
});

it('ends at once when whoever follows has had enough', async () => {
  const { operations, run, over } = await followed();
  const signal = AbortSignal.timeout(1);
  for await (const { state } of operations.follow(run.id, { signal })) expect(state).toBe('running');
  await expect(operations.wait(run.id, 1)).rejects.toMatchObject({ code: 'TIMED_OUT' });
  await run.decide('abort');
  await over;
});
