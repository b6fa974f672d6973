import { Context } from '@temporalio/activity';
import type { NodeHealth } from '../../core/health';
import type { WindowHealth } from '../../core/window';
import type { Deps } from '../deps';
import { ComponentWatch, componentsOf } from './components';
import { Loop, type Clock } from './loop';
import { NodesWatch } from './nodes';
import { Reporter } from './reporter';

/** What is known of a region; travels in the heartbeat, so that the next attempt goes on where a dead worker left off. */
interface Known {
  nodes?: Record<string, NodeHealth>;
  components?: Record<string, WindowHealth>;
}

/** The monitor's eyes (DESIGN section 5): probes a region on the health matrix and opens incidents for what has failed. */
export function monitorActivities(deps: Deps) {
  return {
    /** Watches until it is cancelled or `forMs` have passed. */
    async watchRegion({ region, forMs }: { region: string; forMs: number }): Promise<void> {
      const context = Context.current();
      const known = (context.info.heartbeatDetails ?? {}) as Known;
      const clock: Clock = { lateAt: 0 };
      const reporter = new Reporter(deps, context.log);
      const nodes = new NodesWatch(deps, region, clock, reporter, known.nodes ?? {});
      const components = componentsOf(deps, region).map(
        (component) => new ComponentWatch(component, clock, reporter, known.components?.[component.scope]),
      );
      await new Loop(context, clock).run({
        forMs,
        tick: (now) => [nodes, ...components].forEach((watch) => watch.tick(now)),
        known: (): Known => ({
          nodes: nodes.known(),
          components: Object.fromEntries(components.map(({ scope, health }) => [scope, health])),
        }),
      });
    },
  };
}
