import { asksInPlaceOf, follows, mostAhead, type CacheMember, type CacheView } from '../../core/cache';
import type { Deed, Intent, Refusal } from '../../core/run';
import { sessionsProgram } from '../../core/topology';
import { beating } from '../beating';
import { cacheOf, type CacheSystems, type Deps } from '../deps';
import { ensure } from '../ensure';
import { assessCache, whyNotTakeOver, type CacheAssessment } from './assess';
import { lookAtFence, memberOf, lookAgain, type Fenced, type FenceLook } from './fence';
import { successorOf, whyNotPast } from './sentinels';
import { requireFenced } from '../fenced';
import { until } from '../until';
import { requireAllowed } from '../require-allowed';

/** A failed primary as it is fenced: what was seen of everybody, of its process, and the evidence once there is any. */
export interface CacheFencing extends FenceLook {
  assessment: CacheAssessment;
}

/** Whom to fence. */
interface Fencing {
  primary: string;
  forced?: boolean;
  how: Intent;
}

/** Who is the primary in place of the failed one, if anybody is yet. */
export interface Succession {
  primary: string | undefined;
  view: CacheView;
}

/** How long a member may take until it has everything that its primary has, ms. */
const COPY_MS = 30_000;

/** Changes to the session store. Each looks first and does nothing where the world is as wanted. */
export function cacheActs(deps: Deps) {
  return {
    /**
     * Fences a failed primary: its process is killed. To ask it to end would mean waiting for one that hangs. The failure is confirmed
     * again in the same activity, so that nothing comes between what was seen and what is done.
     * @param ask.forced a person has said that it has to give way although it may be well
     * @throws GUARD_REFUSED where it is well for anybody and nobody forces it, or nobody may take over: a sick primary is better than
     * none
     */
    fenceCache: beating(async (ask: Fencing): Promise<Deed<CacheFencing>> => {
      const { primary, forced = false, how } = ask;
      const systems = cacheOf(deps);
      return ensure(how, {
        look: async () => {
          const [{ value: assessment }, fence] = await Promise.all([
            assessCache(systems),
            lookAtFence(systems, primary),
          ]);
          return { ...fence, assessment };
        },
        already: ({ fenced }) => fenced && `${primary} is fenced: ${fenced.proof} (${fenced.said})`,
        refuse: ({ assessment }) =>
          assessment.failed || forced ? whyNotTakeOver(assessment) : isWell(primary, assessment),
        intention: ({ process }) => `kill the process of ${primary} (pid ${process.pid})`,
        act: ({ process }) => systems.fleet.kill(sessionsProgram(primary), process.pid),
        done: ({ process }, { fenced }) =>
          `${primary} is fenced: its pid ${process.pid} was killed (${fenced?.said})`,
      });
    }),

    /**
     * Makes that standby the primary which has most at this moment, and the others follow it.
     * @param fenced the evidence that {@link fenceCache} brought; a plan has none
     * @throws NOT_FENCED without evidence that still holds · GUARD_REFUSED where the one that has most may lack a write, or a
     *   Sentinel is free to promote another one
     */
    promoteMostAhead: beating(
      async (ask: {
        primary: string;
        fenced: Fenced | undefined;
        how: Intent;
      }): Promise<Deed<Succession>> => {
        const { primary, fenced, how } = ask;
        const systems = cacheOf(deps);
        const { cache } = systems;
        return ensure(how, {
          look: async () => succession(await cache.look(), primary),
          already: ({ primary: now, view }) =>
            now && strays(view, primary, now).length === 0 ? `${now} is the primary` : null,
          intention: ({ view }) =>
            `make ${mostAhead(view.members, primary)?.member} the primary, and the others follow it`,
          act: async (seen) => {
            const now = seen.primary ?? (await promote(systems, primary, fenced));
            const rest = strays(await cache.look(), primary, now);
            await Promise.all(rest.map(({ member }) => cache.follow(member, now)));
          },
          done: ({ view }, { primary: now }) =>
            `${now} was made the primary: of ${offsets(view, primary)} it had most`,
        });
      },
    ),

    /**
     * Makes every other member a standby of the primary, started where it does not run and killed before where it hangs, and waits
     * until each has everything. One whose machine does not answer is left as it is. A primary that had to lead alone asks for a
     * standby again.
     * @throws VERIFY_FAILED, SESSIONS_UNREACHABLE where one does not get there
     */
    followCachePrimary: beating(
      async ({ primary, how }: { primary: string; how: Intent }): Promise<Deed<CacheMember[]>> => {
        const systems = cacheOf(deps);
        const look = async (): Promise<CacheMember[]> => [...(await systems.cache.look()).members];
        const strayed = (members: readonly CacheMember[]) =>
          members.filter((one) => one.member !== primary && !one.dark && !follows(one, primary));
        const names = (others: readonly CacheMember[]): string =>
          others.map(({ member }) => member).join(' and ');
        return ensure(how, {
          look,
          already: (members) =>
            strayed(members).length === 0 && asksInPlaceOf(members, primary) === undefined
              ? `${names(members.filter(({ member, dark }) => member !== primary && !dark))} follow ${primary}`
              : null,
          intention: (members) =>
            strayed(members).length > 0
              ? `make ${names(strayed(members))} follow ${primary}`
              : `have ${primary} ask for a standby again`,
          act: async (members) => {
            await Promise.all(strayed(members).map((one) => bringToFollow(systems, one, primary)));
            const standby = asksInPlaceOf(await look(), primary);
            if (standby !== undefined) await systems.cache.askForStandby(primary, standby);
          },
          done: (before, after) =>
            strayed(before)
              .map(
                ({ member, said }) =>
                  `${member}: ${said} → ${after.find((one) => one.member === member)!.said}`,
              )
              .join('; '),
        });
      },
    ),
  };
}

