import type { Evidence } from '../activities/fenced';
import type { Earth } from '../activities/recovery/world';
import type { ScratchState } from '../core/backup';
import { whyNot } from '../core/guards';
import { judgeLoss, lossInWords, type Level, type Loss, type Way } from '../core/recovery';
import { elapsed } from '../core/report';
import type { Deed, Finding } from '../core/run';
import type { Run } from './engine/run';
import { long, work } from './proxies';
import { seenFromOutside } from './region';
import { requireAllowed } from './require-allowed';

/** Looks at every region that serves when all is well, from all others at the same moment. */
export async function seeLoss({ home, vantages, degraded }: Earth): Promise<Finding<Loss>> {
  const seen = await Promise.all(
    home.map(async (region) => {
      const others = vantages.filter((from) => from !== region);
      return { region, ...(await seenFromOutside(region, { others, degraded })) };
    }),
  );
  const value = judgeLoss(seen.map(({ region, value: verdict }) => ({ region, verdict })));
  const told = seen.map(({ region, sentence }) => `${region}: ${sentence}`);
  return { sentence: [lossInWords(value), ...told].join('; '), value };
}

/** What a way of having a store serve again has to know. */
interface Recovery {
  level: Level;
  lost: string[];
  /** Where a backup would be restored. */
  site: string;
}

/**
 * Has the stores serve from a region that is left. Nothing is begun that goes further than people have agreed to; who may lack
 * acknowledged rows leads only once a person has said so.
 * @returns whether sessions could be asked about before anything was done: a plan can say where they go only then
 */
export async function recoverStores(run: Run, { level, lost, site }: Recovery): Promise<boolean> {
  const { database, cache } = await run.look('See what is left of the data', async () => {
    const seen = await work.lookAtStores({ lost, site });
    allow(level, 'database', seen.value.database);
    allow(level, 'session store', seen.value.cache);
    return seen;
  });
  if (database?.by === 'successor')
    await run.nest({ title: 'Fail the database over', runbook: 'database-failover', input: {} });
  if (database?.by === 'survivor') await goOnWithRows(run, database, lost);
  if (database?.by === 'backup') await goOnWithBackup(run, database, lost);
  if (cache?.by === 'successor')
    await run.nest({ title: 'Fail the session store over', runbook: 'redis-failover', input: {} });
  if (cache?.by === 'survivor') await goOnWithSessions(run, cache, lost);
  return cache === undefined || cache.by === 'serves';
}

function allow(level: Level, store: string, way: Way | undefined): void {
  if (!way) return;
  const stopped = way.by === 'none' ? (way.stopped ?? []) : [];
  requireAllowed(whyNot('recover store', { level, store, by: way.by, member: memberOf(way), stopped }));
}

function memberOf(way: Way): string | undefined {
  return 'member' in way ? way.member : undefined;
}

type Survivor = Extract<Way, { by: 'survivor' }>;

async function goOnWithRows(run: Run, { member, others }: Survivor, lost: string[]): Promise<void> {
  if (run.mode !== 'plan')
    await run.doubt(
      'Ask before rows are given up',
      `only ${member} is left of the database, and it did not have to have every acknowledged row: what only ${others.join(' and ')} had is given up until those are found again`,
    );
  const fenced = await giveUp(run, others, lost);
  await run.act({
    title: `Have ${member} lead the database`,
    act: (how) => work.leadDatabase({ member, others, fenced, how }),
  });
  await run.verify('Write through the address of its clients', () => work.proveDatabase());
}

type FromBackup = Extract<Way, { by: 'backup' }>;

/**
 * The database from the newest backup at the other site, read to the end of what was archived there. It is restored beside the database,
 * so that people are asked with what exactly would be lost; nothing is given up before.
 */
