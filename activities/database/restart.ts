import { setTimeout as delay } from 'node:timers/promises';
import { judgeDatabase, primaryAtWork, type ControlServer, type DatabaseView } from '../../core/database';
import { SwitchoverError } from '../../core/errors';
import { lastPrimary, type Remains } from '../../core/partition';
import type { Deed, Finding, Intent } from '../../core/run';
import { databaseProgram } from '../../core/topology';
import { beating } from '../beating';
import { databaseOf, type DatabaseSystems, type Deps } from '../deps';
import { ensure } from '../ensure';
import { requireAllowed } from '../require-allowed';
import type { Database } from '../ports';
import { until, untilInTime } from '../until';
import { assessed, whyNotStart, whyNotTakeOver, type DatabaseAssessment } from './assess';
import { fence, memberOf, remainsOf } from './fence';

/** How long the control plane may take until every server of it answers, ms. */
const CONTROL_MS = 30_000;
/** How long the last primary may take until it is the primary again, ms: it reads its log first, and waits for its old lease. */
const START_MS = 180_000;
const LOOK_EVERY_MS = 500;
/** Longer than the usual loop of an agent, ms, in which it reaches the control plane once. */
const UNREACHED_MS = 15_000;

/** What is left of a database of which too little runs. */
export interface Left extends DatabaseAssessment {
  /** Who was the primary last, or is it. */
  primary: string;
  /** Whether the last primary runs and says nothing: it may hang, or serve others. */
  silent: boolean;
}

/** Starts in order what a database consists of, where too little of it runs for a failover (REQUIREMENTS F9). */
export function databaseRestart(deps: Deps) {
  return {
    /** Whether every server of the control plane answers. */
    lookAtControl: beating<void, Finding<ControlServer[]>>(async () => {
      const servers = await databaseOf(deps).database.control();
      return { sentence: toldOf(servers), value: servers };
    }),

    /**
     * Starts every server of the control plane that does not answer; one that hangs is killed first. What they keep is on their disks.
     * One that runs and is silent here may be well for the members: it is killed once none of them has reached the control plane for
     * {@link UNREACHED_MS}.
     * @throws STILL_SERVES where one has · VERIFY_FAILED where they do not answer then
     */
    startControl: beating(async ({ how }: { how: Intent }): Promise<Deed<ControlServer[]>> => {
      const { database, fleet } = databaseOf(deps);
      const silent = (servers: readonly ControlServer[]) => servers.filter(({ ok }) => !ok);
      return ensure(how, {
        look: () => database.control(),
        already: (servers) => (silent(servers).length === 0 ? toldOf(servers) : null),
        intention: (servers) => `start ${namesOf(silent(servers))} of the control plane again`,
        act: async (servers) => {
          for (const program of silent(servers).map(({ server }) => databaseProgram(server))) {
            const { pid } = await fleet.status(program);
            if (pid !== 0) {
              await requireUnreached(database, program);
              await fleet.kill(program, pid);
            }
            await fleet.start(program);
          }
          await until('the control plane does not answer', CONTROL_MS, async () =>
            (await database.control()).every(({ ok }) => ok),
          );
        },
        done: (before) => `${namesOf(silent(before))} of the control plane answers again`,
      });
    }),

    /**
     * Who was the primary last, by what its members say or, where they say nothing, by the data on their machines.
     * @param named the member that a person says it was
     * @throws PRIMARY_UNKNOWN where nobody can tell · GUARD_REFUSED where another takes writes
     */
    lookAtRemains: beating(async ({ named }: { named: string | undefined }): Promise<Finding<Left>> => {
      const systems = databaseOf(deps);
      const view = await caughtUp(systems.database);
      const verdict = judgeDatabase(view);
      const remains = await remainsOfAll(systems, view);
      const primary = primaryAtWork(view)?.member ?? named ?? verdict.primary ?? lastPrimary(remains, view);
      if (primary === undefined)
        throw new SwitchoverError(
          'PRIMARY_UNKNOWN',
          `nobody can tell who was the primary last: ${verdict.said}`,
        );
      requireAllowed(whyNotStart(view, primary));
      const own = memberOf(view, primary);
      const { processes = 0, data } = remains[primary] ?? {};
      const candidate = whyNotTakeOver(verdict, view) ? undefined : verdict.candidate;
      if (!own.postgres && !data && candidate === undefined)
        throw new SwitchoverError(
          'PRIMARY_UNKNOWN',
          `${primary} was the primary last, but has no data any more`,
        );
      const why = data ? `its data were ${data.state}, on timeline ${data.timeline}` : own.said;
      return {
        sentence: `${primary} was the primary last (${why})`,
        value: {
          ...assessed({ ...verdict, primary, candidate }, view),
          primary,
          silent: !own.agent && !own.postgres && processes > 0,
        },
      };
    }),

    /**
     * Starts the last primary and waits until it is the primary again; nobody else can have more than it. One that hangs is killed
     * first. Where somebody is the primary already nothing is done.
     * @throws NOT_IN_TIME where it does not get there
     */
    startPrimary: beating(
      async ({ primary, how }: { primary: string; how: Intent }): Promise<Deed<DatabaseView>> => {
        const systems = databaseOf(deps);
        const { database, fleet } = systems;
        return ensure(how, {
          look: () => database.look(),
          already: (view) => {
            const { member, said } = primaryAtWork(view) ?? {};
            return member === undefined ? null : `${member} is the primary (${said})`;
          },
          intention: () => `start ${primary}`,
          act: async (view) => {
            // An agent that answers does what is needed by itself.
            if (!memberOf(view, primary).agent) {
              await fence(systems, primary);
              await fleet.start(databaseProgram(primary));
            }
            await untilInTime(`${primary} is not the primary`, START_MS, async () => {
              const now = await database.look();
              return primaryAtWork(now) !== undefined;
            });
          },
          done: (_, view) => `${primary} was started; ${primaryAtWork(view)?.member} is the primary`,
        });
      },
    ),
  };
}

