import type { Started } from '../core/coordination';
import { judge, type Missed } from '../core/missed';
import { schedulesOf } from '../core/schedules';
import { runDue, type Tick } from '../core/tick';
import { keepSchedules } from '../operations/schedules';
import { observe } from '../operations/ticks';
import type { Deps } from './deps';

/** Where the timekeeper's last look at a schedule ended, and what it has written down since; ISO times. */
type Known = Record<string, { since: string; known: string[] }>;

/** What schedules need: to be as they are planned, to begin their runs, and that what they miss is noticed. */
export function scheduleActivities(deps: Deps) {
  const { config, operations, client, notifier } = deps;
  const { environment } = config;
  return {
    /** See {@link keepSchedules}: all that the catalogue and the environment file plan. */
    async keepSchedules(): Promise<string[]> {
      return keepSchedules(client, environment, schedulesOf(operations.catalogue, config).planned);
    },

    /** Begins the run that was due then, or joins one that does the same. @throws as Operations.start */
    async startScheduled({ tick, due }: { tick: Tick; due: string }): Promise<Started> {
      const { schedule, runbook, input, mode } = tick;
      return operations.start({
        runbook,
        input,
        mode,
        by: `schedule ${schedule}`,
        trigger: 'schedule',
        reason: `due at ${due}`,
        as: runDue(schedule, due),
      });
    },

    /** Tells the timekeeper what came of a run that was due. */
    async reportTick(ended: { schedule: string; missed?: Missed }): Promise<void> {
      await operations.reportTick(ended);
    },

    /** What has been missed since the last look. */
    async lookForMissed({ books }: { books: Known }) {
      const now = Date.now();
      const looks = schedulesOf(operations.catalogue, config).planned.map(async (plan) => {
        const seen = await observe(client, environment, plan.name, { since: books[plan.name]?.since, now });
        if (!seen) return [];
        const verdict = judge(seen, plan, { since: seen.since, known: books[plan.name]?.known ?? [], now });
        return [{ name: plan.name, ...verdict }];
      });
      return (await Promise.all(looks)).flat();
    },

    /** Tells the first of those who are called of runs that were missed. */
    async tellMissed({ missed }: { missed: Missed[] }): Promise<void> {
      const [{ to, webhook }] = config.escalation as [(typeof config.escalation)[number]];
      for (const { schedule, at, kind, why } of missed) {
        const notice = {
          to,
          webhook,
          run: `schedule ${schedule}`,
          subject: `${schedule} was due at ${at} and ${kind === 'failed' ? 'ended badly' : 'was not carried out'}`,
          body: `${why}. See ./switchover schedules; people are told again once a run has ended well in between.`,
        };
        await notifier.notify(notice, `missed/${environment}/${schedule}/${at}/${kind}`);
      }
    },
  };
}
