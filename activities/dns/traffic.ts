import {
  inWords,
  weightChanges,
  weightProblems,
  weightsInWords,
  weightsOf,
  withWeights,
  type DnsView,
  type Weights,
} from '../../core/dns';
import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import type { Deed, Intent, Refusal } from '../../core/run';
import { beating } from '../beating';
import { dnsOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import { until } from '../until';
import { servingRegions, type Serving } from './serving';

/** Where clients are led, and who would serve them there. */
export interface Traffic {
  view: DnsView;
  serving: Serving[];
}

/** How long every nameserver may take to have a change, ms: with Route 53 it is usually a minute. */
const INSYNC_MS = 120_000;
/** Route 53 takes five calls a second of a whole account. */
const LOOK_EVERY_MS = 1_000;

/** Changes where clients are led. */
export function dnsTraffic(deps: Deps) {
  return {
    /**
     * Gives regions these weights, in one change, and waits until every nameserver has it; a region that is not named keeps its own. Who
     * has kept an earlier answer goes on using it until the TTL has passed: see `awaitDns`. It may take minutes.
     * @param ask.arriving regions that a plan would have brought into service by then
     * @throws BAD_INPUT for weights that the name cannot have · GUARD_REFUSED where nobody would serve · VERIFY_FAILED, DNS_UNREACHABLE,
     * after which a repeated call finds the change made if it was
     */
    shiftTraffic: beating(
      async (ask: { weights: Weights; arriving?: string[]; how: Intent }): Promise<Deed<Traffic>> => {
        const { weights, how } = ask;
        const arriving = how.mode === 'plan' ? (ask.arriving ?? []) : [];
        const dns = dnsOf(deps);
        return ensure(how, {
          look: async () => {
            const view = await dns.look();
            const wrong = weightProblems(view, weights);
            if (wrong.length > 0) throw new SwitchoverError('BAD_INPUT', wrong.join('; '), wrong);
            return { view, serving: await servingRegions(deps, view) };
          },
          already: ({ view }) =>
            weightChanges(view, weights).length === 0 ? `${view.name} has ${weightsInWords(view)}` : null,
          refuse: ({ view, serving }) => whyNotShift(view, serving, weights, arriving),
          intention: ({ view }) => `shift ${view.name}: ${inWords(weightChanges(view, weights))}`,
          act: async ({ view }) => {
            const change = await dns.shift(weights, how.key);
            await until(
              `not every nameserver of ${view.name} has the change`,
              INSYNC_MS,
              () => dns.insync(change),
              LOOK_EVERY_MS,
            );
          },
          done: ({ view }) =>
            `${view.name} was shifted: ${inWords(weightChanges(view, weights))}; every nameserver has it`,
        });
      },
    ),
  };
}

function whyNotShift(
  view: DnsView,
  serving: readonly Serving[],
  weights: Weights,
  arriving: readonly string[],
): Refusal | null {
  return whyNot('shift traffic', {
    name: view.name,
    weights: weightsOf(withWeights(view, weights)),
    serving: [...serving.filter(({ ok }) => ok).map(({ region }) => region), ...arriving],
  });
}
