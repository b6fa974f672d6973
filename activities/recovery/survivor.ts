import type { CacheView, ClientsView } from '../../core/cache';
import { whyNot } from '../../core/guards';
import type { Deed, Intent } from '../../core/run';
import { sessionsProgram } from '../../core/topology';
import { beating } from '../beating';
import { clientsOf } from '../cache/assess';
import * as cacheFence from '../cache/fence';
import { primarySeen, type PrimarySeen } from '../database/acts';
import * as databaseFence from '../database/fence';
import { cacheOf, databaseOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import { requireFenced, type Evidence } from '../fenced';
import { until } from '../until';
import { cachePlaces, databasePlaces } from './stores';

/** A member of a store that is given up with its region. */
interface GiveUp {
  member: string;
  /** The regions that are lost. */
  lost: string[];
  how: Intent;
}

/** The member that is to lead, and the evidence that the others are fenced; a plan has none. */
interface Lead {
  member: string;
  others: string[];
  fenced: (Evidence | undefined)[];
  how: Intent;
}

/** The session store from both sides. */
interface StoreLook {
  view: CacheView;
  clients: ClientsView;
}

/** How long the agent of the survivor may take to make its member the primary, ms. */
const LEAD_MS = 30_000;
/** How long the clients' address may take to turn to the survivor, ms. */
const TURNS_MS = 15_000;

/**
 * Makes that member lead which is left of a store after regions were lost, although it may lack acknowledged writes. What the stores' own
 * failovers refuse is done here because people have agreed to it; the evidence they ask for is asked for here too.
 */
export function recoverySurvivors(deps: Deps) {
  return {
    /**
     * Fences a member of the database that was lost with its region, so that nobody writes to it should it be found again.
     * @throws GUARD_REFUSED where its region is not lost and it answers
     */
    giveUpDatabase: beating(async ({ member, lost, how }: GiveUp): Promise<Deed<databaseFence.FenceLook>> => {
      const systems = databaseOf(deps);
      const region = databasePlaces(deps)[member] ?? '';
      return ensure(how, {
        look: () => databaseFence.lookAtFence(systems, member),
        already: ({ fenced }) => fenced && `${member} is fenced (${fenced.said})`,
        refuse: ({ view }) => {
          const { agent, postgres } = databaseFence.memberOf(view, member);
          const answers = agent !== undefined || postgres !== undefined;
          return whyNot('give up member', { member, region, lost, answers });
        },
        intention: () => `kill every process of ${member}`,
        act: () => databaseFence.fence(systems, member),
        done: (_, { fenced }) => `${member} is fenced: every process of it was killed (${fenced?.said})`,
      });
    }),

    /**
     * Has the control plane forget who had to have every acknowledged write, and waits until this member is the primary.
     * @throws NOT_FENCED without evidence of every other member that still holds · GUARD_REFUSED · VERIFY_FAILED
     */
    leadDatabase: beating(async ({ member, others, fenced, how }: Lead): Promise<Deed<PrimarySeen>> => {
      const systems = databaseOf(deps);
      const { database } = systems;
      return ensure(how, {
        look: async () => primarySeen(await database.look()),
        already: ({ primary, timeline }) =>
          primary === member ? `${member} is the primary, on timeline ${timeline}` : null,
        refuse: ({ view }) => {
          const writable = view.members
            .filter((one) => one.member !== member && one.postgres?.writable)
            .map((one) => one.member);
          return whyNot('lead with survivor', { member, writable, control: view.leader !== undefined });
        },
        intention: () => `have the control plane forget its roles, for ${member} to become the primary`,
        act: async () => {
          for (const [i, other] of others.entries())
            await requireFenced(other, fenced[i], () => databaseFence.lookAgain(systems, other));
          await database.forgetRoles();
          await until(
            `${member} is not the primary`,
            LEAD_MS,
            async () => primarySeen(await database.look()).primary === member,
          );
        },
        done: (_, { timeline }) => `${member} is the primary, on timeline ${timeline}`,
      });
    }),

    /** The same as {@link giveUpDatabase} for a member of the session store. */
    giveUpCache: beating(async ({ member, lost, how }: GiveUp): Promise<Deed<cacheFence.FenceLook>> => {
      const systems = cacheOf(deps);
      const region = cachePlaces(deps)[member] ?? '';
      return ensure(how, {
        look: () => cacheFence.lookAtFence(systems, member),
        already: ({ fenced }) => fenced && `${member} is fenced: ${fenced.proof} (${fenced.said})`,
        refuse: ({ view }) => {
          const { reachable } = cacheFence.memberOf(view, member);
          return whyNot('give up member', { member, region, lost, answers: reachable });
        },
        intention: ({ process }) => `kill the process of ${member} (pid ${process.pid})`,
        act: ({ process }) => systems.fleet.kill(sessionsProgram(member), process.pid),
        done: ({ process }, { fenced }) =>
          `${member} is fenced: its pid ${process.pid} was killed (${fenced?.said})`,
      });
    }),

    /**
     * Makes this member the primary of the session store, without a standby for as long as none is there: it is told to take writes
     * all the same, which `redis-failover` takes back once a standby follows it.
     * @throws NOT_FENCED without evidence of every other member that still holds · GUARD_REFUSED · VERIFY_FAILED
     */
    leadCache: beating(async ({ member, others, fenced, how }: Lead): Promise<Deed<StoreLook>> => {
      const systems = cacheOf(deps);
      const { cache } = systems;
      const look = async (): Promise<StoreLook> => {
        const [view, clients] = await Promise.all([cache.look(), clientsOf(cache)]);
        return { view, clients };
      };
      const leads = ({ view, clients }: StoreLook): boolean =>
        clients.ok && cacheFence.memberOf(view, member).role === 'primary';
      return ensure(how, {
        look,
        already: (seen) => (leads(seen) ? `${member} is the primary, alone (${seen.clients.said})` : null),
        refuse: ({ view }) => {
          const writable = view.members
            .filter((one) => one.member !== member && one.role === 'primary')
            .map((one) => one.member);
          return whyNot('lead with survivor', { member, writable, control: true });
        },
        intention: () => `make ${member} the primary, which takes writes without a standby`,
        act: async ({ view }) => {
          // One that is the primary already goes on; it has only lost its standbys.
          if (cacheFence.memberOf(view, member).role !== 'primary')
            for (const [i, other] of others.entries())
              await requireFenced(other, fenced[i], () => cacheFence.lookAgain(systems, other));
          await cache.leadAlone(member);
          const standbys = view.members.filter((one) => one.reachable && !others.includes(one.member));
          await Promise.all(
            standbys.flatMap((one) => (one.member === member ? [] : [cache.follow(one.member, member)])),
          );
          await cache.watch(member);
          await until(`clients cannot write to ${member}`, TURNS_MS, async () => leads(await look()));
        },
        done: (_, { clients }) => `${member} is the primary, alone (${clients.said})`,
      });
    }),
  };
}
