import { coordinatorActivities } from './coordinator';
import type { Deps } from './deps';
import { engineActivities } from './engine';
import { monitorActivities } from './monitor';
import { nodeActs } from './node/acts';
import { Assessor } from './node/assess';
import { nodeDrill } from './node/drill';
import { nodeLooks } from './node/looks';
import { sessionActs } from './sessions/acts';
import { sessionLooks } from './sessions/looks';
import { weightActs } from './sessions/weights';

/** All activities, over the given systems: the only place where they are put together. */
export function createActivities(deps: Deps) {
  const assessor = new Assessor(deps);
  return {
    ...engineActivities(deps),
    ...coordinatorActivities(deps, assessor),
    ...monitorActivities(deps),
    ...nodeLooks(deps),
    ...nodeActs(deps, assessor),
    ...nodeDrill(deps),
    ...sessionLooks(deps),
    ...sessionActs(deps),
    ...weightActs(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
