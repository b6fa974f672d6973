import { primaryAtWork } from '../../core/database';
import { weightsOf } from '../../core/dns';
import { whyNot } from '../../core/guards';
import type { Deed, Finding, Intent } from '../../core/run';
import { endWatch, isWatched, keepWatch } from '../../operations/watch';
import { liesIn } from '../../core/scope';
import { databaseProgram, nodesOf, regionConfig } from '../../core/topology';
import { balancerActs } from '../balancer/acts';
import { programsOf, type BalancerProgram } from '../balancer/looks';
import { beating } from '../beating';
import { fence } from '../database/fence';
import { databaseOf, dnsOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import { standingOf, type NodeStanding } from '../node/standing';
import { requireAllowed } from '../require-allowed';
import { fewAtOnce } from '../zone/together';

/** An act on a site for disasters. */
interface OnSite {
  site: string;
  how: Intent;
}

/** Who still needs a site. */
interface Need {
  /** Its weight in the name. */
  weight: number;
  /** Buckets of sessions that its nodes own. */
  buckets: number;
  /** A member of the database there that is the primary. */
  leads: string | undefined;
}

/** What is to be put to rest at a site: its nodes, and the members of the database that it has in reserve. */
interface Rest {
  standings: NodeStanding[];
  reserves: string[];
}

/** A region clients came from, and whether its load balancer answers. */
export interface HomeRegion {
  region: string;
  answers: boolean;
  said: string;
}

/** How long a load balancer may take to answer, ms. */
const ANSWER_MS = 1_000;

/** The members of the database that a site has in reserve. */
function reservesOf({ config }: Deps, site: string): string[] {
  return Object.entries(config.database?.members ?? {}).flatMap(([member, { region, reserve }]) =>
    reserve && region === site ? [member] : [],
  );
}

/** Starts a site for disasters, and puts it to rest again. Its nodes are brought in and out as those of any region. */
export function recoverySite(deps: Deps) {
  const { client, config, database, prober, sessions } = deps;
  const { startBalancer } = balancerActs(deps);

  const need = async (site: string): Promise<Need> => {
    const [view, buckets, stored] = await Promise.all([
      dnsOf(deps).look(),
      sessions.buckets(),
      database?.database.look(),
    ]);
    const primary = stored && primaryAtWork(stored)?.member;
    return {
      weight: weightsOf(view)[site] ?? 0,
      buckets: buckets.filter(({ owner }) => liesIn(owner, site)).length,
      leads: reservesOf(deps, site).find((member) => member === primary),
    };
  };
  const runs = ({ process }: BalancerProgram): boolean => process.pid > 0;
  const watch = async (site: string): Promise<{ watched: boolean }> => ({
    watched: await isWatched(client, config.environment, site),
  });

  return {
    /** Starts the load balancer of a site where it does not run; it gives traffic to nobody yet. @throws UNKNOWN_TARGET */
    startSite: beating(async ({ site, how }: OnSite): Promise<Deed<BalancerProgram[]>> => {
      const programs = await programsOf(deps, site);
      const { program } = programs.find(runs) ?? programs[0]!;
      return startBalancer({ region: site, program, how });
    }),

    /** What bringing up the nodes of a site comes to whose load balancer does not run yet: only a plan has to be told before. */
    async predictNodes({ site }: Pick<OnSite, 'site'>): Promise<Deed> {
      const nodes = nodesOf(config, site).filter(({ spare }) => !spare);
      const names = nodes.map(({ id }) => id).join(', ');
      const ramp = config.policies.ramp.join(', ');
      return {
        changed: true,
        sentence: `would start ${nodes.length} nodes (${names}) and give them ${ramp} % of their traffic`,
      };
    },

    /** Stops the load balancer of a site. @throws GUARD_REFUSED where somebody still needs the site */
    stopSite: beating(async ({ site, how }: OnSite): Promise<Deed<BalancerProgram[]>> => {
      requireAllowed(how.mode === 'plan' ? null : whyNot('rest site', { site, ...(await need(site)) }));
      return ensure(how, {
        look: () => programsOf(deps, site),
        already: (programs) => (programs.some(runs) ? null : `the load balancer of ${site} is stopped`),
        intention: () => `stop the load balancer of ${site}`,
        act: async (programs) => {
          const { fleet } = deps.region(site);
          await Promise.all(programs.filter(runs).map(({ program }) => fleet.stop(program)));
        },
        done: () => `the load balancer of ${site} was stopped`,
      });
    }),

    /**
     * Stops the members of the database that a site has, which keep their data until they get another backup's.
     * @throws GUARD_REFUSED where one of them is the primary
     */
    stopReserves: beating(async ({ site, how }: OnSite): Promise<Deed<string[]>> => {
      const { fleet } = databaseOf(deps);
      const running = async (): Promise<string[]> => {
        const members = reservesOf(deps, site);
        const seen = await Promise.all(members.map((member) => fleet.status(databaseProgram(member))));
        return members.filter((_, i) => seen[i]!.pid > 0);
      };
      requireAllowed(how.mode === 'plan' ? null : whyNot('rest site', { site, ...(await need(site)) }));
      return ensure(how, {
        look: running,
        already: (members) => (members.length === 0 ? `no member of the database runs at ${site}` : null),
        intention: (members) => `stop ${members.join(' and ')}`,
        act: async (members) => {
          for (const member of members) {
            await fleet.stop(databaseProgram(member));
            await fence(databaseOf(deps), member);
          }
        },
        done: (members) => `${members.join(' and ')} was stopped`,
      });
    }),

    /** Has the site's nodes and load balancer watched as those of a region that serves. */
    async watchSite({ site, how }: OnSite): Promise<Deed<{ watched: boolean }>> {
      return ensure(how, {
        look: () => watch(site),
        already: ({ watched }) => (watched ? `${site} is watched` : null),
        intention: () => `have ${site} watched`,
        act: () => keepWatch(client, config.environment, [site]),
        done: () => `${site} is watched from now on`,
      });
    },

    /** Ends {@link watchSite}, before what is stopped by plan is taken for a fault. */
    async unwatchSite({ site, how }: OnSite): Promise<Deed<{ watched: boolean }>> {
      return ensure(how, {
        look: () => watch(site),
        already: ({ watched }) => (watched ? null : `${site} is not watched`),
        intention: () => `end the watch over ${site}`,
        act: () => endWatch(client, config.environment, site),
        done: () => `${site} is not watched any more`,
      });
    },

    /**
     * How a site's nodes stand, once nobody needs them.
     * @param planned nobody has been led away yet
     * @throws GUARD_REFUSED where clients are led there, or its nodes own sessions
     */
    lookAtRest: beating(
      async ({ site, planned }: { site: string; planned: boolean }): Promise<Finding<Rest>> => {
        const seen = await need(site);
        requireAllowed(planned ? null : whyNot('rest site', { site, ...seen }));
        const standings = await fewAtOnce(nodesOf(config, site), ({ id }) => standingOf(deps, id));
        const serving = standings.filter(({ serves }) => serves).length;
        return {
          sentence: `${site} has weight ${seen.weight} and ${seen.buckets} buckets of sessions; ${serving} of its ${standings.length} nodes are in the load balancer`,
          value: { standings, reserves: reservesOf(deps, site) },
        };
      },
    ),

    /** Whether the load balancers of these regions answer, so that their nodes can be brought in. */
    lookAtHome: beating(async ({ regions }: { regions: string[] }): Promise<Finding<HomeRegion[]>> => {
      const value = await Promise.all(
        regions.map(async (region) => {
          const { url } = regionConfig(config, region).loadBalancer;
          const { ok, said } = await prober.http(new URL('/health', url).href, ANSWER_MS);
          return { region, answers: ok, said };
        }),
      );
      const told = value.map(({ region, answers, said }) =>
        answers
          ? `the load balancer of ${region} answers`
          : `the load balancer of ${region} does not (${said})`,
      );
      return { sentence: told.join('; '), value };
    }),
  };
}