/** Promotes who has most, by what everybody says at this very moment. @returns who that is */
async function promote(systems: CacheSystems, primary: string, fenced: Fenced | undefined): Promise<string> {
  await requireFenced(primary, fenced, () => lookAgain(systems, primary));
  const view = await systems.cache.look();
  const candidate = mostAhead(view.members, primary)?.member;
  const refusal = whyNotTakeOver({ primary, candidate, view }) ?? whyNotPast(view, candidate!);
  requireAllowed(refusal);
  await systems.cache.promote(candidate!);
  return candidate!;
}

function isWell(primary: string, { said }: CacheAssessment): Refusal {
  return { guard: 'primary is well', sentence: `${primary} must stay the primary: ${said}` };
}

function succession(view: CacheView, old: string): Succession {
  return { primary: successorOf(view, old), view };
}

/** Standbys that answer and are told to follow somebody else; the old primary is not among them, for it comes back last. */
function strays({ members }: CacheView, old: string, now: string): CacheMember[] {
  return members.filter(
    ({ member, role, link }) => member !== old && member !== now && role === 'standby' && link?.to !== now,
  );
}

function offsets({ members }: CacheView, old: string): string {
  return members
    .filter(({ member, role }) => member !== old && role === 'standby')
    .map(({ member, offset }) => `${member} at ${offset}`)
    .join(' and ');
}

/** A member that is started is a standby of somebody from its first moment, so it can be told whom to follow in peace. */
async function bringToFollow(systems: CacheSystems, strayed: CacheMember, primary: string): Promise<void> {
  const { cache, fleet } = systems;
  const { member: name, reachable } = strayed;
  const program = sessionsProgram(name);
  const { pid } = await fleet.status(program);
  if (pid > 0 && !reachable) await fleet.kill(program, pid);
  if (pid === 0 || !reachable) await fleet.start(program);
  let told = false;
  await until(`${name} does not follow ${primary}`, COPY_MS, async () => {
    const member = memberOf(await cache.look(), name);
    if (member.reachable && !told) {
      await cache.follow(name, primary);
      told = true;
    }
    return follows(member, primary);
  });
}
