import { sleep } from '@temporalio/activity';
import type { Weights } from '../../core/dns';
import { SwitchoverError } from '../../core/errors';
import { Placement, candidatesOf } from '../../core/placement';
import type { Finding } from '../../core/run';
import { liesIn } from '../../core/scope';
import { millis } from '../../core/time';
import { regionConfig } from '../../core/topology';
import { bucketsOf } from '../../core/transfers';
import { beating } from '../beating';
import { dnsOf, type Deps } from '../deps';
import type { Proof } from '../node/prove';
import { intended, type Intended } from '../sessions/looks';
import { servingIn } from '../sessions/serving';

/** What clients get who find the fleet by its name. */
export interface WorldProof extends Proof {
  /** How often each address was called. */
  addresses: Record<string, number>;
}

/** Leaves a region. What changes the world is in activities/sessions and activities/dns. */
export function regionLeaving(deps: Deps) {
  const { config, prober, sessions, database, cache } = deps;

  /** A write to each store, through the addresses of its clients. @returns what was written, in words */
  const writes = async (): Promise<string[]> => {
    const [row, key] = await Promise.all([
      database?.database.write(),
      cache?.cache.write() ?? sessions.ping(),
    ]);
    return [
      ...(row === undefined ? [] : [`a row in ${row} ms`]),
      ...(key === undefined ? [] : [`a session's key in ${key} ms`]),
    ];
  };

  return {
    /**
     * Which node takes each bucket of a region that is left: the first in its ranking that serves, regions by these weights.
     * @param ask.arriving nodes that a plan would have brought into service by then; their regions are not asked
     */
    lookAtRegionSessions: beating(
      async (ask: { region: string; weights: Weights; arriving?: string[] }): Promise<Finding<Intended>> => {
        const { region, weights, arriving = [] } = ask;
        const receivers = Object.keys(weights).filter((name) => name !== region && weights[name]! > 0);
        const asked = receivers.filter((name) => !arriving.some((node) => liesIn(node, name)));
        const serve = (await Promise.all(asked.map((name) => servingIn(deps, name)))).flat();
        const ids = [...serve.map(({ id }) => id), ...arriving];
        const candidates = candidatesOf(config, ids).map((one) => ({
          ...one,
          weight: weights[one.region] ?? 0,
        }));
        const theirs = (await sessions.buckets()).filter(({ owner }) => liesIn(owner, region));
        const value = intended(theirs, new Placement(candidates).moves(theirs, new Set(ids)));
        return {
          sentence: `${region} owns ${value.sessions} sessions in ${theirs.length} buckets; ${ids.length} nodes of ${receivers.join(' and ')} take ${bucketsOf(value.transfers)} of these`,
          value,
        };
      },
    ),

    /**
     * Proves the service from outside: real MCP calls where the name leads clients, without a failure for as long as the policies
     * ask, and a write to each store.
     * @throws NODE_UNHEALTHY where there still are failures when nine times that time have passed
     */
    watchWorld: beating<void, Finding<WorldProof>>(async () => {
      const { port } = new URL(regionConfig(config, Object.keys(config.regions)[0]!).loadBalancer.url);
      const wanted = millis(config.policies.watch);
      const deadline = Date.now() + 10 * wanted;
      const addresses: Record<string, number> = {};
      let [since, calls, failed] = [Date.now(), 0, 0];
      while (Date.now() - since < wanted) {
        const answers = await dnsOf(deps).answers();
        const led = [...new Set(answers.flatMap((one) => Object.keys(one.addresses)))];
        const probes = await Promise.all(led.map((address) => prober.mcp(`http://${address}:${port}/mcp`)));
        led.forEach((address) => (addresses[address] = (addresses[address] ?? 0) + 1));
        calls += probes.length;
        const wrong = probes.filter(({ ok }) => !ok);
        failed += wrong.length;
        if (led.length === 0 || wrong.length > 0) {
          since = Date.now();
          const why = wrong[0]?.said ?? 'no nameserver answers';
          if (since > deadline)
            throw new SwitchoverError('NODE_UNHEALTHY', `the service is not steady from outside: ${why}`);
        }
        await sleep(millis(config.health.node.suspiciousInterval));
      }
      const written = await writes();
      const led = Object.keys(addresses).join(' and ');
      return {
        sentence: [
          `${calls - failed} of ${calls} MCP calls answered where clients are led (${led}), the last ${config.policies.watch} without a failure`,
          ...written.map((one) => `${one} was written`),
        ].join('; '),
        value: { calls, failed, provenAt: new Date().toISOString(), addresses },
      };
    }),
  };
}
