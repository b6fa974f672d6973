import { sleep } from '@temporalio/activity';
import { SwitchoverError } from '../../core/errors';
import type { Deed } from '../../core/run';
import { millis } from '../../core/time';
import { beating } from '../beating';
import { memberOf, place, type Deps } from '../deps';
import { ensure } from '../ensure';
import type { Member, ProcessStatus } from '../ports';
import type { ActOnNode } from './acts';

/** What a drill does to a node, and how that is made good again. */
export function nodeDrill(deps: Deps) {
  const { config, prober } = deps;
  return {
    /** Kills the node's process, as a crash would. */
    async killNode({ node: id, how }: ActOnNode): Promise<Deed<ProcessStatus>> {
      const { node, fleet } = place(deps, id);
      return ensure(how, {
        look: () => fleet.status(node.program),
        already: ({ pid, state }) => (pid === 0 ? `${id} does not run (${state})` : null),
        intention: ({ pid }) => `kill ${id} (pid ${pid})`,
        act: ({ pid }) => fleet.kill(node.program, pid),
        done: ({ pid }) => `${id} (pid ${pid}) was killed for the drill`,
      });
    },

    /**
     * Makes a drill's fault good: the node runs, is healthy, and only then gets its traffic back.
     * @throws NODE_UNHEALTHY where it is not healthy within the start time-out of the policies
     */
    restoreNode: beating(async ({ node: id, how }: ActOnNode): Promise<Deed<Member | null>> => {
      const { node, fleet, loadBalancer } = place(deps, id);
      return ensure(how, {
        look: () => memberOf(loadBalancer, node),
        already: (member) =>
          member?.admin === 'ready' && member.up && member.weight === 100 ? `${id} serves` : null,
        intention: () => `start ${id} and put it back into the load balancer`,
        act: async () => {
          await fleet.start(node.program);
          for (const end = Date.now() + millis(config.policies.startTimeout); ;) {
            const { ok, said } = await prober.health(node.address);
            if (ok) break;
            if (Date.now() > end)
              throw new SwitchoverError(
                'NODE_UNHEALTHY',
                `${id} does not come back after the drill: ${said}`,
              );
            await sleep(millis(config.health.node.suspiciousInterval));
          }
          await loadBalancer.admit(node.server, 100);
        },
        done: () => `${id} runs, is healthy and is back in the load balancer`,
      });
    }),
  };
}
