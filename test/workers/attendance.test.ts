import type { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { attendance } from '../../workers/attendance';
import { regionQueue } from '../../workflows/messages';
import { until } from '../harness/until';
import { development } from '../workflows/lab/servers';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  env = await development();
});
afterAll(() => env.teardown());

it('a region is attended where a worker of its own asks for work, and nobody waits for that to be found out', async () => {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: regionQueue('here'),
    activities: { look: async () => 'seen' },
  });
  await worker.runUntil(async () => {
    const attended = attendance(env.client, ['here', 'there']);
    expect(attended()).toEqual([]);
    await until('it is known', () => attended().length > 0);
    expect(attended()).toEqual(['here']);
  });
});

it.each([
  { ago: 5, known: ['here'] },
  { ago: 3_600, known: [] },
])('one that asked $ago s ago: $known', async ({ ago, known }) => {
  let asked = 0;
  const seconds = Math.floor(Date.now() / 1_000) - ago;
  const workflowService = {
    describeTaskQueue: async () => {
      asked += 1;
      return { pollers: [{ lastAccessTime: { seconds } }] };
    },
  };
  const attended = attendance({ workflowService, options: {} } as unknown as Client, ['here']);
  await until('Temporal was asked', () => asked > 0);
  await new Promise(setImmediate); // what it said has arrived
  expect(attended()).toEqual(known);
});
