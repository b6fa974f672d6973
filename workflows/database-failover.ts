import type { DatabaseView, Salvage } from '../core/database';
import { agentAtWork, type Apart } from '../core/partition';
import type { Deed } from '../core/run';
import type { DatabaseAssessment } from '../activities/database/assess';
import type { Fenced, FenceLook } from '../activities/database/fence';
import { runbook } from './engine/runbook';
import type { Run } from './engine/run';
import { long, work } from './proxies';

/**
 * The database's primary has failed (REQUIREMENTS F5, T6).
 *
 * Fence before promote. A primary that only seems dead, because it hangs, has lost its agent or is cut off, can acknowledge
 * writes which its successor never sees; nobody could say afterwards which of the two is right. So the order is the invariant,
 * and what holds between any two steps is:
 * - nothing is touched while the primary takes its clients' writes, or a standby still hears of one that only we cannot reach;
 * - the old primary is killed only where somebody can take over: in synchronous mode only who had to have every acknowledged write;
 * - its lease is freed only upon the evidence that nothing of it is left: its supervisor has no process, its port refuses, or where
 *   nobody reaches it its own machine says so. The evidence travels with the act and is seen confirmed right before it; without it
 *   the run stops and asks;
 * - who takes over is the agents' own choice, by the lease: this run never makes a member the primary against them;
 * - service is proven by a write through the clients' address before the old primary is started again, and it starts as a standby;
 * - what only the old primary had is saved before it starts, for to follow it has to throw that away. In synchronous mode that is
 *   what nobody was told is committed; in asynchronous mode it is what the failover cost, to the row.
 *
 * Waiting for the lease to run out would be as safe and is what happens without Switchover: it costs the lease's time, 20 to 30 s at
 * the usual settings. The evidence is what makes freeing it at once as safe as waiting.
 *
 * Nothing is undone: before the lease is freed the old primary was dead anyway, and after it going back would be the very thing
 * that fencing is there to prevent. What cannot go on asks a person.
 */
export const databaseFailover = runbook('database-failover', async (run) => {
  const seen = await run.look('Confirm it from all sides', () => work.lookAtDatabase());
  if (!seen.failed) return run.succeeded(`${seen.said}: there is nothing to fail over`);
  run.mark('faultAt', run.firstSeenAt);
  const sentence = await takeOver(run, seen);
  return run.recovered(sentence ?? (await restartInOrder(run)));
});

/**
 * Too little of the database runs for a failover (REQUIREMENTS F9: full-cluster outage). What is there is started in order.
 *
 * What holds between any two steps:
 * - nothing is started before the control plane answers: without it no member knows whether it may take writes;
 * - where it turns out that somebody can take over, that is done: who is up serves sooner than who has to be started;
 * - else the last primary is started first, and nobody before it serves: no other can have more than it. Who it was is told by the
 *   timelines in the data of every member, and where one of them cannot tell, by a person;
 * - one that runs but says nothing is not killed before a person says so: it may serve those that we do not see;
 * - what a member has that the primary has not is saved before it follows.
 */
export const fullOutage = runbook<{ primary?: string }>('full-outage', async (run, { primary }) => {
  run.mark('faultAt', run.firstSeenAt);
  return run.recovered(await restartInOrder(run, primary));
});

/**
 * The control plane of the database, which keeps who is the primary, does not answer. The database goes on without it, but nobody could
 * take over.
 */
export const controlPlaneRestart = runbook('control-plane-restart', async (run) => {
  run.mark('faultAt', run.firstSeenAt);
  await startControl(run);
  const seen = await run.verify('See that it answers', () => work.lookAtControl());
  run.mark('provenAt', seen && new Date().toISOString());
  return run.recovered('the control plane answers again');
});

/**
 * Members of the database are apart from its primary: cut off, stopped, or taking writes beside it (REQUIREMENTS F9, H6). The minority
 * pauses, the majority goes on, and they are merged where they reach each other again.
 *
 * What holds between any two steps:
 * - the majority is the side that has the primary; where it is the primary that is cut off, another takes over first, by the same rules
 *   as in every failover: who has the lease is who reaches most of the control plane;
 * - a member that might take writes on the other side is fenced, with evidence, and stays so for as long as nobody reaches it;
 * - one that is reached again gives up what only it has, which is saved first, with what is in its place on the other side: these
 *   are the conflicts, and people decide about them. Nothing is merged by guess.
 */
export const partitionResponse = runbook('partition-response', async (run) => {
  const seen = await run.look('See who is with the primary', () => work.lookAtDatabase());
  if (seen.failed) {
    run.mark('faultAt', run.firstSeenAt);
    return run.recovered((await takeOver(run, seen)) ?? (await restartInOrder(run)));
  }
  if (seen.apart.length === 0) return run.succeeded(`all members are with ${seen.primary}`);
  const met = await bringTogether(run, seen);
  return run.recovered([`${seen.primary} stays the primary`, ...met.map(told)].join('; '));
});

/**
 * Fence, promote, prove; see {@link databaseFailover}.
 * @param forced a person has said that the primary has to give way although it may be well
 * @returns what came of it; undefined where nobody may take over
 */
