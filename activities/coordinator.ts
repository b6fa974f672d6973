import { WorkflowNotFoundError } from '@temporalio/client';
import { rulesOf, type Rules } from '../core/coordination';
import { findRunbook } from '../core/runbook';
import { catalogue } from '../operations';
import { launch, type Launch } from '../operations/launch';
import type { Deps } from './deps';
import { brief } from './engine';
import type { IsolateNode } from './node/acts';

/**
 * What the coordinator needs of Temporal itself.
 * @param isolate takes a failed node out for the run of this key, once that exists
 */
export function coordinatorActivities(
  deps: Deps,
  isolate: (ask: IsolateNode, exists: Promise<unknown>) => void,
) {
  const { client, config } = deps;
  return {
    /**
     * Checks what is asked and starts its run under the lock the coordinator took for it; does nothing where it was
     * started before. @throws BAD_INPUT, UNKNOWN_TARGET; nothing was started then.
     * @returns whether the run is at work; a run of this id may be over
     */
    async launchRun(asked: Omit<Launch, 'eager'>): Promise<boolean> {
      const granted = brief(deps, asked.runbook, asked.request);
      const first = firstOf(asked);
      const warrant = { ...asked.warrant, granted, ...(first ? { begun: true } : {}) };
      const launched = launch(client, { ...asked, warrant, eager: true });
      if (first) {
        const exists = launched.then(requireNew);
        exists.catch(() => undefined); // whoever waits for it is told
        // The start goes out first: it takes longer than what is looked at meanwhile.
        setImmediate(() => isolate(first, exists));
      }
      return (await launched) || isOpen(asked.run);
    },

    /** What the environment file says of coordination. */
    async coordinationRules(): Promise<Rules> {
      return rulesOf(config, catalogue);
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

/** What a run for a failed node does first; undefined where something has to come before it. */
function firstOf({ run, runbook, request, warrant }: Omit<Launch, 'eager'>): IsolateNode | undefined {
  const { incident, trigger, doubt, waitsFor } = warrant;
  const asks = findRunbook(catalogue, runbook).approvals[trigger] ?? doubt ?? waitsFor;
  const { mode = 'execute', input } = request;
  if (runbook !== 'node-failover' || mode !== 'execute' || !incident || asks) return undefined;
  return { node: input['node'] as string, since: incident.faultAt, how: { mode, key: `${run}/1` } };
}

/** A run that existed before does its first act itself. */
function requireNew(launched: boolean): void {
  if (!launched) throw new Error('the run exists already');
}