async function goOnWithBackup(run: Run, { member, others }: FromBackup, lost: string[]): Promise<void> {
  const backup = await run.look('See which backup is newest', () =>
    work.lookAtNewest({ repository: 'offsite' }),
  );
  const place = 'restore';
  const { label, repository, canary } = backup;
  const restored = await run.act({
    title: 'Restore it beside the database',
    act: (how) => long.restoreCopy({ place, backup: label, repository, to: null, how }),
    undo: { title: 'Remove the copy', act: (how) => long.removeCopy({ place, how }) },
  });
  await run.act({ title: 'Start the copy', act: (how) => long.startCopy({ place, how }) });
  const canaries = canary ? [canary] : [];
  const state = await run.verify('Compare it with what it has to be', () =>
    long.lookAtCopy({ place, expected: { canaries, to: null } }),
  );
  if (state) await askAboutRows(run, state);
  const fenced = await giveUp(run, others, lost);
  await run.act({ title: 'Have the copy begin a timeline', act: (how) => long.promoteCopy({ how }) });
  const copy = restored.after ?? restored.before ?? { key: '', backup: label, repository, to: null };
  await run.act({
    title: `Give the copy to ${member}`,
    act: (how) => long.placeCopy({ member, copy, others, fenced, how }),
  });
  await run.act({ title: `Start ${member}`, act: (how) => long.startReserve({ member, how }) });
  await run.verify('Write through the address of its clients', () => work.proveDatabase());
}

/**
 * Says what would be lost, to the instant, and goes on once somebody agrees. Where the database was still written after the fault was
 * first seen, nobody can tell for how long: until now is the most that it can be.
 */
async function askAboutRows(run: Run, { timeline, lsn, lastCommitAt }: ScratchState): Promise<void> {
  const last = lastCommitAt === null ? undefined : Date.parse(lastCommitAt);
  const faultAt = Date.parse(run.firstSeenAt);
  const writtenAfter = last !== undefined && last > faultAt;
  const lostMs = last === undefined ? undefined : (writtenAfter ? Date.now() : faultAt) - last;
  const span =
    lostMs === undefined ? 'an unknown time' : `${writtenAfter ? 'at most ' : ''}${elapsed(lostMs)}`;
  await run.doubt(
    'Ask before rows are given up',
    `the database would be as it was at its last archived commit, of ${lastCommitAt ?? 'before the backup'} (timeline ${timeline}, ${lsn}): what was committed in the ${span} from then to the fault is lost`,
  );
  if (lostMs !== undefined) run.lostSince(lostMs);
}

/** Fences members of the database for good. @returns the evidence, in their order */
async function giveUp(run: Run, members: string[], lost: string[]): Promise<(Evidence | undefined)[]> {
  const fenced: (Evidence | undefined)[] = [];
  for (const member of members) {
    const deed = await run.act({
      title: `Fence ${member}`,
      act: (how) => work.giveUpDatabase({ member, lost, how }),
    });
    fenced.push(evidenceOf(deed));
  }
  return fenced;
}

/** Sessions are not asked about: who waits for a person meanwhile loses more of them. */
async function goOnWithSessions(run: Run, { member, others }: Survivor, lost: string[]): Promise<void> {
  const fenced: (Evidence | undefined)[] = [];
  for (const other of others) {
    const deed = await run.act({
      title: `Fence ${other}`,
      act: (how) => work.giveUpCache({ member: other, lost, how }),
    });
    fenced.push(evidenceOf(deed));
  }
  await run.act({
    title: `Have ${member} lead the session store`,
    act: (how) => work.leadCache({ member, others, fenced, how }),
  });
}

function evidenceOf({ before, after }: Deed<{ fenced: Evidence | null }>): Evidence | undefined {
  return (after ?? before)?.fenced ?? undefined;
}

/** Takes a site's nodes out and stops what a cold one has to have stopped; nobody is led there any more. */
export async function putToRest(run: Run, site: string, cold: boolean): Promise<void> {
  const { standings, reserves } = await run.look('See that nobody needs it', () =>
    work.lookAtRest({ site, planned: run.mode === 'plan' }),
  );
  const known = standings.flatMap(({ node, member }) => (member && member.admin !== 'maint' ? [node] : []));
  const running = standings.flatMap(({ node, process }) => (process.pid > 0 ? [node] : []));
  if (cold) await run.act({ title: 'End the watch over it', act: (how) => work.unwatchSite({ site, how }) });
  if (known.length > 0)
    await run.act({
      title: 'Drain its nodes and take them out',
      act: (how) => long.withdrawNodes({ region: site, nodes: known, how }),
    });
  if (!cold) return;
  if (running.length > 0)
    await run.act({
      title: 'Stop its nodes',
      act: (how) => long.stopNodes({ region: site, nodes: running, how }),
    });
  await run.act({ title: 'Stop its load balancer', act: (how) => work.stopSite({ site, how }) });
  if (reserves.length > 0)
    await run.act({
      title: 'Stop its member of the database',
      act: (how) => work.stopReserves({ site, how }),
    });
}
