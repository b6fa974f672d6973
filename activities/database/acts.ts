import {
  follows,
  isJoining,
  judgeDatabase,
  primaryAtWork,
  type DatabaseMember,
  type DatabaseView,
} from '../../core/database';
import { whyNot } from '../../core/guards';
import { SwitchoverError } from '../../core/errors';
import type { Deed, Intent, Refusal } from '../../core/run';
import { databaseProgram } from '../../core/topology';
import { beating } from '../beating';
import { databaseOf, type Deps } from '../deps';
import { ensure } from '../ensure';
import { requireFenced } from '../fenced';
import { until, whileWanted } from '../until';
import { assessDatabase, whyNotTakeOver, type DatabaseAssessment } from './assess';
import { fence, lookAtFence, memberOf, lookAgain, type Fenced, type FenceLook } from './fence';

/** A failed primary as it is fenced: what was seen of the database, of its process, and the evidence once there is any. */
export interface DatabaseFencing extends FenceLook {
  assessment: DatabaseAssessment;
}

/** Whom to fence. */
interface Fencing {
  primary: string;
  forced?: boolean;
  how: Intent;
}

/** Who is the primary, on which timeline, and all that was seen. */
export interface PrimarySeen {
  primary: string | undefined;
  timeline: number | undefined;
  view: DatabaseView;
}

/** A member, and whether it follows the primary. */
export interface Following extends DatabaseMember {
  leader: string | null | undefined;
  /** Whether the leader is the primary at work. */
  led: boolean;
  follows: boolean;
}

/** How long a standby may take to become the primary once the lease is free, ms; by hand it was 0.7 s. */
const TAKE_OVER_MS = 15_000;
/** How long a member may do nothing to follow again, ms. One that is made anew from the primary takes what it takes. */
const FOLLOW_MS = 120_000;
/** After so long without a primary, ms, nobody can follow: that goes first. */
const LEADERLESS_MS = 5_000;
/** After so long an agent has tried what it does by itself; then the member is made anew, ms. */
const REWIND_MS = 20_000;
const LOOK_EVERY_MS = 50;

