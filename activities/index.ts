import { coordinatorActivities } from './coordinator';
import type { Deps } from './deps';
import { engineActivities } from './engine';
import { monitorActivities } from './monitor';
import { nodeActs } from './node/acts';
import { nodeLooks } from './node/looks';

/** All activities, over the given systems: the only place where they are put together. */
export function createActivities(deps: Deps) {
  return {
    ...engineActivities(deps),
    ...coordinatorActivities(deps),
    ...monitorActivities(deps),
    ...nodeLooks(deps),
    ...nodeActs(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
