import { WorkflowNotFoundError } from '@temporalio/client';
import { launch, type Launch } from '../operations/launch';
import type { Deps } from './deps';

/** What the coordinator needs of Temporal itself. */
export function coordinatorActivities({ client }: Deps) {
  return {
    /** Starts a run; does nothing where it was started before. */
    async launchRun(run: Launch): Promise<void> {
      await launch(client, run);
    },

    /** Those of the runs that are over, however they ended, or that never were. */
    async endedRuns(runs: string[]): Promise<string[]> {
      const ended = await Promise.all(runs.map(async (run) => ((await isOpen(run)) ? [] : [run])));
      return ended.flat();
    },
  };

  async function isOpen(run: string): Promise<boolean> {
    try {
      const { status } = await client.workflow.getHandle(run).describe();
      return status.name === 'RUNNING' || status.name === 'PAUSED';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }
}
