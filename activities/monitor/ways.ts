import { Context } from '@temporalio/activity';
import { SwitchoverError } from '../../core/errors';
import { millis } from '../../core/time';
import { regionConfig } from '../../core/topology';
import { UNPROBED, afterProbe, figuresOf, wayInWords, type Way, type WayHealth } from '../../core/ways';
import type { Deps } from '../deps';
import { Loop, type Clock } from './loop';
import { Reporter } from './reporter';

/** What is known of the ways out of a region, by where they lead; travels in the heartbeat, where the doors read it too. */
export interface WaysKnown {
  health: Record<string, WayHealth>;
  ways: Way[];
}

/** Probes the ways from the region of this worker to all others (REQUIREMENTS H5): it goes to the queue of that region. */
export function wayWatching(deps: Deps) {
  const { config, prober, here } = deps;
  const { network } = config.health;
  let health: Record<string, WayHealth> = {};

  const wayTo = (to: string): Way => {
    const { state, recent } = health[to] ?? UNPROBED;
    return { from: here!, to, state, ...figuresOf(recent) };
  };

  return {
    /** How the way from here to a region was lately, in words; undefined where nobody here has probed it. */
    seen: (to: string): string | undefined =>
      health[to] && health[to].recent.length > 0 ? wayInWords(figuresOf(health[to].recent)) : undefined,

    activities: {
      /**
       * Probes until it is cancelled or `forMs` have passed, each load balancer over HTTP: whoever answers is reached.
       * @throws UNKNOWN_TARGET of a worker in no region, or in an environment that probes no ways
       */
      async watchWays({ forMs }: { forMs: number }): Promise<void> {
        if (here === undefined || !network)
          throw new SwitchoverError('UNKNOWN_TARGET', 'this worker is in no region that probes its ways');
        const rule = { of: network.of, loss: network.loss, slowMs: millis(network.slow) };
        const [interval, timeout] = [millis(network.interval), millis(network.timeout)];
        const context = Context.current();
        const clock: Clock = { lateAt: 0 };
        const reporter = new Reporter(deps, context.log);
        const others = Object.keys(config.regions).filter((name) => name !== here);
        health = (context.info.heartbeatDetails as WaysKnown | undefined)?.health ?? {};
        const dueAt = new Map(others.map((name) => [name, 0]));

        const probe = async (to: string, began: number): Promise<void> => {
          dueAt.set(to, began + interval);
          const { url } = regionConfig(config, to).loadBalancer;
          const { ok, ms } = await prober.http(new URL('/health', url).href, timeout);
          // A time-out says nothing about the way when this process could not have heard the answer.
          if (!ok && clock.lateAt >= began) return;
          const was = health[to] ?? UNPROBED;
          const now = afterProbe(was, ok ? ms : null, rule);
          health = { ...health, [to]: now };
          if (now.state === was.state) return;
          const change = { scope: `way/${here}/${to}`, from: was.state, to: now.state };
          const cause = wayInWords(figuresOf(now.recent));
          reporter.changed({ ...change, at: new Date(began).toISOString(), cause });
        };

        await new Loop(context, clock).run({
          forMs,
          tick: (now) => others.forEach((to) => now >= dueAt.get(to)! && void probe(to, now)),
          known: (): WaysKnown => ({ health, ways: others.filter((to) => health[to]).map(wayTo) }),
        });
      },
    },
  };
}
