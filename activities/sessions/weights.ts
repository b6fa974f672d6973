import type { Deed, Finding, Intent } from '../../core/run';
import type { Deps } from '../deps';
import { ensure } from '../ensure';

/** Weights of servers that take traffic, percent of their full ones, by the load balancer's names. */
export type Weights = Record<string, number>;

/** The weights of a region's pool. */
export function weightActs(deps: Deps) {
  const look = async (region: string): Promise<Weights> => {
    const members = await deps.region(region).loadBalancer.members();
    const ready = members.filter(({ admin }) => admin === 'ready');
    return Object.fromEntries(ready.map(({ server, weight }) => [server, weight]));
  };

  /** Gives servers these weights; one that takes no traffic is left alone. */
  const weigh = (region: string, wanted: (now: Weights) => Weights, how: Intent, said: string) => {
    const different = (now: Weights): [string, number][] =>
      Object.entries(wanted(now)).filter(([server, weight]) => server in now && now[server] !== weight);
    return ensure(how, {
      look: () => look(region),
      already: (now) => (different(now).length === 0 ? `every node of ${region} has ${said}` : null),
      intention: (now) => `give ${different(now).length} nodes of ${region} ${said}`,
      act: async (now) => {
        for (const [server, weight] of different(now))
          await deps.region(region).loadBalancer.admit(server, weight);
      },
      done: (before) => `${different(before).length} nodes of ${region} were given ${said}`,
    });
  };

  return {
    async lookAtWeights({ region }: { region: string }): Promise<Finding<Weights>> {
      const value = await look(region);
      const less = Object.values(value).filter((weight) => weight < 100).length;
      return {
        sentence: `${less} of ${Object.keys(value).length} nodes of ${region} have less than full weight`,
        value,
      };
    },

    /** Full weight for every node of the region that takes traffic. */
    async giveFullWeights({ region, how }: { region: string; how: Intent }): Promise<Deed<Weights>> {
      const full = (now: Weights): Weights =>
        Object.fromEntries(Object.keys(now).map((server) => [server, 100]));
      return weigh(region, full, how, 'full weight');
    },

    /** Undo of {@link giveFullWeights}: the weights as they were looked at. */
    async giveWeights(asked: { region: string; weights: Weights; how: Intent }): Promise<Deed<Weights>> {
      return weigh(asked.region, () => asked.weights, asked.how, 'the weight it had');
    },
  };
}