/** Changes to the database. Each looks first and does nothing where the world is as wanted. */
export function databaseActs(deps: Deps) {
  return {
    /**
     * Fences a failed primary, see {@link fence}. The failure is confirmed again in the same activity, so that nothing comes
     * between what was seen and what is done.
     * @param ask.forced a person has said that it has to give way although it may be well
     * @throws GUARD_REFUSED where it is well for anybody and nobody forces it, or nobody can take over: a sick primary is better than
     * none
     */
    fenceDatabase: beating(async (ask: Fencing): Promise<Deed<DatabaseFencing>> => {
      const { primary, forced = false, how } = ask;
      const systems = databaseOf(deps);
      return ensure(how, {
        look: async () => {
          const [{ value: assessment }, seen] = await Promise.all([
            assessDatabase(systems),
            lookAtFence(systems, primary),
          ]);
          return { ...seen, assessment };
        },
        already: ({ fenced }) => fenced && `${primary} is fenced (${fenced.said})`,
        refuse: ({ assessment }) =>
          assessment.failed || forced
            ? whyNotTakeOver(assessment, assessment.view)
            : isWell(primary, assessment),
        intention: () => `kill every process of ${primary}`,
        act: () => fence(systems, primary),
        done: (_, { fenced }) => `${primary} is fenced: every process of it was killed (${fenced?.said})`,
      });
    }),

    /**
     * Fences a member that is not with the primary, so that nobody writes to it: see {@link fence}.
     * @throws GUARD_REFUSED where it is the primary, or nobody else is
     */
    fenceApart: beating(
      async ({ member, how }: { member: string; how: Intent }): Promise<Deed<FenceLook>> => {
        const systems = databaseOf(deps);
        return ensure(how, {
          look: () => lookAtFence(systems, member),
          already: ({ fenced }) => fenced && `${member} is fenced (${fenced.said})`,
          refuse: ({ view }) => {
            const { primary } = judgeDatabase(view);
            const atWork = primaryAtWork(view)?.member;
            return whyNot('pause member', {
              member,
              primary: atWork ?? primary,
              atWork: atWork !== undefined,
            });
          },
          intention: () => `kill every process of ${member}`,
          act: () => fence(systems, member),
          done: (_, { fenced }) => `${member} is fenced: every process of it was killed (${fenced?.said})`,
        });
      },
    ),

    /**
     * Frees the lease that the fenced primary left behind and waits until another member has become the primary. Which one is for
     * their agents to say: they know who has every acknowledged write.
     * @param fenced the evidence that {@link fenceDatabase} brought; a plan has none
     * @throws NOT_FENCED without evidence that still holds
     */
    letTakeOver: beating(
      async (ask: {
        primary: string;
        candidate: string;
        fenced: Fenced | undefined;
        how: Intent;
      }): Promise<Deed<PrimarySeen>> => {
        const { primary, candidate, fenced, how } = ask;
        const systems = databaseOf(deps);
        const { database } = systems;
        return ensure(how, {
          look: async () => primarySeen(await database.look(), primary),
          already: ({ primary: now, timeline }) =>
            now === undefined ? null : `${now} is the primary, on timeline ${timeline}`,
          intention: () => `free the lease of ${primary}, for ${candidate} to take it`,
          act: async () => {
            await requireFenced(primary, fenced, () => lookAgain(systems, primary));
            await database.releaseLease(primary);
            await until(
              `nobody has taken over from ${primary}`,
              TAKE_OVER_MS,
              async () => primarySeen(await database.look(), primary).primary !== undefined,
            );
          },
          done: (_, { primary: now, timeline }) =>
            `${now} took the lease and is the primary, on timeline ${timeline}`,
        });
      },
    ),

    /**
     * Brings a member back as a standby: its agent is started, which rewinds it to the primary's history; where that does not get it
     * there, it is made anew. Returns once it streams from the primary.
     * @throws NOT_IN_TIME where it does not get there · PRIMARY_UNKNOWN where meanwhile nobody is the primary
     */
    bringToFollow: beating(
      async ({ member, how }: { member: string; how: Intent }): Promise<Deed<Following>> => {
        const { database, fleet } = databaseOf(deps);
        const program = databaseProgram(member);
        const look = async () => followingOf(await database.look(), member);
        return ensure(how, {
          look,
          already: ({ follows: does, leader }) => (does ? `${member} follows ${leader}` : null),
          intention: () => `start ${member} as a standby of the primary`,
          act: async () => {
            if ((await fleet.status(program)).pid === 0) await fleet.start(program);
            let [ledAt, idleSince, anew] = [Date.now(), Date.now(), false];
            for (; ; await whileWanted(LOOK_EVERY_MS)) {
              const { follows: does, agent, led } = await look();
              if (does) return;
              const now = Date.now();
              if (led) ledAt = now;
              if (now - ledAt > LEADERLESS_MS)
                throw new SwitchoverError(
                  'PRIMARY_UNKNOWN',
                  `${member} has nobody to follow: no member is the primary`,
                );
              if (agent && isJoining(agent.state)) idleSince = now;
              if (now - idleSince > FOLLOW_MS)
                throw new SwitchoverError('NOT_IN_TIME', `${member} does not follow the primary`);
              if (agent && !anew && now - idleSince > REWIND_MS) {
                await database.reinitialise(member);
                anew = true;
              }
            }
          },
          done: (before, after) => `${member}: ${before.said} → ${after.said}`,
        });
      },
    ),
  };
}

function isWell(primary: string, { said }: DatabaseAssessment): Refusal {
  return { guard: 'primary is well', sentence: `${primary} must stay the primary: ${said}` };
}

/** Who is the primary; none while it is still `old`. */
export function primarySeen(view: DatabaseView, old?: string): PrimarySeen {
  const now = primaryAtWork(view);
  const other = now?.member === old ? undefined : now;
  return { primary: other?.member, timeline: other?.postgres?.timeline, view };
}

function followingOf(view: DatabaseView, member: string): Following {
  const led = primaryAtWork(view) !== undefined;
  return { ...memberOf(view, member), leader: view.leader, led, follows: follows(view, member) };
}