/**
 * The database once every agent that answers has reached the control plane, or who takes over is clear. One that has only just got
 * the control plane back does not know yet whether its member is the synchronous standby, so nobody would be found to take over.
 */
async function caughtUp(database: Database): Promise<DatabaseView> {
  for (const began = Date.now(); ; await delay(LOOK_EVERY_MS)) {
    const view = await database.look();
    const reached = view.members.every(({ agent }) => !agent || (agent.controlAt ?? 0) > began);
    if (reached || judgeDatabase(view).candidate || Date.now() - began > UNREACHED_MS) return view;
  }
}

/** What their machines know of the members whose PostgreSQL does not answer; undefined where those cannot tell. */
async function remainsOfAll(
  systems: DatabaseSystems,
  { members }: DatabaseView,
): Promise<Record<string, Remains | undefined>> {
  const dark = members.filter(({ postgres }) => !postgres);
  const told = await Promise.all(
    dark.map(
      async ({ member }) => [member, await remainsOf(systems, member).catch(() => undefined)] as const,
    ),
  );
  return Object.fromEntries(told);
}

/** Waits until no member has reached the control plane for long enough. @throws STILL_SERVES naming those that go on doing so */
async function requireUnreached(database: Database, program: string): Promise<void> {
  const began = Date.now();
  for (;;) {
    const { members } = await database.look();
    const reached = members.filter(({ agent }) => (agent?.controlAt ?? 0) > Date.now() - UNREACHED_MS);
    if (reached.length === 0) return;
    if (Date.now() - began > 2 * UNREACHED_MS) {
      const names = reached.map(({ member }) => member).join(' and ');
      throw new SwitchoverError(
        'STILL_SERVES',
        `${program} runs and answers nobody here, but ${names} reached the control plane meanwhile`,
      );
    }
    await delay(LOOK_EVERY_MS);
  }
}

function namesOf(servers: readonly ControlServer[]): string {
  return servers.map(({ server }) => server).join(', ');
}

function toldOf(servers: readonly ControlServer[]): string {
  const silent = servers.filter(({ ok }) => !ok);
  if (silent.length === 0) return `the control plane answers (${namesOf(servers)})`;
  return `the control plane does not answer: ${silent.map(({ server, said }) => `${server}: ${said}`).join('; ')}`;
}
