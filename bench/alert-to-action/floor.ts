import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';

const TASK_QUEUE = 'bench-floor';

export interface FloorActivities {
  arrive(): Promise<void>;
}

/** What bare Temporal takes from a client's start to the first line of an activity. */
export interface Floor {
  /** One start, ms. */
  measure(): Promise<number>;
  close(): Promise<void>;
}

/**
 * A client and a worker of this process on the sandbox's own Temporal, with a prebuilt bundle and nothing else to do.
 * @param address of the Temporal server
 */
export async function openFloor(address: string): Promise<Floor> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  let arrived = 0;
  const activities: FloorActivities = { arrive: async () => void (arrived = performance.now()) };
  const [connection, native, workflowBundle] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
    bundleWorkflowCode({
      workflowsPath: require.resolve('./bare'),
      logger: new DefaultLogger('ERROR'),
    }),
  ]);
  const worker = await Worker.create({
    connection: native,
    taskQueue: TASK_QUEUE,
    workflowBundle,
    activities,
  });
  const running = worker.run();
  const client = new Client({ connection });
  return {
    async measure() {
      const startedAt = performance.now();
      await client.workflow.execute('bare', { taskQueue: TASK_QUEUE, workflowId: `bare-${randomUUID()}` });
      return arrived - startedAt;
    },
    async close() {
      worker.shutdown();
      await running;
      await Promise.all([connection.close(), native.close()]);
    },
  };
}