export async function takeOver(
  run: Run,
  seen: DatabaseAssessment,
  forced = false,
): Promise<string | undefined> {
  const { primary, candidate, view } = seen;
  if (primary === undefined || candidate === undefined) return undefined;
  const fencing = await run.act({
    title: `Fence ${primary}`,
    act: (how) => work.fenceDatabase({ primary, ...(forced && { forced }), how }),
  });
  run.mark('isolatedAt', fencing.at);
  const fenced = evidenceOf(fencing);
  const taken = await run.act({
    title: `Let ${candidate} take over`,
    act: (how) => work.letTakeOver({ primary, candidate, fenced, how }),
    noReturn: `${candidate} takes the writes in place of ${primary}, which is fenced`,
  });
  const successor = (taken.after ?? taken.before)?.primary ?? candidate;
  await prove(run);
  const old = await rejoin(run, primary, view, fenced);
  const [, ...others] = await bringTogether(run, seen, [old]);
  return [`${successor} took over from ${primary}, which ${old.what}`, ...others.map(told)].join('; ');
}

/** Control plane, last primary, the others; see {@link fullOutage}. @param named who a person says was the primary last */
async function restartInOrder(run: Run, named?: string): Promise<string> {
  await startControl(run);
  const left = await run.look('Find out who was the primary last', () => work.lookAtRemains({ named }));
  const sentence = left.failed ? await takeOver(run, left) : undefined;
  if (sentence !== undefined) return sentence;
  const { primary } = left;
  if (left.silent)
    await run.doubt(
      'Ask before killing what may serve others',
      `${primary} runs but answers nobody here, and nobody can take over from it: it would be killed and started again`,
    );
  await run.act({ title: `Start ${primary}`, act: (how) => long.startPrimary({ primary, how }) });
  await prove(run);
  const met = await bringTogether(run, left);
  return [`${primary} is the primary again`, ...met.map(told)].join('; ');
}

async function startControl(run: Run): Promise<void> {
  await run.act({ title: 'Start the control plane', act: (how) => work.startControl({ how }) });
}

async function prove(run: Run): Promise<void> {
  const proof = await run.verify('Write through the address of its clients', () => work.proveDatabase());
  run.mark('provenAt', proof?.provenAt);
}

/** How a member stands that might take writes. */
const MAY_WRITE: readonly Apart['standing'][] = ['writes', 'silent'];

/** What became of a member that was apart. */
interface Rejoined {
  member: string;
  /** `follows it now` */
  what: string;
  /** Nobody reaches it, so it stays fenced. */
  away: boolean;
}

/** Fences and merges these members, one after the other. @param before what became of others */
async function bringTogether(
  run: Run,
  { apart, view }: DatabaseAssessment,
  before: readonly Rejoined[] = [],
): Promise<Rejoined[]> {
  const met = [...before];
  for (const { member, standing } of apart) {
    const fencing = MAY_WRITE.includes(standing)
      ? await run.act({ title: `Fence ${member}`, act: (how) => work.fenceApart({ member, how }) })
      : undefined;
    // An agent that is at work brings its member to follow by itself: to interrupt it may cost hours.
    const atWork = agentAtWork({ standing });
    met.push(
      await (atWork ? follow(run, member) : rejoin(run, member, view, fencing && evidenceOf(fencing))),
    );
  }
  if (met.every(({ away }) => !away)) await run.verify('See it redundant again', () => long.awaitRedundant());
  return met;
}

/** A fenced member gives up what only it has, which is saved, and follows the primary; one that nobody reaches stays as it is. */
async function rejoin(
  run: Run,
  member: string,
  { synchronous }: DatabaseView,
  fenced: Fenced | undefined,
): Promise<Rejoined> {
  if (fenced?.silent)
    return { member, what: 'is fenced, and stays so until it is reached again', away: true };
  const { after } = await run.act({
    title: `Save what only ${member} has`,
    act: (how) => long.salvageDatabase({ member, how }),
  });
  const rows = after ? rowsOf(after) : 0;
  // In synchronous mode nobody was told that they are committed.
  if (after) run.lost('rows', synchronous ? 0 : rows);
  const followed = await follow(run, member);
  const saved = rows > 0 ? `; ${rows} rows that only ${member} had are saved` : '';
  return { ...followed, what: `${followed.what}${saved}` };
}

async function follow(run: Run, member: string): Promise<Rejoined> {
  await run.act({
    title: `Bring ${member} back as a standby`,
    act: (how) => long.bringToFollow({ member, how }),
  });
  return { member, what: 'follows it now', away: false };
}

function told({ member, what }: Rejoined): string {
  return `${member} ${what}`;
}

function evidenceOf({ before, after }: Deed<FenceLook>): Fenced | undefined {
  return (after ?? before)?.fenced ?? undefined;
}

/** Rows that were committed there, and at its successor are gone, still there though deleted, or not what they were. */
function rowsOf({ missing, different, deleted }: Salvage): number {
  return missing + different + deleted;
}
