import { WorkflowNotFoundError } from '@temporalio/client';
import { rulesOf, type Rules } from '../core/coordination';
import { launch, type Launch } from '../operations/launch';
import type { Deps } from './deps';
import { brief } from './engine';
import type { Assessor } from './node/assess';

/** What the coordinator needs of Temporal itself. */
export function coordinatorActivities({ client, config }: Deps, assessor: Assessor) {
  return {
    /**
     * Checks what is asked and starts its run under the lock the coordinator took for it; does nothing where it was
     * started before. @throws BAD_INPUT, UNKNOWN_TARGET; nothing was started then.
     * @returns whether the run is at work; a run of this id may be over
     */
    async launchRun(asked: Omit<Launch, 'eager'>): Promise<boolean> {
      const granted = brief(config, asked.runbook, asked.request);
      // A drill breaks its node first: what was seen before that is not what it asks for.
      if (asked.runbook === 'node-failover' && asked.request.mode !== 'drill')
        assessor.begin(asked.request.input['node'] as string);
      const warrant = { ...asked.warrant, granted };
      return (await launch(client, { ...asked, warrant, eager: true })) || isOpen(asked.run);
    },

    /** What the environment file says of coordination. */
    async coordinationRules(): Promise<Rules> {
      return rulesOf(config);
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
